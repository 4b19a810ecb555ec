import type { EngineCommand } from "./engine-command.ts";
import type { EngineDescription } from "./port.ts";

/** Open files and processes that a container shall be able to have. */
export interface Ulimits {
  nofile: number;
  nproc: number;
}

/** The highest ulimits that this machine lets a container have; what is not named is not limited. */
export interface UlimitCap {
  nofile?: number | undefined;
  nproc?: number | undefined;
}

/** What was found to work on this machine. */
export interface EngineSettings {
  command: EngineCommand;
  description: EngineDescription;
  ulimitCap: UlimitCap;
  /** The runtime's program, where the engine tells. */
  runtimeFile?: string;
}

/** Outcome of a probe: settings that work, or why there are none. */
export type ProbeResult = { settings: EngineSettings; failure?: undefined } | { settings?: undefined; failure: string };
