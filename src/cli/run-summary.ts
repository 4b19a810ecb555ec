import * as fs from "node:fs";
import * as path from "node:path";
import { errorMessage } from "../core/errors.ts";
import { LAYOUT } from "../evidence/layout.ts";
import { shorten, visible } from "../schema/display.ts";
import type { RunRecord } from "../schema/run.ts";
import type { Summary } from "../schema/summary.ts";

const LABEL_WIDTH = 12;
const MAX_LISTED = 5;
const MAX_TEXT = 160;

/** The ten lines that a person reads after a run. All text that the agent made is shown with visible marks. */
export async function runSummaryLines(captureDir: string, record: RunRecord): Promise<string[]> {
  const summary = readSummary(captureDir);
  const lines: [string, string][] = [
    ["outcome", `${record.run_status} (${record.end_reason ?? "?"}): ${record.end_detail ?? ""}`],
    ["capture", `${record.capture_valid ? "valid" : "NOT VALID"}, ${record.duration_seconds ?? "?"} s`],
  ];
  if (summary === undefined) lines.push(["summary", `could not be made: ${record.report_error ?? "unknown"}`]);
  else lines.push(...summaryLines(summary, record));
  lines.push(["report", record.report_path ?? `none: ${record.report_error ?? "unknown"}`]);
  return lines.map(([label, text]) => `${label.padEnd(LABEL_WIDTH)}${visible(shorten(text, 400))}`);
}

function readSummary(captureDir: string): Summary | undefined {
  try {
    return JSON.parse(fs.readFileSync(path.join(captureDir, LAYOUT.summary), "utf8")) as Summary;
  } catch (error) {
    void errorMessage(error);
    return undefined;
  }
}

function summaryLines(summary: Summary, record: RunRecord): [string, string][] {
  const commands = summary.tools.filter((tool) => tool.tool === "bash");
  const { counts, observations } = summary;
  const fs = observations.filesystem?.counts;
  const hosts = [
    ...new Set((observations.network?.connections ?? []).filter((c) => c.role === "external").map((c) => c.remote)),
  ];
  const unseen = (summary.completeness?.classes ?? []).filter((entry) => entry.level !== "complete");
  return [
    ["model", `${record.model.requested}, ${counts.exchanges_total} exchanges, ${record.model.error_count} errors`],
    [
      "tools",
      `${counts.tools_total} calls, ${commands.length} commands${listed(commands.map((c) => commandOf(c.input)))}`,
    ],
    ["processes", `${counts.processes_total} seen`],
    [
      "files",
      fs === undefined
        ? "not observed"
        : `${fs.created} created, ${fs.modified} modified, ${fs.deleted} deleted${observations.filesystem?.touched_sensitive_paths === true ? "; sensitive paths touched" : ""}${listed(summary.files.map((file) => file.path))}`,
    ],
    ["hosts", hosts.length === 0 ? "none seen" : `${hosts.length} seen${listed(hosts)}`],
    [
      "unseen",
      unseen.length === 0
        ? "nothing known to be missing"
        : unseen.map((entry) => `${entry.class} ${entry.level}`).join(", "),
    ],
    ["findings", summary.anomalies.length === 0 ? "none" : summary.anomalies.map((anomaly) => anomaly.code).join(", ")],
  ];
}

function listed(items: readonly string[]): string {
  if (items.length === 0) return "";
  const shown = items.slice(0, MAX_LISTED).map((item) => shorten(visible(item), MAX_TEXT / 4));
  return `: ${shown.join(" · ")}${items.length > MAX_LISTED ? " · …" : ""}`;
}

function commandOf(input: string): string {
  try {
    const parsed = JSON.parse(input) as { command?: unknown };
    return typeof parsed.command === "string" ? parsed.command : input;
  } catch {
    return input;
  }
}
