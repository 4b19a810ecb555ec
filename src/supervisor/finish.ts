import * as path from "node:path";
import { writeJsonAtomic } from "../core/atomic-file.ts";
import { errorMessage } from "../core/errors.ts";
import { hasRequiredObservations } from "../evidence/capture-directory.ts";
import { LAYOUT } from "../evidence/layout.ts";
import type { RunRecord } from "../schema/run.ts";
import { type Collected, collect } from "./collect.ts";
import { completenessRecord } from "./completeness.ts";
import { writeContainerLog } from "./container-log.ts";
import { containerRecordOf } from "./container-record.ts";
import type { AgentEnd } from "./follow.ts";
import { judgeEnd } from "./judge.ts";
import { writeMissingObservations } from "./missing-observations.ts";
import { finishedRecord } from "./record.ts";
import type { RunState } from "./run-state.ts";

/**
 * Finishes a capture, whatever state the run is in: stops the sensors, exports the session, judges the end and writes the
 * records. A part that fails is noted and the others still happen.
 */
export async function finishRun(run: RunState, end: AgentEnd, supervisorError?: string): Promise<RunRecord> {
  const collected = await run.timer.measure("collect", () => collect(run));
  return run.timer.measure("write", () => writeEvidence(run, end, collected, supervisorError));
}

function writeEvidence(
  run: RunState,
  end: AgentEnd,
  collected: Collected,
  supervisorError: string | undefined,
): RunRecord {
  const { captureDir, plan } = run;
  const write = (file: string, value: unknown): void => {
    try {
      writeJsonAtomic(path.join(captureDir, file), value);
    } catch (error) {
      collected.problems.push(errorMessage(error));
    }
  };
  collected.classes.push(...writeMissingObservations(captureDir, run.workspaceDir, collected.problems));
  const completeness = completenessRecord(collected.classes, collected.gaps);
  write(LAYOUT.completeness, completeness);
  const opencodeVersion = collected.session?.opencodeVersion ?? null;
  write(LAYOUT.container, containerRecordOf(run, { opencodeVersion, engineInspect: collected.engineInspect }));
  writeContainerLog(run, end, collected);
  const verdict = judgeEnd({
    ...end,
    supervisorError,
    counters: collected.counters,
    outcome: collected.session?.outcome ?? null,
    gatewayFinish: run.gateway?.totals().lastFinishReason ?? null,
    modelUnreachable: run.gateway?.totals().modelUnreachable ?? false,
    limits: { timeoutSeconds: plan.timeoutSeconds, idleSeconds: plan.idleSeconds },
  });
  const record = finishedRecord(run, end, collected, verdict, {
    completeness: completeness.verdict,
    valid: hasRequiredObservations(captureDir),
  });
  writeJsonAtomic(path.join(captureDir, LAYOUT.run), record);
  return record;
}
