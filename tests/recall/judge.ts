import type { CaptureEvent } from "../../src/schema/event.ts";
import type { CaseContext, RecallCase } from "./expect.ts";
import { times } from "./expect.ts";
import type { Fact } from "./fact.ts";
import { eventsBelow, FACT_CLASSES, factsBelow, type ObservedProcesses } from "./observed.ts";

/** What a capture says of one call of one case, against what the call did. */
export interface Judgement {
  expected: number;
  /** Expected facts that the capture has. */
  seen: number;
  /** Expected facts that it does not have. */
  missing: Fact[];
  /** Facts that it has and that did not happen. */
  phantom: Fact[];
  /** The events of the call that make a fact. */
  eventsOf: (one: Fact) => CaptureEvent[];
}

/** Judges one call of a case from the capture's events alone. */
export function judgeCase(entry: RecallCase, context: CaseContext, processes: ObservedProcesses): Judgement {
  const expected = [...(entry.once?.(context) ?? []), ...times(context.n, (i) => entry.each?.(i, context) ?? [])];
  const roots = processes.withArgument(context.tag);
  const classes = entry.classes ?? FACT_CLASSES;
  const observed = roots
    .flatMap((root) => factsBelow(processes, root, classes))
    .filter((one) => entry.open?.(one) !== true);
  const missing = without(expected, observed);
  // The program itself counts too: a case that makes no facts of its own is not seen without it.
  if (roots.length === 0) missing.unshift(`the program with the argument ${context.tag}`);
  const phantom = without(observed, expected);
  const seen = expected.length + 1 - missing.length;
  const eventsOf = (one: Fact): CaptureEvent[] => roots.flatMap((root) => eventsBelow(processes, root, one));
  return { expected: expected.length + 1, seen, missing, phantom, eventsOf };
}

/** `from` without one of each of `taken`, as often as it stands there. */
function without(from: readonly Fact[], taken: readonly Fact[]): Fact[] {
  const left = new Map<Fact, number>();
  for (const entry of taken) left.set(entry, (left.get(entry) ?? 0) + 1);
  return from.filter((entry) => {
    const count = left.get(entry) ?? 0;
    left.set(entry, count - 1);
    return count <= 0;
  });
}

/** Records that the capture itself says are missing, over all starts of the sensor. */
export function reportedLoss(events: readonly CaptureEvent[]): number {
  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);
  let lost = 0;
  for (const event of events) {
    if (event.kind === "sensor.counters") lost += sum(event.emitted) - sum(event.received);
  }
  return lost;
}

/** Events whose number or time goes back: the order of the file is the order of things. */
export function disorder(events: readonly CaptureEvent[]): string[] {
  const faults: string[] = [];
  for (const [index, event] of events.entries()) {
    if (event.seq !== index) faults.push(`line ${index} has the number ${event.seq}`);
  }
  return faults;
}

const MOST_SHOWN = 6;

/** The first few of many, one a line, for a failing test; of what did not happen the very events too. */
export function shown(judgement: Judgement): string {
  const list = (title: string, facts: readonly Fact[]): string[] => [
    ...(facts.length > 0 ? [`${title} (${facts.length}):`] : []),
    ...facts.slice(0, MOST_SHOWN).map((entry) => `  ${entry.slice(0, 500)}`),
  ];
  const { expected, seen, missing, phantom } = judgement;
  const events = phantom.slice(0, MOST_SHOWN).flatMap((entry) => judgement.eventsOf(entry));
  const told = events.map((event) => `  ${JSON.stringify(event).slice(0, 600)}`);
  const phantoms = [...list("phantom", phantom), ...(told.length > 0 ? ["events like these:", ...told] : [])];
  return [`${seen} of ${expected} seen`, ...list("missing", missing), ...phantoms].join("\n");
}
