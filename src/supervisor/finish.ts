import * as path from "node:path";
import { isDiskFull, writeJsonAtomic } from "../core/atomic-file.ts";
import { isoNow } from "../core/clock.ts";
import { errorMessage } from "../core/errors.ts";
import { hasRequiredObservations } from "../evidence/capture-directory.ts";
import { LAYOUT } from "../evidence/layout.ts";
import type { CompletenessClass, Gap } from "../schema/observations.ts";
import type { RunRecord } from "../schema/run.ts";
import { makeRoom } from "./clean-up.ts";
import { clockGap } from "./clock-gap.ts";
import { type Collected, collect } from "./collect.ts";
import { completenessRecord } from "./completeness.ts";
import { writeContainerLog } from "./container-log.ts";
import { containerRecordOf } from "./container-record.ts";
import type { AgentEnd } from "./follow.ts";
import { judgeEnd, type Verdict } from "./judge.ts";
import { writeMissingObservations } from "./missing-observations.ts";
import { finishedRecord } from "./record.ts";
import { runLimits } from "./run-limits.ts";
import type { RunState } from "./run-state.ts";

/**
 * Finishes a capture, whatever state the run is in: stops the sensors, exports the session, judges the end and writes the
 * records. A part that fails is noted and the others still happen.
 * @throws CaptureError `disk-full` or `write-failed` when meta/run.json itself can't be written.
 */
export async function finishRun(run: RunState, end: AgentEnd, supervisorError?: string): Promise<RunRecord> {
  run.reserve.release("observations");
  const collected = await run.timer.measure("collect", () => collect(run));
  return run.timer.measure("write", () => writeEvidence(run, end, collected, supervisorError));
}

async function writeEvidence(
  run: RunState,
  end: AgentEnd,
  collected: Collected,
  supervisorError: string | undefined,
): Promise<RunRecord> {
  const { captureDir } = run;
  const writer = new RecordWriter(run, collected);
  await writer.attempt(LAYOUT.containerLog, () => writeContainerLog(run, end, collected));
  run.reserve.release("records");
  await writer.attempt("observations", () => {
    const problems: string[] = [];
    stateAbsent(collected, writeMissingObservations(captureDir, run.workspaceDir, problems));
    if (problems.length > 0 && !hasRequiredObservations(captureDir)) throw new Error(problems.join("; "));
  });
  await writer.attempt(LAYOUT.container, () => {
    const atTheEnd = {
      opencodeVersion: collected.session?.opencodeVersion ?? null,
      engineInspect: collected.engineInspect,
    };
    writeJsonAtomic(path.join(captureDir, LAYOUT.container), containerRecordOf(run, atTheEnd));
  });
  const jump = clockGap(run);
  if (jump !== undefined) collected.gaps.push(jump);
  const stopped = stopGap(run, end);
  if (stopped !== undefined) collected.gaps.push(stopped);
  const completeness = completenessRecord(collected.classes, collected.gaps);
  const stated = await writer.attempt(LAYOUT.completeness, () =>
    writeJsonAtomic(path.join(captureDir, LAYOUT.completeness), completeness),
  );
  const record = finishedRecord(run, end, collected, verdictOf(run, end, collected, supervisorError), {
    completeness: stated ? completeness.verdict : "absent",
    valid: hasRequiredObservations(captureDir),
  });
  if (!stated)
    record.end_detail = `${record.end_detail} What could not be seen is not on record: ${writer.lastFailure}`;
  await writer.withRoom(() => writeJsonAtomic(path.join(captureDir, LAYOUT.run), record));
  return record;
}

function verdictOf(run: RunState, end: AgentEnd, collected: Collected, supervisorError: string | undefined): Verdict {
  const { plan, gateway } = run;
  const limits = runLimits(plan.limits);
  return judgeEnd({
    ...end,
    supervisorError,
    counters: collected.counters,
    outcome: collected.session?.outcome ?? null,
    gatewayFinish: gateway?.totals().lastFinishReason ?? null,
    modelLimitReached: gateway?.totals().limitReached ?? null,
    modelUnreachable: gateway?.totals().modelUnreachable ?? null,
    limits: {
      timeoutSeconds: plan.timeoutSeconds,
      idleSeconds: plan.idleSeconds,
      diskReserveBytes: limits.disk_reserve,
      agentFilesBytes: limits.agent_files,
    },
  });
}

/** What a run that we had to stop for want of something can't show. */
function stopGap(run: RunState, end: AgentEnd): Gap | undefined {
  const gap = (name: string, reason: string): Gap => ({ class: name, from: run.exitedAt, to: null, reason });
  if (end.stoppedBy === "disk-full")
    return gap(
      "all",
      "the disk of the captures was nearly full, so the run was stopped: what came last may be missing",
    );
  if (end.stoppedBy === "model-lost")
    return gap("model", "the socket of the model was closed: what the agent tried to send last is not on record");
  return undefined;
}

/** Unless a sensor has said it itself. */
function stateAbsent(collected: Collected, absent: readonly CompletenessClass[]): void {
  const known = new Set(collected.classes.filter(({ level }) => level === "absent").map((entry) => entry.class));
  collected.classes.push(...absent.filter((entry) => !known.has(entry.class)));
}

/** Writes records one after the other; what can't be written is noted as a gap. Frees the agent's files when the disk is full. */
class RecordWriter {
  readonly #run: RunState;
  readonly #collected: Collected;
  #roomMade = false;
  lastFailure = "";

  constructor(run: RunState, collected: Collected) {
    this.#run = run;
    this.#collected = collected;
  }

  /** @returns whether it was written. */
  async attempt(what: string, write: () => void): Promise<boolean> {
    try {
      await this.withRoom(write);
      return true;
    } catch (error) {
      this.lastFailure = errorMessage(error);
      this.#collected.problems.push(this.lastFailure);
      this.#collected.gaps.push({ class: what, from: null, to: isoNow(), reason: this.lastFailure });
      return false;
    }
  }

  /** Tries twice on a full disk: the second time without what the agent has written, which was compared by now. */
  async withRoom(write: () => void): Promise<void> {
    try {
      write();
    } catch (error) {
      if (!isDiskFull(error) || this.#roomMade) throw error;
      this.#roomMade = true;
      await makeRoom(this.#run);
      write();
    }
  }
}
