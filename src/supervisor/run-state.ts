import { randomBytes } from "node:crypto";
import * as path from "node:path";
import { formatIdentity, ownIdentity } from "../core/process-identity.ts";
import type { ContainerSpec, PreparedContainer } from "../engine/port.ts";
import { createCaptureDirectory } from "../evidence/capture-directory.ts";
import { LAYOUT } from "../evidence/layout.ts";
import type { ModelGateway } from "../gateway/port.ts";
import { writeNameFiles } from "../sandbox/agent-config.ts";
import type { CgroupWatch } from "../sandbox/cgroup.ts";
import { buildContainerSpec } from "../sandbox/container-spec.ts";
import type { MeasuredPosture } from "../schema/container.ts";
import { EVENTS_PIPE_NAME, type EventSink } from "../sensors/agent-events/event-sink.ts";
import type { Sensor } from "../sensors/port.ts";
import type { SessionReader } from "../sensors/session-store/session-reader.ts";
import type { AgentOutput } from "./agent-output.ts";
import { PhaseTimer } from "./phase-timer.ts";
import type { RunHooks, RunPlan } from "./plan.ts";
import { createPrivateDirectory, type PrivateDirectory } from "./private-directory.ts";

/** What one run has made so far. Parts are undefined until they exist; finishing takes whatever is there. */
export interface RunState {
  readonly plan: RunPlan;
  readonly hooks: RunHooks;
  readonly timer: PhaseTimer;
  readonly runId: string;
  readonly startedAt: Date;
  readonly captureDir: string;
  readonly workspaceDir: string;
  readonly privateDir: PrivateDirectory;
  readonly spec: ContainerSpec;
  readonly sensors: Sensor[];
  sink: EventSink | undefined;
  gateway: ModelGateway | undefined;
  output: AgentOutput | undefined;
  container: PreparedContainer | undefined;
  cgroup: CgroupWatch | undefined;
  posture: MeasuredPosture | undefined;
  /** Started while the agent works: its start takes longer than its work. */
  sessionReader: SessionReader | undefined;
  createdAt: string | null;
  agentStartedAt: string | null;
  exitedAt: string | null;
}

/** Makes the capture directory and the run's private directory. From here on there is something to finish or to discard. */
export function openRun(plan: RunPlan, hooks: RunHooks): RunState {
  const startedAt = new Date();
  const runId = `capture-${randomBytes(6).toString("hex")}`;
  const captureDir = createCaptureDirectory(plan.captureRoot, startedAt, plan.issue.id);
  const privateDir = createPrivateDirectory(plan.captureRoot, {
    run_id: runId,
    capture_dir: captureDir,
    container_name: `opencode-capture-${runId.replace(/^capture-/, "")}`,
    engine_bin: plan.engine.description.bin,
  });
  const workspaceDir = path.join(captureDir, LAYOUT.workspace);
  return {
    plan,
    hooks,
    timer: new PhaseTimer(hooks.onPhase),
    runId,
    startedAt,
    captureDir,
    workspaceDir,
    privateDir,
    spec: specFor(plan, runId, workspaceDir, privateDir),
    sensors: [],
    sink: undefined,
    gateway: undefined,
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
    hostDirs: { workspace, home: dirs.home, tmp: dirs.tmp, pipes: dirs.pipes, config: dirs.config },
  });
}
