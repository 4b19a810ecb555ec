import type { CaptureEvent } from "../schema/event.ts";
import type { Summary } from "../schema/summary.ts";

type EventCounts = NonNullable<Summary["counts"]["events"]>;

/** Most hosts and names that are told apart; what comes after them is still counted as events. */
const MAX_DISTINCT = 10_000;

/** Counts the events of a capture. */
export class EventTally {
  readonly #byKind = new Map<string, number>();
  readonly #hosts = new Set<string>();
  readonly #names = new Set<string>();
  #total = 0;

  add(event: CaptureEvent): void {
    this.#total++;
    this.#byKind.set(event.kind, (this.#byKind.get(event.kind) ?? 0) + 1);
    if (event.kind === "net.connect" || event.kind === "net.datagram") {
      if (event.role === "external") keep(this.#hosts, event.remote.replace(/:\d+$/, ""));
    }
    if (event.kind === "net.dns-query") for (const { name } of event.questions) keep(this.#names, name.toLowerCase());
  }

  /** Undefined when there was not one: the capture has no such file. */
  counts(): EventCounts | undefined {
    if (this.#total === 0) return undefined;
    return {
      total: this.#total,
      by_kind: Object.fromEntries(this.#byKind),
      commands: this.#byKind.get("process.exec") ?? 0,
      hosts: this.#hosts.size,
      names: this.#names.size,
    };
  }
}

function keep(set: Set<string>, value: string): void {
  if (set.size < MAX_DISTINCT) set.add(value);
}
