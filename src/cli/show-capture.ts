import { shorten, visible } from "../schema/display.ts";
import type { Summary, ToolUse } from "../schema/summary.ts";

const LABEL_WIDTH = 14;
const MAX_LISTED = 20;
const MAX_TEXT = 200;

/** A summary for the terminal. Everything that the agent could have made is shown with visible marks. */
export function showLines(captureDir: string, summary: Summary): string[] {
  const { counts, completeness, final_message: last } = summary;
  const unseen = (completeness?.classes ?? []).filter((one) => one.level !== "complete");
  return [
    ...headLines(captureDir, summary),
    "",
    heading("worth knowing", summary.anomalies.length),
    ...listed(
      summary.anomalies
        .filter((one) => one.code !== "incomplete_observation")
        .map((one) => `${one.level}: ${one.message}`),
    ),
    heading("not fully seen", unseen.length),
    ...listed(unseen.map((one) => `${one.class}: ${one.level} (${one.reason})`)),
    heading("tool calls", counts.tools_total),
    ...listed(summary.tools.map(toolLine)),
    heading("files", counts.files_total),
    ...listed(summary.files.map((one) => `${one.change_type} ${one.path}${one.sensitive_path ? " (sensitive)" : ""}`)),
    heading("processes", counts.processes_total),
    ...listed((summary.observations.process?.processes ?? []).map((one) => `${one.pid} ${one.args || one.command}`)),
    heading("connections", counts.connections_total),
    ...listed(
      (summary.observations.network?.connections ?? []).map((one) => `${one.proto} ${one.remote} ${one.role ?? ""}`),
    ),
    "last words of the agent (its claim)",
    ...(last === null ? ["  none recorded"] : last.split("\n").slice(0, MAX_LISTED).map(indented)),
  ];
}

function headLines(captureDir: string, { run, counts, completeness }: Summary): string[] {
  const facts: [string, string][] = [
    ["capture", captureDir],
    ["issue", `${run.issue_id ?? "?"} (${run.risk_level ?? "?"}): ${run.issue_title ?? ""}`],
    ["outcome", [run.run_status ?? "unfinished", run.end_reason, run.end_detail].filter(Boolean).join(" · ")],
    ["valid", run.capture_valid === null ? "not known" : run.capture_valid ? "yes" : "NO"],
    ["started", `${run.started_at ?? "?"}, ${run.duration_seconds ?? "?"} s`],
    ["model", `${run.model?.requested ?? "not known"}, ${counts.exchanges_total} exchanges`],
    [
      "native events",
      `${run.native_events_status ?? "?"}, ${counts.significant_total + counts.noise_total} (${counts.noise_total} noise)`,
    ],
    ["observed", completeness?.verdict ?? "not known"],
  ];
  return facts.map(([label, text]) => `${label.padEnd(LABEL_WIDTH)}${visible(shorten(text, 400))}`);
}

function heading(name: string, total: number): string {
  return `${name}: ${total}`;
}

function listed(items: readonly string[]): string[] {
  const lines = items.slice(0, MAX_LISTED).map(indented);
  return items.length > MAX_LISTED ? [...lines, `  … ${items.length - MAX_LISTED} more`] : lines;
}

function indented(text: string): string {
  return `  ${visible(shorten(text, MAX_TEXT))}`;
}

function toolLine(use: ToolUse): string {
  return `${use.tool} ${use.status}: ${use.title ?? use.input}`;
}
