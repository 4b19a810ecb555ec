import type { CompletenessLevel } from "../../schema/common.ts";
import { completenessLevel } from "../../schema/common.ts";
import type { CompletenessClass } from "../../schema/observations.ts";
import type { EventWriterStats } from "./event-writer.ts";
import { RECORD_CLASSES, type RecordClass } from "./record.ts";
import type { StartAccount } from "./start-account.ts";

export const KERNEL_SENSOR = "kernel";

/** A time in which no sensor ran. */
export interface Absence {
  from: string;
  /** null: it did not come back. */
  to: string | null;
  reason: string;
}

/** Everything that the statements on completeness are drawn from. */
export interface Books {
  from: string | null;
  to: string;
  /** One for every start of the sensor, in order. */
  starts: readonly StartAccount[];
  absences: readonly Absence[];
  /** Programs that the kernel refused, of any start. */
  refused: readonly string[];
  file: EventWriterStats;
  /** Uses of interfaces whose effects system calls don't show. */
  hidden: { ringOperations: number; compatCalls: number };
  /** Connections over which names can be asked for without being seen, by port. */
  hiddenDns: number;
  /** Connects and datagrams to the port of HTTPS and QUIC: what names stand in them is encrypted. */
  encryptedWeb: number;
  /** Datagrams of DNS that could not be read. */
  malformedDns: number;
  /** TCP connections that the kernel's own statistics of the network namespace have and the events have not. */
  unseenConnects: number;
}

type ClassName = CompletenessClass["class"];

const SOURCES: readonly [ClassName, readonly RecordClass[], string][] = [
  ["process", ["process", "security"], "every fork, exec, exit and change of rights of the container"],
  ["network", ["network"], "every connect, bind, listen, accept and datagram of the container"],
  ["dns", ["network"], "every question sent to port 53 in a datagram, and its answer"],
  ["file-workspace", ["file"], "every file opened for writing and every call that changes a name or an attribute"],
  ["file-outside", ["file"], "every file opened for writing and every call that changes a name or an attribute"],
];

interface Fault {
  level: CompletenessLevel;
  reason: string;
  lost: number | null;
}

/** What the kernel sensor says of each class of events: `complete` only where all books agree that nothing is missing. */
export function statementsOf(books: Books): CompletenessClass[] {
  return SOURCES.map(([name, classes, everything]) => {
    const faults = [...faultsOfSensor(books), ...faultsOfClasses(books, classes), ...faultsOfName(books, name)];
    const level = faults.map((fault) => fault.level).reduce(worse, "complete");
    const unknown = faults.some((fault) => fault.lost === null);
    return {
      class: name,
      level,
      sensor: KERNEL_SENSOR,
      reason:
        (faults.length === 0 ? wholeReason(books, classes, everything) : faults.map((one) => one.reason).join("; ")) +
        noteOn(books, name),
      lost: unknown ? null : faults.reduce((sum, fault) => sum + (fault.lost ?? 0), 0),
      from: books.from,
      to: books.to,
      started_before_agent: true,
    };
  });
}

/** What lies outside of what the class promises, and a reader could take to be in it. */
function noteOn({ encryptedWeb }: Books, name: ClassName): string {
  if (name !== "dns" || encryptedWeb === 0) return "";
  return `; not seen are names inside encrypted traffic: ${encryptedWeb} connects or datagrams went to port 443`;
}

/** For a run in which the sensor never began to see. */
export function absentStatements(reason: string): CompletenessClass[] {
  return SOURCES.map(([name]) => ({
    class: name,
    level: "absent",
    sensor: KERNEL_SENSOR,
    reason,
    lost: null,
    from: null,
    to: null,
    started_before_agent: null,
  }));
}

function worse(a: CompletenessLevel, b: CompletenessLevel): CompletenessLevel {
  const order = completenessLevel.options;
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}

