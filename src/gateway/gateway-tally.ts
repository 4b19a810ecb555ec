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
  #modelUnreachable = false;
  #mainSession: string | null = null;
  #mainSeq = Number.POSITIVE_INFINITY;
  #lastFinish: { session: string | null; reason: string }[] = [];

  add(exchange: Exchange): void {
    this.#exchangeCount += 1;
    if (exchange.error_kind !== null) this.#errorCount += 1;
    if (exchange.error_kind === "model-unreachable") this.#modelUnreachable = true;
    this.#inputTokens = plus(this.#inputTokens, exchange.usage?.input_tokens);
    this.#outputTokens = plus(this.#outputTokens, exchange.usage?.output_tokens);
    this.#noteFinish(exchange);
  }

  totals(): GatewayTotals {
    const last = this.#lastFinish.find((entry) => entry.session === this.#mainSession);
    return {
      exchangeCount: this.#exchangeCount,
      errorCount: this.#errorCount,
      inputTokens: this.#inputTokens,
      outputTokens: this.#outputTokens,
      modelUnreachable: this.#modelUnreachable,
      lastFinishReason: last?.reason ?? null,
    };
  }

  /** A sub-agent's exchanges end while its parent's tool call waits, so the last line is not always the task's own. */
  #noteFinish(exchange: Exchange): void {
    if (exchange.finish_reason === null || exchange.error_kind !== null) return;
    const session = exchange.session_id;
    if (exchange.seq < this.#mainSeq) {
      this.#mainSeq = exchange.seq;
      this.#mainSession = session;
    }
    const known = this.#lastFinish.find((entry) => entry.session === session);
    if (known !== undefined) known.reason = exchange.finish_reason;
    else if (this.#lastFinish.length < MAX_SESSIONS) this.#lastFinish.push({ session, reason: exchange.finish_reason });
  }
}

function plus(sum: number | null, more: number | null | undefined): number | null {
  return more === null || more === undefined ? sum : (sum ?? 0) + more;
}
