import { shorten, visible } from "../schema/display.ts";
import type { CompletenessClass } from "../schema/observations.ts";
import type { Summary, ToolUse } from "../schema/summary.ts";

const LABEL_WIDTH = 15;
const MAX_LISTED = 20;
const MAX_TEXT = 200;

/** A summary for the terminal. Everything that the agent could have made is shown with visible marks. */
export function showLines(captureDir: string, summary: Summary): string[] {
  const { counts, completeness, final_message: last } = summary;
  // What could not be seen has a list of its own.
  const known = summary.anomalies.filter((one) => one.code !== "incomplete_observation");
  const unseen = (completeness?.classes ?? []).filter((one) => one.level !== "complete");
  return [
    ...headLines(captureDir, summary),
    "",
    heading("worth knowing", known.length),
    ...listed(known.map((one) => `${one.level}: ${one.message}`)),
    heading("not fully seen", unseen.length),
    ...listed(unseen.map((one) => `${one.class}: ${one.level} (${one.reason})`)),
    heading("tool calls", counts.tools_total),
    ...listed(summary.tools.map(toolLine)),
    heading("files", counts.files_total, levelOf(summary, "file-workspace")),
    ...listed(summary.files.map((one) => `${one.change_type} ${one.path}${one.sensitive_path ? " (sensitive)" : ""}`)),
    heading("processes", counts.processes_total, levelOf(summary, "process")),
    ...listed((summary.observations.process?.processes ?? []).map((one) => `${one.pid} ${one.args || one.command}`)),
    heading("connections", counts.connections_total, levelOf(summary, "network")),
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

/** A count says nothing where nobody looked. */
function heading(name: string, total: number, level = "complete"): string {
  if (total === 0 && level === "absent") return `${name}: not observed`;
  return level === "complete" ? `${name}: ${total}` : `${name}: ${total} (${level})`;
}

function levelOf(summary: Summary, name: CompletenessClass["class"]): string {
  return summary.completeness?.classes.find((one) => one.class === name)?.level ?? "observation not known";
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
