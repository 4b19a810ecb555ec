import type { NativeEventRecord } from "../evidence/reader-streams.ts";
import type { CallEffects } from "../schema/attribution.ts";
import { shorten } from "../schema/display.ts";
import type { Exchange } from "../schema/exchange.ts";
import type { ToolUse } from "../schema/summary.ts";
import { propertiesOf, sessionOf } from "./describe-event.ts";
import { LIMITS, TEXT_LIMITS } from "./limits.ts";
import { at, isoFromMs, millisecondsBetween, numberAt, preview, textAt } from "./unknown-value.ts";

interface Use extends Omit<ToolUse, "effects"> {
  /** Message that the agent says it belongs to: tells two uses apart when a model gives an id twice. */
  messageId: string | null;
  /** Exit code of the command, by the agent's word. */
  claimedExit: number | null;
}

/**
 * Joins what the gateway saw the model ask for with what the agent says it ran: by session and call id, and where the
 * wire format has no call ids, by session and tool in order. Exchanges are to be added before native events.
 */
export class ToolUses {
  readonly #uses: Use[] = [];
  readonly #byCall = new Map<string, Use[]>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  get truncated(): boolean {
    return this.#total > this.#uses.length;
  }

  /** @param effectsOf what a call did, by its key. */
  list(effectsOf: (key: string) => CallEffects | undefined): ToolUse[] {
    return this.#uses.map(({ messageId: _messageId, claimedExit: _claimedExit, ...use }) => ({
      ...use,
      effects: use.key === null ? null : (effectsOf(use.key) ?? null),
    }));
  }

  /** Exit codes that the agent reports, by the call's key. */
  claimedExits(): Map<string, number> {
    const exits = new Map<string, number>();
    for (const { key, claimedExit } of this.#uses) {
      if (key !== null && claimedExit !== null) exits.set(key, claimedExit);
    }
    return exits;
  }

  /** Keys of the calls that failed by the agent's word. */
  failedCalls(): Set<string> {
    return new Set(this.#uses.flatMap(({ key, status }) => (key !== null && status === "error" ? [key] : [])));
  }

  addExchange(exchange: Exchange): void {
    for (const [index, call] of exchange.tool_calls.entries()) {
      const use = this.#create(exchange.session_id, call.id, call.name, "gateway");
      if (use === undefined) continue;
      use.key = `${exchange.seq}.${index}`;
      use.input = shorten(call.arguments, TEXT_LIMITS.toolInput);
      use.started_at = endOf(exchange);
    }
  }

  addEvent(event: NativeEventRecord): void {
    const properties = propertiesOf(event);
    switch (event.type) {
      case "tool.execute.before":
        this.#apply(event, properties, { input: at(event.output, "args"), started_at: event.timestamp });
        break;
      case "tool.execute.after":
        this.#apply(event, properties, {
          input: at(event.input, "args"),
          title: textAt(event.output, "title"),
          finished_at: event.timestamp,
          status: "completed",
          exit: numberAt(event.output, "metadata", "exit"),
          output: textAt(event.output, "output") ?? textAt(event.output, "metadata", "output"),
        });
        break;
      case "message.part.updated":
        if (textAt(properties, "part", "type") === "tool") this.#applyPart(event, at(properties, "part"));
        break;
      default:
    }
  }

  #applyPart(event: NativeEventRecord, part: unknown): void {
    const status = textAt(part, "state", "status");
    const ended = status === "completed" || status === "error";
    this.#apply(event, part, {
      input: at(part, "state", "input"),
      title: textAt(part, "state", "title"),
      status: ended ? status : "running",
      started_at: isoFromMs(numberAt(part, "state", "time", "start")),
      finished_at: ended ? (isoFromMs(numberAt(part, "state", "time", "end")) ?? event.timestamp) : null,
      exit: ended ? numberAt(part, "state", "metadata", "exit") : null,
      output: ended ? (textAt(part, "state", "error") ?? textAt(part, "state", "output")) : null,
    });
  }

  #apply(event: NativeEventRecord, source: unknown, claim: Claim): void {
    const use = this.#find(
      sessionOf(event),
      textAt(source, "callID"),
      textAt(source, "tool") ?? "tool",
      textAt(source, "messageID"),
    );
    if (use === undefined) return;
    if (!use.sources.includes("agent")) use.sources.push("agent");
    // What the gateway saw the model write is better evidence than the agent's word for it.
    if (!use.sources.includes("gateway")) use.input = newest(use.input, claim.input);
    use.title = claim.title ?? use.title;
    if (claim.status !== undefined && !isEnded(use.status)) use.status = claim.status;
    if (claim.status === "error") use.status = "error";
    // The gateway knows when the model asked; when it began only the agent can say.
    if (claim.started_at) use.started_at = claim.started_at;
    use.finished_at = claim.finished_at ?? use.finished_at;
    use.duration_ms = millisecondsBetween(use.started_at, use.finished_at);
    use.claimedExit = claim.exit ?? use.claimedExit;
    if (claim.output) use.output_preview = shorten(claim.output, TEXT_LIMITS.toolOutput);
  }

  #find(session: string | null, call: string | null, tool: string, messageId: string | null): Use | undefined {
    const known = this.#byCall.get(keyOf(session, call)) ?? this.#byCall.get(keyOf(null, call)) ?? [];
    const found =
      (messageId === null ? byOrder(known) : byMessage(known, messageId)) ?? this.#unnamed(session, tool, call);
    const use = found ?? this.#create(session, call, tool, "agent");
    if (use !== undefined) use.messageId ??= messageId;
    return use;
  }

  /** Wire formats without call ids: the agent invents one, and the order of calls of a tool is what joins them. */
  #unnamed(session: string | null, tool: string, call: string | null): Use | undefined {
    const candidates = this.#byCall.get(keyOf(session, null)) ?? [];
    const found = candidates.find((use) => use.tool === tool && !use.sources.includes("agent"));
    if (found === undefined || call === null) return found;
    found.call_id = call;
    candidates.splice(candidates.indexOf(found), 1);
    this.#remember(found);
    return found;
  }

  #create(session: string | null, call: string | null, tool: string, source: "gateway" | "agent"): Use | undefined {
    this.#total++;
    if (this.#uses.length >= LIMITS.tools) return undefined;
    const use: Use = {
      key: null,
      call_id: call,
      session_id: session,
      tool: shorten(tool, TEXT_LIMITS.title),
      title: null,
      input: "",
      status: "unknown",
      started_at: null,
      finished_at: null,
      duration_ms: null,
      output_preview: null,
      sources: [source],
      messageId: null,
      claimedExit: null,
    };
    this.#uses.push(use);
    this.#remember(use);
    return use;
  }

  #remember(use: Use): void {
    const key = keyOf(use.session_id, use.call_id);
    const known = this.#byCall.get(key);
    if (known === undefined) this.#byCall.set(key, [use]);
    else known.push(use);
  }
}

