import * as fs from "node:fs";
import * as path from "node:path";
import { isDiskFull, writeError, writeJsonAtomic } from "../core/atomic-file.ts";
import { CaptureError, errnoOf, errorMessage } from "../core/errors.ts";
import { LAYOUT } from "../evidence/layout.ts";
import type { RunRecord } from "../schema/run.ts";
import { cleanUp, discardRun, forgetRun, makeRoom } from "./clean-up.ts";
import { checkRoom } from "./disk-room.ts";
import { finishRun } from "./finish.ts";
import { type AgentEnd, followRun, killEverything } from "./follow.ts";
import { openRun } from "./open-run.ts";
import type { RunHooks, RunPlan, RunResult } from "./plan.ts";
import { runLimits } from "./run-limits.ts";
import type { RunState } from "./run-state.ts";
import { startRun } from "./start.ts";

/** The two parts of a run that need a container. Tests of the disk's faults put a recorded run in their place. */
export interface RunPhases {
  start(run: RunState, signal: AbortSignal): Promise<void>;
  follow(run: RunState, signal: AbortSignal): Promise<AgentEnd>;
}

const REAL_PHASES: RunPhases = { start: startRun, follow: followRun };

/**
 * One run, from the plan to the finished capture. Once the agent has begun there is always a capture, whatever happens.
 * `signal` aborts: the capture is finished as `interrupted`.
 * @throws CaptureError when the run could not begin, and then nothing of it is left; or when the end of a capture could not
 * be written, and then the next start finishes it.
 */
export async function runCapture(
  plan: RunPlan,
  hooks: RunHooks,
  signal: AbortSignal,
  phases = REAL_PHASES,
): Promise<RunResult> {
  if (plan.limits !== undefined) checkRoom(plan.captureRoot, runLimits(plan.limits));
  const run = open(plan, hooks);
  hooks.onCaptureDirectory?.(run.captureDir);
  try {
    await phases.start(run, signal);
  } catch (error) {
    if (!signal.aborted) {
      await discardQuietly(run);
      throw inWords(error, plan.captureRoot);
    }
    return conclude(run, { stoppedBy: "interrupted", exitCode: null, engineError: undefined });
  }
  return agentPhase(run, signal, phases);
}

function open(plan: RunPlan, hooks: RunHooks): RunState {
  try {
    return openRun(plan, hooks);
  } catch (error) {
    throw inWords(error, plan.captureRoot);
  }
}

/** What the system says of a disk is an error of the disk, not of this program. */
function inWords(error: unknown, captureRoot: string): unknown {
  if (isDiskFull(error)) {
    const message = `the run could not begin, the disk of ${captureRoot} is full: ${errorMessage(error)}`;
    const hint = "free some space there, or name a directory on another disk with --capture-root DIR";
    return new CaptureError("disk-full", message, { cause: error, hint });
  }
  if (error instanceof CaptureError || !["EIO", "EROFS"].includes(errnoOf(error) ?? "")) return error;
  return writeError(captureRoot, error);
}

/** The error that is the reason is the one to tell; what can't be removed now is found by the next start. */
async function discardQuietly(run: RunState): Promise<void> {
  await discardRun(run).catch(() => {});
}

async function agentPhase(run: RunState, signal: AbortSignal, phases: RunPhases): Promise<RunResult> {
  let end: AgentEnd;
  let supervisorError: string | undefined;
  try {
    end = await run.timer.measure("agent", () => phases.follow(run, signal));
  } catch (error) {
    supervisorError = errorMessage(error);
    end = { stoppedBy: undefined, exitCode: null, engineError: undefined };
    await killEverything(run).catch(() => {});
  }
  return conclude(run, end, supervisorError);
}

async function conclude(run: RunState, end: AgentEnd, supervisorError?: string): Promise<RunResult> {
  const record = await finishOrLeave(run, end, supervisorError);
  const cleaned = run.timer
    .measure("clean-up", () => cleanUp(run))
    .then(
      () => true,
      () => false,
    );
  const derived = await run.timer.measure("report", () => derive(run, record, cleaned));
  if ((await cleaned) && derived.isOnRecord) await forgetRun(run).catch(() => {});
  return { captureDir: run.captureDir, record: derived.record };
}

/** A capture whose end can't be written stays marked as unfinished, so that the next start finishes it. */
async function finishOrLeave(run: RunState, end: AgentEnd, supervisorError: string | undefined): Promise<RunRecord> {
  try {
    return await finishRun(run, end, supervisorError);
  } catch (error) {
    await makeRoom(run);
    if (run.container !== undefined) await run.plan.engine.removeContainer(run.container.id).catch(() => {});
    if (!(error instanceof CaptureError)) throw error;
    const message = `the end of ${run.captureDir} could not be written: ${error.message}`;
    throw new CaptureError(error.code, message, {
      cause: error,
      hint: "what was recorded until then is kept; mend the disk, and the next run with this capture root finishes it",
    });
  }
}

interface Derived {
  record: RunRecord;
  /** False: there is no report, and the record could not be made to say so. The next start makes it. */
  isOnRecord: boolean;
}

/** Summary and report. Their failure is recorded and leaves the evidence as it is. */
async function derive(run: RunState, record: RunRecord, cleaned: Promise<unknown>): Promise<Derived> {
  try {
    await deriveWithRoom(run, cleaned);
    return { record, isOnRecord: true };
  } catch (error) {
    const failed = { ...record, report_error: errorMessage(error) };
    for (const [key, file] of [
      ["summary_path", LAYOUT.summary],
      ["report_path", LAYOUT.report],
    ] as const) {
      if (!fs.existsSync(path.join(run.captureDir, file))) failed[key] = null;
    }
    try {
      writeJsonAtomic(path.join(run.captureDir, LAYOUT.run), failed);
      return { record: failed, isOnRecord: true };
    } catch {
      return { record: failed, isOnRecord: false };
    }
  }
}

/** Clean-up may free what the report needs. */
async function deriveWithRoom(run: RunState, cleaned: Promise<unknown>): Promise<void> {
  try {
    await run.hooks.derive(run.captureDir);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    await cleaned;
    await makeRoom(run);
    await run.hooks.derive(run.captureDir);
  }
}
