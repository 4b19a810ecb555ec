import { BoundedFile } from "../../core/bounded-file.ts";
import type { EventBody } from "../../schema/event.ts";

/** Most bytes of observations/events.jsonl: about two million events. */
const EVENTS_LIMIT_BYTES = 512 << 20;
/** Kept free for what the sensor says at its end. */
const RESERVE_BYTES = 1 << 20;
/** Lines are gathered to this size before they go to the file. */
const BLOCK_CHARACTERS = 256 << 10;

/** Groups of events that are counted apart; `sensor` is what the sensor says of itself. */
export const EVENT_GROUPS = ["process", "file", "network", "security", "sensor"] as const;
export type EventGroup = (typeof EVENT_GROUPS)[number];

export interface EventWriterStats {
  written: number;
  /** Events that the limit kept out, by group. */
  dropped: Record<EventGroup, number>;
  bytes: number;
  /** Why the file holds less than was written to it, for example a full disk. */
  failure: string | undefined;
}

/**
 * Writes observations/events.jsonl: one JSON object a line, whole lines only, numbered without a hole. What is beyond
 * the limit is counted and not written. A failing disk does not throw, it stands in the statistics.
 */
export class EventWriter {
  readonly #file: BoundedFile;
  readonly #roomBytes: number;
  readonly #limitBytes: number;
  readonly #dropped: Record<EventGroup, number> = { process: 0, file: 0, network: 0, security: 0, sensor: 0 };
  #pending = "";
  #bytes = 0;
  #seq = 0;

  /** Creates `file`, which must not exist. */
  constructor(file: string, limitBytes = EVENTS_LIMIT_BYTES, reserveBytes = RESERVE_BYTES) {
    this.#file = BoundedFile.create(file, limitBytes, { wholeLines: true });
    this.#limitBytes = limitBytes;
    this.#roomBytes = limitBytes - reserveBytes;
  }

  /** @returns the event's number, or undefined when there was no room for it. */
  write(event: EventBody): number | undefined {
    const group = groupOf(event.kind);
    const line = `${JSON.stringify({ seq: this.#seq, ...event })}\n`;
    const bytes = Buffer.byteLength(line);
    if (this.#bytes + bytes > (group === "sensor" ? this.#limitBytes : this.#roomBytes)) {
      this.#dropped[group]++;
      return undefined;
    }
    this.#bytes += bytes;
    this.#pending += line;
    if (this.#pending.length >= BLOCK_CHARACTERS) this.flush();
    return this.#seq++;
  }

  /** Hands what was gathered to the file. */
  flush(): void {
    if (this.#pending === "") return;
    this.#file.write(Buffer.from(this.#pending));
    this.#pending = "";
  }

  close(): EventWriterStats {
    this.flush();
    const { failure } = this.#file.close();
    return { written: this.#seq, dropped: this.#dropped, bytes: this.#bytes, failure };
  }
}

/** Which class of the kernel's records an event comes from. */
function groupOf(kind: EventBody["kind"]): EventGroup {
  switch (kind) {
    case "process.credentials":
    case "process.namespace":
    case "process.reach":
    case "blind-spot":
      return "security";
    default:
      break;
  }
  if (kind.startsWith("process.")) return "process";
  if (kind.startsWith("file.")) return "file";
  return kind.startsWith("net.") ? "network" : "sensor";
}
