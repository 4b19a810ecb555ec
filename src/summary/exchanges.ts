import { shorten } from "../schema/display.ts";
import type { Exchange } from "../schema/exchange.ts";
import type { TimelineEntry } from "../schema/summary.ts";
import { HeadTail } from "./head-tail.ts";
import { TEXT_LIMITS, TIMELINE_SHARE } from "./limits.ts";

/** Most sessions whose last words are kept; the agent names them. */
const MAX_SESSIONS = 100;
/** Most names of provider-side tools that are kept; an agent can make them up. */
const MAX_PROVIDER_TOOLS = 50;

/** What the summary keeps of the traffic with the model, seen by the gateway outside the container. */
export class Exchanges {
  readonly timeline = new HeadTail<TimelineEntry>(TIMELINE_SHARE.modelHead, TIMELINE_SHARE.modelTail);
  total = 0;
  errors = 0;
  /** What requests asked to be done at the provider, out of sight: let through, and refused. */
  readonly providerTools = { passed: new Set<string>(), refused: new Set<string>() };
  #first: { seq: number; sessionId: string | null } | undefined;
  readonly #lastTexts = new Map<string | null, { seq: number; text: string }>();

  /** The session that spoke first: helpers are started by it. */
  get rootSessionId(): string | null {
    return this.#first?.sessionId ?? null;
  }

  /** Text of the model's last answer in that session. */
  get lastText(): string | undefined {
    return this.#lastTexts.get(this.rootSessionId)?.text;
  }

  /** Exchanges come in the order of their ends; `seq` tells which began first. */
  add(exchange: Exchange): void {
    this.total++;
    if (isFailed(exchange)) this.errors++;
    this.#keepProviderTools(exchange);
    if (this.#first === undefined || exchange.seq < this.#first.seq) {
      this.#first = { seq: exchange.seq, sessionId: exchange.session_id };
    }
    this.#keepText(exchange);
    this.timeline.push(toEntry(exchange));
  }

  #keepProviderTools({ provider_tools: names, error_kind: kind }: Exchange): void {
    const set = kind === "request-refused" ? this.providerTools.refused : this.providerTools.passed;
    for (const name of names) if (set.size < MAX_PROVIDER_TOOLS) set.add(name);
  }

  #keepText({ session_id: session, seq, text }: Exchange): void {
    if (text === null || text.trim() === "") return;
    const known = this.#lastTexts.get(session);
    if (known === undefined ? this.#lastTexts.size >= MAX_SESSIONS : known.seq > seq) return;
    this.#lastTexts.set(session, { seq, text: shorten(text, TEXT_LIMITS.finalMessage) });
  }
}

export function isFailed(exchange: Exchange): boolean {
  return exchange.error !== null || exchange.status === null || exchange.status < 200 || exchange.status > 299;
}

function toEntry(exchange: Exchange): TimelineEntry {
  const calls = exchange.tool_calls.map((call) => call.name).join(", ");
  const outcome = isFailed(exchange) ? `failed ${exchange.status ?? ""}`.trim() : (exchange.finish_reason ?? "");
  const parts = [exchange.model, outcome, calls].filter((one) => one !== null && one !== "");
  return {
    id: `model:${exchange.seq}`,
    timestamp: exchange.started_at,
    source: "gateway",
    type: "model.exchange",
    title: shorten(parts.join(" · "), TEXT_LIMITS.title),
    detail: shorten(exchange.error ?? exchange.text ?? "", TEXT_LIMITS.detail) || null,
    session_id: exchange.session_id,
    call_id: exchange.tool_calls[0]?.id ?? null,
  };
}
