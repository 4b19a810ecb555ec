import type { NativeEventRecord } from "../evidence/reader-streams.ts";
import { shorten } from "../schema/display.ts";
import type { TimelineEntry } from "../schema/summary.ts";
import { describeEvent, propertiesOf, sessionOf } from "./describe-event.ts";
import { HeadTail } from "./head-tail.ts";
import { LIMITS, MAX_TYPES, OTHER_TYPES, TEXT_LIMITS, TIMELINE_SHARE } from "./limits.ts";
import { isNoise } from "./noise.ts";
import { at, textAt } from "./unknown-value.ts";

/** Most ids of messages, calls and paths that are remembered; an agent can invent as many as it likes. */
const MAX_REMEMBERED = 50_000;

/** Counts and keeps, in bounded memory, what the summary says of native events. All of it is the agent's claim. */
export class NativeEvents {
  readonly timeline = new HeadTail<TimelineEntry>(TIMELINE_SHARE.nativeHead, TIMELINE_SHARE.nativeTail);
  readonly noise = new HeadTail<TimelineEntry>(LIMITS.noise / 2, LIMITS.noise / 2);
  readonly #byType = new Map<string, number>();
  readonly #noiseByType = new Map<string, number>();
  readonly #claimedFiles = new Set<string>();
  readonly #assistantMessages = new Set<string>();
  readonly #runningCalls = new Set<string>();
  readonly errors: string[] = [];
  rejectedPermissions = 0;
  pluginAlive = false;
  pluginSpoke = false;
  rootSessionId: string | null = null;
  lastText: { sessionId: string | null; text: string } | undefined;

  add(event: NativeEventRecord): void {
    const type = shorten(event.type, 200);
    increment(this.#byType, type);
    const noisy = isNoise(event.type) || this.#isRepeat(event);
    if (noisy) increment(this.#noiseByType, type);
    const entry = toEntry(event, type);
    (noisy ? this.noise : this.timeline).push(entry);
    this.#learn(event);
  }

  byType(): Record<string, number> {
    return Object.fromEntries(this.#byType);
  }

  noiseByType(): Record<string, number> {
    return Object.fromEntries(this.#noiseByType);
  }

  /** True when the agent's own events name this path of the workspace. */
  claims(path: string): boolean {
    return this.#claimedFiles.has(path);
  }

  /** A running tool reports its growing output again and again; the first report is enough. */
  #isRepeat(event: NativeEventRecord): boolean {
    if (event.type !== "message.part.updated") return false;
    const part = at(event.input, "properties", "part");
    if (textAt(part, "type") !== "tool" || textAt(part, "state", "status") !== "running") return false;
    const id = textAt(part, "id") ?? "";
    if (this.#runningCalls.has(id)) return true;
    remember(this.#runningCalls, id);
    return false;
  }

  #learn(event: NativeEventRecord): void {
    const properties = propertiesOf(event);
    switch (event.type) {
      case "plugin.alive":
        this.pluginAlive = true;
        break;
      case "session.created":
        if (textAt(properties, "info", "parentID") === null) this.rootSessionId ??= sessionOf(event);
        break;
      case "session.error":
        this.#learnError(properties);
        break;
      case "permission.replied":
        if (textAt(properties, "reply") === "reject") this.rejectedPermissions++;
        break;
      case "message.updated":
        if (textAt(properties, "info", "role") === "assistant") {
          remember(this.#assistantMessages, textAt(properties, "info", "id") ?? "");
        }
        break;
      case "message.part.updated":
        this.#learnText(event, at(properties, "part"));
        break;
      case "file.edited":
        this.#learnFile(textAt(properties, "file"));
        break;
      case "tool.execute.before":
        this.#learnFile(textAt(event.output, "args", "filePath"));
        break;
      default:
    }
  }

  #learnError(properties: unknown): void {
    if (this.errors.length >= 20) return;
    const message = textAt(properties, "error", "data", "message");
    this.errors.push(
      shorten([textAt(properties, "error", "name") ?? "error", message].filter(Boolean).join(": "), 500),
    );
  }

  #learnText(event: NativeEventRecord, part: unknown): void {
    const text = textAt(part, "text");
    if (textAt(part, "type") !== "text" || text === null || text.trim() === "") return;
    if (!this.#assistantMessages.has(textAt(part, "messageID") ?? "")) return;
    const sessionId = sessionOf(event);
    // A helper's last words are not the agent's.
    if (this.rootSessionId !== null && sessionId !== this.rootSessionId) return;
    this.lastText = { sessionId, text: shorten(text, TEXT_LIMITS.finalMessage) };
  }

  /** The agent names files by their path in the container; ours are relative to the workspace. */
  #learnFile(file: string | null): void {
    if (file === null) return;
    remember(this.#claimedFiles, file.replace(/^\/workspace\//, "").replace(/^\.\//, ""));
  }
}

function toEntry(event: NativeEventRecord, type: string): TimelineEntry {
  const words = describeEvent(event);
  return {
    id: `native:${event.line}`,
    timestamp: shorten(event.timestamp, 40),
    source: "agent",
    type,
    title: words.title,
    detail: words.detail,
    session_id: words.sessionId,
    call_id: words.callId,
  };
}

function remember(set: Set<string>, value: string): void {
  if (set.size < MAX_REMEMBERED) set.add(value);
}

function increment(counts: Map<string, number>, type: string): void {
  const key = counts.has(type) || counts.size < MAX_TYPES ? type : OTHER_TYPES;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
