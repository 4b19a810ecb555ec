import type { ContainerEngine, ImageInfo } from "../engine/port.ts";
import type { ModelGateway } from "../gateway/port.ts";
import type { AgentInstructions } from "../sandbox/agent-config.ts";
import type { Issue } from "../schema/issue.ts";
import type { RunRecord } from "../schema/run.ts";
import type { StartSource } from "../sensors/kernel/source.ts";
import type { RunLimits } from "./run-limits.ts";

/** Everything that is decided before a run begins. Made by the command line, checked before a capture directory exists. */
export interface RunPlan {
  issue: Issue;
  prompt: string;
  projectDir: string;
  captureRoot: string;
  keepWorkspace: boolean;
  engine: ContainerEngine;
  image: ImageInfo;
  imageRef: string;
  opencodeBin: string;
  timeoutSeconds: number;
  idleSeconds: number;
  /** Set anew when the sensor that was planned can't be used after all. */
  sensor: RunRecord["sensor"];
  /** The last self-test on this machine. */
  selftest?: RunRecord["selftest"];
  /** Starts processes of the kernel sensor; undefined: it is not to be used. */
  kernelSensor?: StartSource | undefined;
  /** The listener for calls that the container's seccomp profile notifies; undefined: it is not to be used. */
  seccompListener?: { program: string } | undefined;
  /** The second witness of files; `state` is set once it is known whether it runs. Undefined: there is to be none. */
  fileWitness?: { program: string; state?: RunRecord["file_witness"] } | undefined;
  /** The second witness of the network; as `fileWitness`. */
  packetWitness?: { program: string; state?: RunRecord["packet_witness"] } | undefined;
  sensitivePatterns: readonly string[];
  /** The plugin that is loaded, or undefined to run without (native events are then `missing`). */
  pluginFile: string | undefined;
  seccompProfile: string;
  /** What OpenCode reads beside our own configuration; undefined: nothing. */
  instructions?: (AgentInstructions & { ownConfigFile: string | null; ownConfigSha256: string | null }) | undefined;
  toolVersion: string;
  settings: Record<string, unknown>;
  /** Limits that differ from the defaults (run-limits.ts). */
  limits?: Partial<RunLimits>;
  /** Makes the gateway to the chosen model; it records into the capture. */
  createGateway(captureDir: string): Promise<ModelGateway>;
}

export interface RunHooks {
  /** A phase began; for progress. */
  onPhase?: (name: string) => void;
  /** The capture directory exists. */
  onCaptureDirectory?: (dir: string) => void;
  /** Makes summary and report once the evidence is complete. */
  derive: (captureDir: string) => Promise<void>;
}

export interface RunResult {
  captureDir: string;
  record: RunRecord;
}
