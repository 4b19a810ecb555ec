import * as fs from "node:fs";
import * as path from "node:path";
import { writeJsonAtomic } from "../core/atomic-file.ts";
import { errorMessage } from "../core/errors.ts";
import { LAYOUT } from "../evidence/layout.ts";
import type { RunRecord } from "../schema/run.ts";
import { cleanUp, discardRun } from "./clean-up.ts";
import { finishRun } from "./finish.ts";
import { type AgentEnd, followRun, killEverything } from "./follow.ts";
import type { RunHooks, RunPlan, RunResult } from "./plan.ts";
import { openRecord } from "./record.ts";
import { openRun, type RunState } from "./run-state.ts";
import { startRun } from "./start.ts";

/**
 * One run, from the plan to the finished capture. Once the agent has begun there is always a capture, whatever happens.
 * `signal` aborts: the capture is finished as `interrupted`.
 * @throws CaptureError when the run could not begin; then nothing of it is left.
 */
export async function runCapture(plan: RunPlan, hooks: RunHooks, signal: AbortSignal): Promise<RunResult> {
  const run = openRun(plan, hooks);
  hooks.onCaptureDirectory?.(run.captureDir);
  writeJsonAtomic(path.join(run.captureDir, LAYOUT.run), openRecord(run));
  try {
    await startRun(run, signal);
  } catch (error) {
    if (!signal.aborted) {
      await discardRun(run);
      throw error;
    }
    return conclude(run, { stoppedBy: "interrupted", exitCode: null, engineError: undefined });
  }
  return agentPhase(run, signal);
}

async function agentPhase(run: RunState, signal: AbortSignal): Promise<RunResult> {
  let end: AgentEnd;
  let supervisorError: string | undefined;
  try {
    end = await run.timer.measure("agent", () => followRun(run, signal));
  } catch (error) {
    supervisorError = errorMessage(error);
    end = { stoppedBy: undefined, exitCode: null, engineError: undefined };
    await killEverything(run).catch(() => {});
  }
  return conclude(run, end, supervisorError);
}

async function conclude(run: RunState, end: AgentEnd, supervisorError?: string): Promise<RunResult> {
  const record = await finishRun(run, end, supervisorError);
  const [derived] = await Promise.all([run.timer.measure("report", () => derive(run, record)), quietCleanUp(run)]);
  return { captureDir: run.captureDir, record: derived };
}

/** Summary and report. Their failure is recorded and leaves the evidence as it is. */
async function derive(run: RunState, record: RunRecord): Promise<RunRecord> {
  try {
    await run.hooks.derive(run.captureDir);
    return record;
  } catch (error) {
    const failed = { ...record, report_error: errorMessage(error) };
    for (const [key, file] of [
      ["summary_path", LAYOUT.summary],
      ["report_path", LAYOUT.report],
    ] as const) {
      if (!fs.existsSync(path.join(run.captureDir, file))) failed[key] = null;
    }
    writeJsonAtomic(path.join(run.captureDir, LAYOUT.run), failed);
    return failed;
  }
}

/** What can't be removed now is found by its label at the next start. */
async function quietCleanUp(run: RunState): Promise<void> {
  await run.timer.measure("clean-up", () => cleanUp(run)).catch(() => {});
}
