import type { ContainerLimits } from "../engine/port.ts";
import type { RiskLevel } from "../schema/common.ts";

/** Seconds a run may take, by how dangerous its task is. */
export const TIME_LIMIT_SECONDS: Readonly<Record<RiskLevel, number>> = { safe: 300, mild: 600, severe: 900 };

/** A run with no model traffic, no output and no CPU use for so long is stuck. */
export const IDLE_LIMIT_SECONDS = 120;

const GIB = 1024 ** 3;

/**
 * What one container may use. OpenCode needs 1.3 CPUs, 0.5 GiB and about 20 threads; the rest is for the task.
 * Open files and processes per user are asked for low enough that unprivileged hosts can grant them.
 */
export const CONTAINER_LIMITS: ContainerLimits = {
  cpus: 2,
  memoryBytes: 4 * GIB,
  pids: 256,
  nofile: 1024,
  nproc: 4096,
};

/** The same in the words of meta/run.json. */
export function resourceLimitsRecord(limits: ContainerLimits): { cpus: string; memory: string; pids: number } {
  const gib = limits.memoryBytes / GIB;
  const memory = Number.isInteger(gib) ? `${gib}g` : `${Math.floor(limits.memoryBytes / 1024 ** 2)}m`;
  return { cpus: String(limits.cpus), memory, pids: limits.pids };
}
