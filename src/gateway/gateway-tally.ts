import type { Exchange } from "../schema/exchange.ts";
import type { GatewayTotals } from "./port.ts";

/** An agent can make session ids up; the first ones are what is asked for. */
const MAX_SESSIONS = 64;

/** Sums over the exchanges of a run. */
export class GatewayTally {
  #exchangeCount = 0;
  #errorCount = 0;
  #inputTokens: number | null = null;
  #outputTokens: number | null = null;
  #costUsd: number | null = null;
  #modelUnreachable: string | null = null;
  #mainSession: string | null = null;
  #mainSeq = Number.POSITIVE_INFINITY;
  #lastFinish: { session: string | null; reason: string }[] = [];

  add(exchange: Exchange): void {
    this.#exchangeCount += 1;
    if (exchange.error_kind !== null) this.#errorCount += 1;
    if (exchange.error_kind === "model-unreachable") this.#modelUnreachable = exchange.error;
    this.#inputTokens = plus(this.#inputTokens, exchange.usage?.input_tokens);
    this.#outputTokens = plus(this.#outputTokens, exchange.usage?.output_tokens);
    this.#costUsd = plus(this.#costUsd, exchange.cost_usd);
    this.#noteFinish(exchange);
  }

  totals(): Omit<GatewayTotals, "limitReached"> {
    const last = this.#lastFinish.find((entry) => entry.session === this.#mainSession);
    return {
      exchangeCount: this.#exchangeCount,
      errorCount: this.#errorCount,
      inputTokens: this.#inputTokens,
      outputTokens: this.#outputTokens,
      costUsd: this.#costUsd,
      modelUnreachable: this.#modelUnreachable,
      lastFinishReason: last?.reason ?? null,
    };
  }

  /** A sub-agent's exchanges end while its parent's tool call waits, so the last line is not always the task's own. */
  #noteFinish(exchange: Exchange): void {
    const reason = finishOf(exchange);
    if (reason === null || exchange.error_kind !== null) return;
    const session = exchange.session_id;
    if (exchange.seq < this.#mainSeq) {
      this.#mainSeq = exchange.seq;
      this.#mainSession = session;
    }
    const known = this.#lastFinish.find((entry) => entry.session === session);
    if (known !== undefined) known.reason = reason;
    else if (this.#lastFinish.length < MAX_SESSIONS) this.#lastFinish.push({ session, reason });
  }
}

const ORDERLY_ENDS: ReadonlySet<string> = new Set(["stop", "end_turn", "stop_sequence", "completed", "STOP"]);

/** In the words of one wire format: some say no more than that the answer is at its end, tool calls or not. */
function finishOf({ finish_reason: reason, tool_calls: calls }: Exchange): string | null {
  if (reason === null || !ORDERLY_ENDS.has(reason)) return reason;
  return calls.length > 0 ? "tool_calls" : "stop";
}

function plus(sum: number | null, more: number | null | undefined): number | null {
  return more === null || more === undefined ? sum : (sum ?? 0) + more;
}
