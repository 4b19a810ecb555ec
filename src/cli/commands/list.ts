import * as path from "node:path";
import type { Command } from "commander";
import { listCaptures } from "../../evidence/reader-list.ts";
import { printableJson, visible } from "../../schema/display.ts";
import type { CaptureListEntry } from "../../schema/page.ts";
import { captureRootOf, type RootOptions, withCaptureRoot } from "../capture-root.ts";

interface ListOptions extends RootOptions {
  json?: boolean;
}

/** `list`: one line a capture, newest first. */
export function registerList(program: Command): void {
  withCaptureRoot(program.command("list").description("list the captures, newest first"))
    .option("--json", "print JSON")
    .action((options: ListOptions) => {
      const root = captureRootOf(options);
      const captures = listCaptures(root);
      if (options.json === true) {
        process.stdout.write(`${printableJson(captures.map((one) => toRecord(root, one)))}\n`);
        return;
      }
      if (captures.length === 0) process.stderr.write(`no captures in ${visible(root)}\n`);
      for (const line of table(captures)) process.stdout.write(`${line}\n`);
    });
}

/** The same names as in meta/run.json. */
function toRecord(root: string, one: CaptureListEntry): Record<string, unknown> {
  return {
    name: one.name,
    capture_dir: path.join(root, one.name),
    issue_id: one.issueId,
    issue_title: one.title,
    risk_level: one.riskLevel,
    started_at: one.startedAt,
    duration_seconds: one.durationSeconds,
    run_status: one.runStatus,
    end_reason: one.endReason,
    capture_valid: one.captureValid,
    completeness: one.completeness,
    model: one.model,
    native_events_status: one.nativeEventsStatus,
    schema_version: one.formatVersion,
    finished: one.finished,
    problem: one.problem,
  };
}

function table(captures: readonly CaptureListEntry[]): string[] {
  const rows = captures.map((one) => [
    one.name,
    ...(one.problem === null ? factsOf(one) : [`unreadable: ${one.problem}`]),
  ]);
  const cells = rows.map((row) => row.map(visible));
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(row.length > 2 ? (widths[column] ?? 0) : 0))
      .join("  ")
      .trimEnd(),
  );
}

function factsOf(one: CaptureListEntry): string[] {
  const status = one.finished ? (one.runStatus ?? "?") : "unfinished";
  const valid = one.captureValid === true ? "valid" : one.finished ? "NOT VALID" : "";
  const seconds = one.durationSeconds === null ? "" : `${one.durationSeconds.toFixed(1)} s`;
  return [status, one.riskLevel ?? "?", valid, seconds];
}
