import type { CompletenessClass, Gap } from "../schema/observations.ts";

/** The container that a sensor is to watch: its namespaces exist, its program has not run one instruction. */
export interface SensorTarget {
  /** First process of the container, pid on the host. */
  pid: number;
  containerId: string;
  /** Directories of the container's control group on the host, by controller; `unified` for cgroup v2. */
  cgroupDirs: Readonly<Record<string, string>>;
}

/** What a sensor says of itself at its end. */
export interface SensorReport {
  completeness: CompletenessClass[];
  gaps: Gap[];
}

/**
 * One way to observe a run. Order of calls: `prepare` (before the container exists), `attach` (before the container's
 * first instruction; resolves when the sensor sees), `stop` (after the container's last process is dead).
 * `stop` is called on every ending, also when `attach` never was or failed, and writes the sensor's files through the
 * evidence writer. A sensor that fails in the middle must not throw from `stop`: it reports a gap.
 */
export interface Sensor {
  readonly name: string;
  /** Seccomp profile that the container must be made with, from `prepare` on; undefined: the usual one. */
  readonly seccompProfile?: string | undefined;
  prepare(): Promise<void>;
  attach(target: SensorTarget): Promise<void>;
  stop(): Promise<SensorReport>;
}
