import { shorten } from "../schema/display.ts";
import type { Exchange } from "../schema/exchange.ts";
import type { TimelineEntry } from "../schema/summary.ts";
import { HeadTail } from "./head-tail.ts";
import { LIMITS, TEXT_LIMITS } from "./limits.ts";

/** What the summary keeps of the traffic with the model, seen by the gateway outside the container. */
export class Exchanges {
  readonly timeline = new HeadTail<TimelineEntry>(LIMITS.timeline / 16, LIMITS.timeline / 16);
  total = 0;
  errors = 0;
  /** The session that spoke first: helpers are started by it. */
  rootSessionId: string | null = null;
  lastText: string | undefined;

  add(exchange: Exchange): void {
    this.total++;
    if (isFailed(exchange)) this.errors++;
    this.rootSessionId ??= exchange.session_id;
    const ofRoot = exchange.session_id === null || exchange.session_id === this.rootSessionId;
    if (ofRoot && exchange.text !== null && exchange.text.trim() !== "") {
      this.lastText = shorten(exchange.text, TEXT_LIMITS.finalMessage);
    }
    this.timeline.push(toEntry(exchange));
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