function wholeReason({ starts }: Books, classes: readonly RecordClass[], everything: string): string {
  const received = sum(starts, (start) => sum(classes, (name) => start.received[name]));
  const cut = sum(starts, (start) => start.counters?.pathsTruncated ?? 0);
  const note = cut > 0 ? `; ${cut} long texts are cut and marked` : "";
  return `${everything}: the kernel counted ${received} records and as many arrived, canaries at start and end included${note}`;
}

function faultsOfSensor({ starts, absences, refused, file }: Books): Fault[] {
  const faults: Fault[] = [];
  const unknown = (reason: string, level: CompletenessLevel = "sampled"): void => {
    faults.push({ level, reason, lost: null });
  };
  for (const { from, to, reason } of absences) {
    unknown(
      `the sensor was away from ${from} ${to === null ? "to the end" : `to ${to}`} (${reason}); what happened then is not known`,
    );
  }
  if (starts[0]?.canaries.has("start") !== true) unknown("the canary at the start was not seen");
  const last = starts.at(-1);
  if (last?.canaries.has("end") !== true) unknown("the canary at the end was not seen");
  if (last?.isClosed !== true && absences.every(({ to }) => to !== null))
    unknown("the kernel side's last counters did not come");
  if (refused.length > 0) unknown(`the kernel refused ${refused.join(", ")}`, "lossy");
  const untracked = sum(starts, (start) => start.counters?.untracked ?? 0);
  if (untracked > 0) unknown(`${untracked} processes could not be followed`, "lossy");
  const missedRuns = sum(starts, (start) => start.counters?.missedRuns ?? 0);
  if (missedRuns > 0) {
    const reason = `the kernel left out ${missedRuns} runs of the sensor's programs, each a record or none`;
    faults.push({ level: "lossy", reason, lost: missedRuns });
  }
  if (file.failure !== undefined) unknown(`the events could not all be written: ${file.failure}`, "lossy");
  const faulty = sum(starts, (start) => start.faults);
  if (faulty > 0) faults.push({ level: "lossy", reason: `${faulty} records could not be read`, lost: faulty });
  return faults;
}

function faultsOfClasses({ starts, file }: Books, classes: readonly RecordClass[]): Fault[] {
  const faults: Fault[] = [];
  const missing = sum(starts, (start) => sum(classes, (name) => start.missing(name)));
  if (missing > 0)
    faults.push({ level: "lossy", reason: `${missing} records were lost on the way from the kernel`, lost: missing });
  // Of a hole it is not known which class it belongs to.
  const unexplained = sum(starts, (start) => start.missingInAll - sum(RECORD_CLASSES, (name) => start.missing(name)));
  if (unexplained > 0) {
    const reason = `${unexplained} numbers of records are missing that no counter explains`;
    faults.push({ level: "lossy", reason, lost: unexplained });
  }
  const dropped = sum(classes, (name) => file.dropped[name]);
  if (dropped > 0) {
    faults.push({ level: "lossy", reason: `${dropped} events are beyond the limit of the events file`, lost: dropped });
  }
  return faults;
}

function faultsOfName(books: Books, name: ClassName): Fault[] {
  const { hidden, hiddenDns, malformedDns, unseenConnects } = books;
  const faults: Fault[] = [];
  const add = (count: number, reason: string): void => {
    if (count > 0) faults.push({ level: "lossy", reason: `${count} ${reason}`, lost: null });
  };
  add(hidden.compatCalls, "32-bit system calls were made, whose effects are not seen");
  if (name !== "process")
    add(hidden.ringOperations, "operations of io_uring were submitted, whose effects are not seen");
  // Records that are known to be lost may be those of these very connections.
  const unexplained = unseenConnects - sum(books.starts, (start) => start.missing("network"));
  if (name === "network" && unexplained > 0) {
    const reason = `the kernel's statistics have ${unseenConnects} TCP connections that no event tells of`;
    faults.push({ level: "lossy", reason, lost: unexplained });
  }
  if (name === "dns") {
    add(hiddenDns, "connections were made to ports 53 and 853, in which names are asked for unseen");
    add(malformedDns, "datagrams to or from port 53 are no messages that can be read; they stand among the events");
  }
  return faults;
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
