import type { KernelRecord, ReadyRecord } from "./record.ts";

/** What a running sensor process tells. */
export interface SourceEvents {
  /** Records in the order in which they came. The array and the buffers in it belong to the receiver. */
  onRecords(records: readonly KernelRecord[]): void;
  /** The process ended though nobody had asked it to. Called once, after its last records. */
  onDeath(reason: string): void;
}

/** How the process ended that was asked to. */
export interface SourceEnd {
  /** Frames that were no valid record; each is one event that is missing. */
  faults: number;
  /** Why it did not end in order; undefined when it did. */
  failure: string | undefined;
}

/** One sensor process: it sees what the processes do that it is told to watch, and their descendants. */
export interface KernelSource {
  /** Pid of the sensor process. */
  readonly pid: number;
  readonly ready: ReadyRecord;
  /** Resolves when the process, and all below its pid namespace, are watched. */
  watch(pid: number): Promise<void>;
  /** Frames so far that were no valid record. */
  readonly faults: number;
  /** Asks it to send what it has and to end; resolves after its last record. Never rejects. */
  stop(): Promise<SourceEnd>;
}

/** Starts a sensor process; resolves when it sees. Throws CaptureError `sensor-unavailable` when it can't be used here. */
export type StartSource = (events: SourceEvents) => Promise<KernelSource>;
