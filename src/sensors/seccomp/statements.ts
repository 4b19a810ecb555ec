import type { CompletenessLevel } from "../../schema/common.ts";
import type { CompletenessClass } from "../../schema/observations.ts";
import type { EventWriterStats } from "../kernel/event-writer.ts";
import type { EndLine } from "./line.ts";

export const SECCOMP_SENSOR = "seccomp";

/** Everything that the statements on completeness are drawn from. */
export interface ListenerBooks {
  from: string;
  to: string;
  /** What the listener said at its end; undefined: it did not come to that. */
  end: EndLine | undefined;
  /** Lines that came. */
  received: number;
  /** Lines that could not be read. */
  faults: number;
  /** How often the listener was replaced. */
  replaced: number;
  file: EventWriterStats;
  /** TCP connections that the kernel's statistics have and the events have not. */
  unseenConnects: number;
  lookEveryMs: number;
}

type ClassName = CompletenessClass["class"];

const FILES =
  "opens for writing and calls on names are seen when they are asked for; not seen are their results, reads, closes, sizes, " +
  "shared mappings, attributes and what is done through a descriptor that is open already";

const CLASSES: readonly [ClassName, CompletenessLevel, string][] = [
  ["process", "sampled", "every exec is seen when it is asked for, without its result; forks and exits are looked up"],
  [
    "network",
    "lossy",
    "connect and bind are seen when they are asked for, without their result; not seen are accepted connections, datagrams, bytes and ends",
  ],
  ["dns", "absent", "datagrams are not seen by this sensor, nor the names in them"],
  ["file-workspace", "lossy", FILES],
  ["file-outside", "lossy", FILES],
];

/** What the seccomp layer says of each class: never `complete`, as a call's arguments can change after they were read. */
export function listenerStatements(books: ListenerBooks): CompletenessClass[] {
  const faults = faultsOf(books);
  return CLASSES.map(([name, level, what]) => {
    const worst = books.end === undefined && level === "lossy" ? "sampled" : level;
    const reasons = [what];
    if (level !== "absent") reasons.push("another thread could change the arguments after they were read", ...faults);
    if (name === "process") reasons.push(`looks come every ${books.lookEveryMs} ms`);
    if (name === "network" && books.unseenConnects > 0) {
      reasons.push(`the kernel's statistics have ${books.unseenConnects} TCP connections that no event tells of`);
    }
    return statement(name, worst, reasons.join("; "), books);
  });
}

/** For a run that the listener never began to see. */
export function absentListenerStatements(reason: string): CompletenessClass[] {
  return CLASSES.map(([name]) => statement(name, "absent", reason, undefined));
}

function faultsOf({ end, received, faults, replaced, file }: ListenerBooks): string[] {
  const reasons: string[] = [];
  const add = (count: number, what: string): void => {
    if (count > 0) reasons.push(`${count} ${what}`);
  };
  add(replaced, "times the listener had to be replaced, while the calls waited");
  add(faults, "lines could not be read");
  if (end === undefined) reasons.push("the listener ended before the container: calls that it was asked about failed");
  else {
    add(end.blind, "calls were let go without a look");
    add(end.dropped, "calls found no room on their way here");
    add(Math.max(0, end.lines - received), "lines did not arrive");
  }
  add(
    file.dropped.process + file.dropped.file + file.dropped.network,
    "events are beyond the limit of the events file",
  );
  if (file.failure !== undefined) reasons.push(`the events could not all be written: ${file.failure}`);
  return reasons;
}

function statement(
  name: ClassName,
  level: CompletenessLevel,
  reason: string,
  books: Pick<ListenerBooks, "from" | "to"> | undefined,
): CompletenessClass {
  return {
    class: name,
    level,
    sensor: SECCOMP_SENSOR,
    reason,
    lost: null,
    from: books?.from ?? null,
    to: books?.to ?? null,
    started_before_agent: books === undefined ? null : true,
  };
}
