import * as fs from "node:fs";
import * as path from "node:path";
import { LAYOUT } from "../evidence/layout.ts";
import { bestStatements } from "../schema/best-statement.ts";
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
  } catch {
    return undefined;
  }
}

function summaryLines(summary: Summary, record: RunRecord): [string, string][] {
  const { counts, tools, anomalies } = summary;
  const commands = tools.filter((tool) => tool.tool === "bash").map((tool) => commandOf(tool.input));
  const { requested, error_count: errors } = record.model;
  return [
    ["model", `${requested}, ${counts.exchanges_total} exchanges, ${errors} errors${usedLine(record.model)}`],
    ...configLine(record.agent_config),
    ["tools", `${counts.tools_total} calls, ${commands.length} commands${listed(commands)}`],
    ["processes", processesLine(counts)],
    ["files", filesLine(summary)],
    ["hosts", hostsLine(summary)],
    ["unseen", unseenLine(summary)],
    ["findings", findingsLine(anomalies)],
  ];
}

function processesLine({ processes_total, events }: Summary["counts"]): string {
  if (events === undefined) return `${processes_total} seen`;
  const failed = events.by_kind["process.exec-failed"] ?? 0;
  return `${events.commands} programs run${failed === 0 ? "" : `, ${failed} could not be`}`;
}

function usedLine({ input_tokens: input, output_tokens: output, cost_usd: cost }: RunRecord["model"]): string {
  if (input === null && output === null) return "";
  const price = cost === null ? "" : `, about ${cost.toFixed(4)} US dollars`;
  return `, ${(input ?? 0) + (output ?? 0)} tokens${price}`;
}

/** Said only where it is not as usual. */
function configLine(config: RunRecord["agent_config"]): [string, string][] {
  const read = [
    ...(config.project_config ? ["the project's own AGENTS.md, CLAUDE.md, opencode.json and plugins"] : []),
    ...(config.opencode_config === null ? [] : [config.opencode_config]),
  ];
  return read.length === 0 ? [] : [["config", `OpenCode read ${read.join(" and ")}`]];
}

function filesLine({ observations: { filesystem }, files }: Summary): string {
  const counts = filesystem?.counts;
  if (counts === undefined || counts === null) return "not observed";
  const sensitive = filesystem?.touched_sensitive_paths === true ? "; sensitive paths touched" : "";
  const changes = `${counts.created} created, ${counts.modified} modified, ${counts.deleted} deleted`;
  return `${changes}${sensitive}${listed(files.map((file) => file.path))}`;
}

/** "None seen" is no proof: the line on what was not seen stands below it. */
function hostsLine({ observations: { network } }: Summary): string {
  const outside = (network?.connections ?? []).filter((connection) => connection.role === "external");
  const hosts = [...new Set(outside.map((connection) => connection.remote))];
  return hosts.length === 0 ? "none seen" : `${hosts.length} seen${listed(hosts)}`;
}

function unseenLine({ completeness }: Summary): string {
  const classes = bestStatements(completeness?.classes ?? []).filter((entry) => entry.level !== "complete");
  if (completeness === null) return "not known";
  return classes.length === 0
    ? "nothing known to be missing"
    : classes.map((entry) => `${entry.class} ${entry.level}`).join(", ");
}

/** What is only worth knowing stands in the report. */
function findingsLine(anomalies: Summary["anomalies"]): string {
  const codes = new Set(anomalies.filter((anomaly) => anomaly.level !== "info").map((anomaly) => anomaly.code));
  return codes.size === 0 ? "none" : [...codes].join(", ");
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
