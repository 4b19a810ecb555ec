import { type NativeEvent, nativeEvent, sessionId } from "../../schema/native-event.ts";

/** Most processes and child sessions that are told apart; an agent can invent any number. */
const MAX_INSTANCES = 64;
const MAX_SESSIONS = 1000;
/** A hole wider than this is a forgery, not a loss. */
const MAX_GAP = 10_000_000;

interface Instance {
  lastSeq: number;
  dropped: number;
}

/** What the records of a run say, counted. All of it is the agent's claim. */
export class ClaimTally {
  validCount = 0;
  invalidCount = 0;
  pluginAlive = false;
  pluginDisposed = false;
  /** Records missing in the plugins' own numbering; those the plugin dropped are among them. */
  sequenceGaps = 0;
  /** Records whose number had been there before or stood out of order. */
  sequenceRepeats = 0;
  rootSessionId: string | null = null;
  readonly childSessionIds = new Set<string>();
  readonly #instances = new Map<string, Instance>();

  /** Counts one line; `whole` is false when a limit cut it. */
  add(line: Buffer, whole: boolean): void {
    const event = whole ? parseEvent(line) : undefined;
    if (event === undefined) {
      this.invalidCount++;
      return;
    }
    this.validCount++;
    if (event.native_event_type === "plugin.alive") this.pluginAlive = true;
    if (event.native_event_type === "plugin.dispose") this.pluginDisposed = true;
    if (event.native_event_type === "session.created") this.#learnSession(event);
    this.#number(event);
  }

  /** Records that the plugins say they could not deliver. */
  get dropped(): number {
    let sum = 0;
    for (const instance of this.#instances.values()) sum += instance.dropped;
    return sum;
  }

  #number(event: NativeEvent): void {
    if (event.seq === undefined) return;
    const key = event.context.instance ?? "";
    let instance = this.#instances.get(key);
    if (instance === undefined) {
      if (this.#instances.size >= MAX_INSTANCES) return;
      instance = { lastSeq: -1, dropped: 0 };
      this.#instances.set(key, instance);
    }
    instance.dropped = Math.max(instance.dropped, Math.min(event.dropped ?? 0, MAX_GAP));
    const step = event.seq - instance.lastSeq;
    if (step <= 0) {
      this.sequenceRepeats++;
      return;
    }
    this.sequenceGaps += Math.min(step - 1, MAX_GAP);
    instance.lastSeq = event.seq;
  }

  /** The session's id stands in the event's properties; the event's own id (`evt_…`) is none. */
  #learnSession(event: NativeEvent): void {
    const properties = member(event.raw_input, "properties");
    const info = member(properties, "info");
    const id = sessionId.safeParse(member(properties, "sessionID") ?? member(info, "id"));
    if (!id.success) return;
    const parent = member(info, "parentID");
    if (parent === null || parent === undefined) this.rootSessionId ??= id.data;
    else if (this.childSessionIds.size < MAX_SESSIONS) this.childSessionIds.add(id.data);
  }
}

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const TYPE_KEY = Buffer.from('"native_event_type"');

function parseEvent(line: Buffer): NativeEvent | undefined {
  // Garbage is turned away without the price of an exception: an agent can send millions of lines.
  if (line[0] !== OPEN_BRACE || line.at(-1) !== CLOSE_BRACE || !line.includes(TYPE_KEY)) return undefined;
  try {
    return nativeEvent.safeParse(JSON.parse(line.toString("utf8"))).data;
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
