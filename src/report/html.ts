import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { visible, visibleLines } from "../schema/display.ts";
import type { CapturePage } from "../schema/page.ts";
import type { ViewerAssets } from "./viewer-assets.ts";

/** Text as HTML text or attribute value. */
export function escapeHtml(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (char) => names[char] ?? char);
}

/** Content of a script or style element must not hold the sequence that ends it, or one that changes how it is read. */
function inlineSafe(code: string): string {
  return code.replace(/<(?=\/script|\/style|!--|script)/gi, "\\x3c");
}

function hashOf(content: string): string {
  return `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
}

/** Only our one script and our one style sheet, by hash; no request to anywhere. */
function policy(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "img-src data:",
    "connect-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

/** As in web/public/index.html; without one, browsers ask the server. */
const ICON = `<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='6.5' fill='none' stroke='%23c8372d' stroke-width='2'/%3E%3Ccircle cx='8' cy='8' r='3' fill='%23c8372d'/%3E%3C/svg%3E">`;

/**
 * One HTML file that needs nothing else. The data is base64, which can't close an element, so no captured text is ever
 * read as markup; the plain summary for readers without scripts is escaped.
 */
export function composeHtml(page: CapturePage, dataJson: string, assets: ViewerAssets): string {
  const script = inlineSafe(assets.script);
  const style = inlineSafe(assets.style);
  const data = gzipSync(dataJson, { level: 6 }).toString("base64");
  const title = escapeHtml(visible(`${page.issue?.title ?? page.summary.run.issue_title ?? page.name} · ${page.name}`));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(script, style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
${ICON}
<style>${style}</style>
</head>
<body>
<div id="app"></div>
<noscript>
${plainSummary(page)}
</noscript>
<script type="application/gzip;base64" id="capture-data">${data}</script>
<script>${script}</script>
</body>
</html>
`;
}

function plainSummary(page: CapturePage): string {
  const { run, counts, anomalies, completeness } = page.summary;
  const files = page.summary.observations.filesystem?.counts;
  const rows: [string, string][] = [
    ["Capture", page.name],
    ["Issue", `${run.issue_id ?? "?"}: ${run.issue_title ?? ""}`],
    ["Risk level", run.risk_level ?? "?"],
    ["Outcome", `${run.run_status ?? "unfinished"} ${run.end_reason ?? ""} ${run.end_detail ?? ""}`],
    ["Valid", run.capture_valid === null ? "not known" : String(run.capture_valid)],
    ["Started", `${run.started_at ?? "?"}, ${run.duration_seconds ?? "?"} s`],
    ["Processes seen", String(counts.processes_total)],
    ["Connections seen", String(counts.connections_total)],
    [
      "Files",
      files ? `${files.created} created, ${files.modified} modified, ${files.deleted} deleted` : "not observed",
    ],
    ["Tool calls", String(counts.tools_total)],
    ["What was seen", (completeness?.classes ?? []).map((one) => `${one.class}: ${one.level}`).join(", ")],
  ];
  const facts = rows.map(([name, value]) => `<tr><th>${name}</th><td>${escapeHtml(visible(value))}</td></tr>`);
  const findings = anomalies.map((one) => `<li>${escapeHtml(visibleLines(`${one.level}: ${one.message}`))}</li>`);
  return `<h1>${escapeHtml(visible(run.issue_title ?? page.name))}</h1>
<p>The full report needs JavaScript. It is all in this file: nothing is loaded from anywhere.</p>
<table>${facts.join("")}</table>
<h2>Findings</h2>
<ul>${findings.join("")}</ul>
<h2>Last words of the agent (its claim)</h2>
<pre>${escapeHtml(visibleLines(page.summary.final_message ?? "none"))}</pre>`;
}