interface Claim {
  input?: unknown;
  title?: string | null;
  status?: ToolUse["status"];
  started_at?: string | null;
  finished_at?: string | null;
  output?: string | null;
  exit?: number | null;
}

/** Models may give one call id twice: the message tells which use a report is about. */
function byMessage(known: readonly Use[], messageId: string): Use | undefined {
  return known.find((use) => use.messageId === messageId) ?? known.find((use) => use.messageId === null);
}

/** Hooks do not name the message: they are about the use that is going on. */
function byOrder(known: readonly Use[]): Use | undefined {
  const claimed = (use: Use): boolean => use.sources.includes("agent");
  return (
    known.findLast((use) => claimed(use) && !isEnded(use.status)) ?? known.find((use) => !claimed(use)) ?? known.at(-1)
  );
}

function isEnded(status: ToolUse["status"]): boolean {
  return status === "completed" || status === "error";
}

function keyOf(session: string | null, call: string | null): string {
  return JSON.stringify([session, call]);
}

function endOf(exchange: Exchange): string {
  const ms = Date.parse(exchange.started_at) + (exchange.duration_ms ?? 0);
  return isoFromMs(Number.isFinite(ms) ? ms : null) ?? exchange.started_at;
}

/** An empty object comes with the first, pending report of a call and says nothing. */
function newest(old: string, input: unknown): string {
  const text = preview(input, TEXT_LIMITS.toolInput);
  return text === null || text === "{}" ? old : text;
}
