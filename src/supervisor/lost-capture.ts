import * as fs from "node:fs";
import * as path from "node:path";
import { isTemporaryName, writeJsonAtomic } from "../core/atomic-file.ts";
import { isoNow } from "../core/clock.ts";
import { errorMessage } from "../core/errors.ts";
import { hasRequiredObservations } from "../evidence/capture-directory.ts";
import { CAPTURE_DIRECTORIES, LAYOUT } from "../evidence/layout.ts";
import { type Completeness, completeness as completenessSchema, type Gap } from "../schema/observations.ts";
import type { RunRecord } from "../schema/run.ts";
import { removeTree } from "../workspace/remove-tree.ts";
import { completenessRecord } from "./completeness.ts";
import { DiskReserve } from "./disk-reserve.ts";
import { lostClasses } from "./lost-classes.ts";
import { countLostStreams, type LostStreams } from "./lost-streams.ts";
import { writeMissingObservations } from "./missing-observations.ts";
import { rebuildObservations } from "./rebuild-observations.ts";

export interface LostRunOptions {
  runId: string;
  /** The run's private directory. */
  dir: string;
  derive(captureDir: string): Promise<unknown>;
}

const REASON = "the supervisor ended before it could finish this capture; what it had recorded until then is kept";

/**
 * Finishes a capture whose supervisor is gone. Every step can be done again, and run.json, which says that it is finished,
 * comes after all evidence.
 * @returns whether there was anything to finish; false also when the directory is not that run's capture.
 * @throws CaptureError when the disk takes nothing.
 */
export async function finishLostCapture(captureDir: string, options: LostRunOptions): Promise<boolean> {
  const record = readRecord(captureDir);
  if (record === undefined || record.run_id !== options.runId) return false;
  DiskReserve.releaseAll(options.dir);
  removeTemporaries(captureDir);
  const unfinished = record.finished_at === null;
  const now = unfinished ? await finishRecord(captureDir, record) : record;
  if (!record.keep_workspace) await removeTree(path.join(captureDir, LAYOUT.workspace));
  const derived = [LAYOUT.summary, LAYOUT.report].every((file) => fs.existsSync(path.join(captureDir, file)));
  if (unfinished || !derived) await derive(captureDir, now, options);
  return unfinished || !derived;
}

function readRecord(captureDir: string): RunRecord | undefined {
  try {
    return JSON.parse(fs.readFileSync(path.join(captureDir, LAYOUT.run), "utf8")) as RunRecord;
  } catch {
    return undefined;
  }
}

/** Files that were being written in one step when the writer was killed: nobody was ever told that they exist. */
function removeTemporaries(captureDir: string): void {
  for (const sub of CAPTURE_DIRECTORIES) {
    const dir = path.join(captureDir, sub);
    if (!fs.existsSync(dir)) continue;
    for (const name of fs.readdirSync(dir)) if (isTemporaryName(name)) fs.rmSync(path.join(dir, name));
  }
}

async function finishRecord(captureDir: string, record: RunRecord): Promise<RunRecord> {
  const streams = await countLostStreams(captureDir);
  if (streams.kernelEvents > 0) await rebuildObservations(captureDir);
  const completeness = completeLost(captureDir, record, streams);
  const finished: RunRecord = {
    ...record,
    ...fieldsOf(record, streams),
    finished_at: isoNow(),
    run_status: "infra_error",
    capture_status: "infra_error",
    capture_valid: hasRequiredObservations(captureDir),
    execution_error: REASON,
    end_reason: "supervisor-lost",
    end_detail: REASON,
    completeness: completeness.verdict,
  };
  writeJsonAtomic(path.join(captureDir, LAYOUT.run), finished);
  return finished;
}

/** completeness.json as the supervisor left it, or a new one, with what is known now. */
function completeLost(captureDir: string, record: RunRecord, streams: LostStreams): Completeness {
  const file = path.join(captureDir, LAYOUT.completeness);
  const before = readCompleteness(file);
  const present = lostClasses(captureDir, streams);
  const problems: string[] = [];
  const absent = writeMissingObservations(captureDir, record.workspace_dir, problems);
  const known = before?.classes ?? present;
  const absentNames = new Set(known.filter(({ level }) => level === "absent").map((entry) => entry.class));
  const classes = [...known, ...absent.filter((entry) => !absentNames.has(entry.class))];
  const reasons = [REASON, ...streams.faults, ...problems];
  const gaps = reasons.map((reason): Gap => ({ class: "all", from: record.started_at, to: null, reason }));
  const earlier = before?.gaps.filter((gap) => !reasons.includes(gap.reason)) ?? [];
  const completeness = completenessRecord(classes, [...earlier, ...gaps]);
  writeJsonAtomic(file, completeness);
  return completeness;
}

function readCompleteness(file: string): Completeness | undefined {
  try {
    return completenessSchema.safeParse(JSON.parse(fs.readFileSync(file, "utf8"))).data;
  } catch {
    return undefined;
  }
}

/** What the streams hold now stands in the record too: it was opened before any of them. */
function fieldsOf(record: RunRecord, streams: LostStreams): Partial<RunRecord> {
  const { events } = streams;
  return {
    native_events_status: events.valid > 0 ? "present" : events.lines > 0 ? "invalid" : "missing",
    event_count: events.valid,
    session_id: streams.sessionId,
    native_events: {
      ...record.native_events,
      lines: events.lines,
      valid: events.valid,
      invalid: events.lines - events.valid,
      bytes: events.bytes,
      plugin_alive: streams.pluginAlive,
      plugin_disposed: streams.pluginDisposed,
      truncated: true,
    },
    model: { ...record.model, exchange_count: streams.exchanges.lines },
    output: { stdout_bytes: streams.stdoutBytes, stderr_bytes: streams.stderrBytes, truncated: true },
    export_saved: streams.exportSaved,
  };
}

/** Summary and report; without them the evidence stands as it is. */
async function derive(captureDir: string, record: RunRecord, options: LostRunOptions): Promise<void> {
  try {
    await options.derive(captureDir);
  } catch (error) {
    writeJsonAtomic(path.join(captureDir, LAYOUT.run), { ...record, report_error: errorMessage(error) });
  }
}
