import type { Server } from "node:net";
import type { ContainerSpec, PreparedContainer } from "../engine/port.ts";
import type { ModelGateway } from "../gateway/port.ts";
import type { CgroupWatch } from "../sandbox/cgroup.ts";
import type { MeasuredPosture } from "../schema/container.ts";
import type { EventSink } from "../sensors/agent-events/event-sink.ts";
import type { Sensor } from "../sensors/port.ts";
import type { SessionReader } from "../sensors/session-store/session-reader.ts";
import type { AgentOutput } from "./agent-output.ts";
import type { DiskReserve } from "./disk-reserve.ts";
import type { PhaseTimer } from "./phase-timer.ts";
import type { RunHooks, RunPlan } from "./plan.ts";
import type { PrivateDirectory } from "./private-directory.ts";

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
  readonly reserve: DiskReserve;
  spec: ContainerSpec;
  readonly sensors: Sensor[];
  sink: EventSink | undefined;
  gateway: ModelGateway | undefined;
  /** The socket in the container's namespace by which the agent reaches the model. */
  modelListener: Server | undefined;
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
