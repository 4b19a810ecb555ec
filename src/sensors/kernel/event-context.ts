import type { EventBody } from "../../schema/event.ts";
import type { BootClock } from "./boot-clock.ts";
import type { ProcessKey, RecordHead } from "./record.ts";

/** What makers of events need. */
export interface EventContext {
  readonly clock: BootClock;
  /** @returns the event's number in the file, or undefined when the file had no room for it. */
  emit(body: EventBody): number | undefined;
}

/** `<pid>-<start>`. */
export function processId({ pid, startNs }: ProcessKey): string {
  return `${pid}-${startNs}`;
}

interface KernelHead {
  mono_ns: number;
  time: string;
  source: "kernel";
  process: string;
  tid?: number;
}

/** The keys that every event about a process begins with. */
export function headOf(record: RecordHead, clock: BootClock): KernelHead {
  const head: KernelHead = {
    mono_ns: record.timeNs,
    time: clock.wallTime(record.timeNs),
    source: "kernel",
    process: processId(record.process),
  };
  if (record.tid !== record.process.pid) head.tid = record.tid;
  return head;
}
