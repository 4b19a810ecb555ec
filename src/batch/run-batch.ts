import { monotonicMs } from "../core/clock.ts";
import { errorMessage } from "../core/errors.ts";
import type { Issue } from "../schema/issue.ts";
import type { RunRecord } from "../schema/run.ts";
import type { RunResult } from "../supervisor/plan.ts";
import { type BatchItem, type BatchState, saveBatch } from "./batch-state.ts";

/** After a severe task the machine gets time to come to rest. */
const SEVERE_COOL_DOWN_SECONDS = 20;

export interface BatchProgress {
  /** Runs of this batch that are over, and all of them. */
  done: number;
  total: number;
  successes: number;
  failures: number;
}

export interface BatchHooks {
  onStart(issue: Issue, progress: BatchProgress): void;
  onEnd(issue: Issue, item: BatchItem, progress: BatchProgress): void;
  onCoolDown(seconds: number): void;
  /** The batch goes on, but `--resume` would know only what was saved before. */
  onUnsaved(why: string): void;
}

export interface BatchOptions {
  captureRoot: string;
  /** In the order in which they run; issues that are done in `state` are left out by the caller. */
  issues: readonly Issue[];
  state: BatchState;
  runOne(issue: Issue): Promise<RunResult>;
  hooks: BatchHooks;
  signal: AbortSignal;
  coolDownSeconds?: number;
}

/**
 * Runs issues one after the other. A run that fails does not end the batch. A failed agent with a valid capture is a
 * success: the capture is what the batch is for. The state is saved after each step, so that it can be resumed.
 */
export async function runBatch(options: BatchOptions): Promise<BatchState> {
  const { issues, state, hooks, signal } = options;
  const save = () => trySave(options);
  // One that can't be saved from the start is not begun.
  saveBatch(options.captureRoot, state);
  for (const [index, issue] of issues.entries()) {
    if (signal.aborted) break;
    const item = itemOf(state, issue.id);
    item.state = "running";
    save();
    hooks.onStart(issue, progressOf(state));
    await runItem(issue, item, options);
    save();
    hooks.onEnd(issue, item, progressOf(state));
    const last = index === issues.length - 1;
    if (issue.risk_level === "severe" && !last && !signal.aborted) await coolDown(options);
  }
  if (state.items.every((item) => item.state === "done")) state.finished_at = new Date().toISOString();
  save();
  return state;
}

/** A disk that is full now may have room again after the next run; the captures themselves are what counts. */
function trySave({ captureRoot, state, hooks }: BatchOptions): void {
  try {
    saveBatch(captureRoot, state);
  } catch (error) {
    hooks.onUnsaved(errorMessage(error));
  }
}

async function runItem(issue: Issue, item: BatchItem, options: BatchOptions): Promise<void> {
  const startedMs = monotonicMs();
  try {
    const { captureDir, record } = await options.runOne(issue);
    Object.assign(item, endOf(captureDir, record));
  } catch (error) {
    const interrupted = options.signal.aborted;
    Object.assign(item, {
      state: interrupted ? "waiting" : "done",
      success: interrupted ? null : false,
      error: errorMessage(error),
    });
  }
  item.duration_seconds = Math.round(monotonicMs() - startedMs) / 1000;
}

/** An interrupted run is no result: it is run again when the batch is resumed. */
function endOf(captureDir: string, record: RunRecord): Partial<BatchItem> {
  return {
    state: record.interrupted ? "waiting" : "done",
    success: record.interrupted ? null : record.capture_valid,
    capture_dir: captureDir,
    run_status: record.run_status,
    error: record.execution_error,
  };
}

export function progressOf(state: BatchState): BatchProgress {
  const done = state.items.filter((item) => item.state === "done");
  const successes = done.filter((item) => item.success === true).length;
  return { done: done.length, total: state.items.length, successes, failures: done.length - successes };
}

function itemOf(state: BatchState, issueId: string): BatchItem {
  const item = state.items.find((candidate) => candidate.issue_id === issueId);
  if (item === undefined) throw new Error(`issue ${issueId} is not in the batch`);
  return item;
}

function coolDown(options: BatchOptions): Promise<void> {
  const seconds = options.coolDownSeconds ?? SEVERE_COOL_DOWN_SECONDS;
  options.hooks.onCoolDown(seconds);
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    options.signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
