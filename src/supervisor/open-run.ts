import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { writeJsonAtomic } from "../core/atomic-file.ts";
import { formatIdentity, ownIdentity } from "../core/process-identity.ts";
import type { ContainerSpec } from "../engine/port.ts";
import { ensureCaptureRoot } from "../evidence/capture-directory.ts";
import { LAYOUT } from "../evidence/layout.ts";
import { makeCaptureDirectories, publishCapture } from "../evidence/publish-capture.ts";
import { writeNameFiles } from "../sandbox/agent-config.ts";
import { buildContainerSpec } from "../sandbox/container-spec.ts";
import { EVENTS_PIPE_NAME } from "../sensors/agent-events/event-sink.ts";
import { DiskReserve } from "./disk-reserve.ts";
import { PhaseTimer } from "./phase-timer.ts";
import type { RunHooks, RunPlan } from "./plan.ts";
import { createPrivateDirectory, type PrivateDirectory, writeOwner } from "./private-directory.ts";
import { openRecord } from "./record.ts";
import type { RunState } from "./run-state.ts";

/**
 * Makes the run's private directory and its capture, which appears under its name with its record in it. From here on
 * there is something to finish or to discard. Throws what went wrong; then nothing is left.
 */
export function openRun(plan: RunPlan, hooks: RunHooks): RunState {
  ensureCaptureRoot(plan.captureRoot);
  const startedAt = new Date();
  const runId = `capture-${randomBytes(6).toString("hex")}`;
  const owner = {
    run_id: runId,
    container_name: `opencode-capture-${runId.replace(/^capture-/, "")}`,
    engine_bin: plan.engine.description.bin,
  };
  const privateDir = createPrivateDirectory(plan.captureRoot, { ...owner, capture_dir: null });
  try {
    const reserve = DiskReserve.create(privateDir.dir);
    const staged = path.join(privateDir.dir, "capture");
    makeCaptureDirectories(staged);
    writeJsonAtomic(path.join(staged, LAYOUT.issue), plan.issue);
    const base = { plan, hooks, timer: new PhaseTimer(hooks.onPhase), runId, startedAt, privateDir, reserve };
    let run: RunState | undefined;
    publishCapture(staged, { root: plan.captureRoot, startedAt, issueId: plan.issue.id }, (captureDir) => {
      run = newRun(base, captureDir);
      writeJsonAtomic(path.join(staged, LAYOUT.run), openRecord(run));
      writeOwner(privateDir.dir, { ...owner, capture_dir: captureDir });
    });
    if (run === undefined) throw new Error("a capture without a name");
    return run;
  } catch (error) {
    // Nobody else has written here yet.
    fs.rmSync(privateDir.dir, { recursive: true, force: true });
    throw error;
  }
}

type RunBase = Pick<RunState, "plan" | "hooks" | "timer" | "runId" | "startedAt" | "privateDir" | "reserve">;

function newRun(base: RunBase, captureDir: string): RunState {
  const workspaceDir = path.join(captureDir, LAYOUT.workspace);
  return {
    ...base,
    captureDir,
    workspaceDir,
    spec: specFor(base.plan, base.runId, workspaceDir, base.privateDir),
    sensors: [],
    sink: undefined,
    gateway: undefined,
    modelListener: undefined,
    output: undefined,
    container: undefined,
    cgroup: undefined,
    posture: undefined,
    sessionReader: undefined,
    createdAt: null,
    agentStartedAt: null,
    exitedAt: null,
  };
}

function specFor(plan: RunPlan, runId: string, workspace: string, dirs: PrivateDirectory): ContainerSpec {
  return buildContainerSpec({
    runId,
    owner: formatIdentity(ownIdentity()),
    issue: plan.issue,
    imageRef: plan.imageRef,
    opencodeBin: plan.opencodeBin,
    seccompProfile: plan.seccompProfile,
    eventsPipeName: EVENTS_PIPE_NAME,
    nameFiles: writeNameFiles(dirs.dir),
    instructions: plan.instructions,
    hostDirs: { workspace, home: dirs.home, tmp: dirs.tmp, pipes: dirs.pipes, config: dirs.config },
  });
}
