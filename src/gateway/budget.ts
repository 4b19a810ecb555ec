import { setTimeout as delay } from "node:timers/promises";
import { monotonicMs } from "../core/clock.ts";
import type { Exchange, ExchangeUsage } from "../schema/exchange.ts";
import { UpstreamError } from "./upstream.ts";

export interface BudgetLimits {
  /** Input and output tokens of a run together. */
  maxTokens?: number | undefined;
  maxCostUsd?: number | undefined;
  requestsPerMinute?: number | undefined;
}

const MINUTE_MS = 60_000;
/** A rough count for what nobody counted: an agent must not get round its limit by hanging up before the count comes. */
const BYTES_PER_TOKEN = 4;
const WAIT_STEP_MS = 5000;
/** Below the time after which OpenCode gives a request up. */
const MAX_WAIT_MS = 240_000;
const WAITED_TOO_LONG = "the request waited for its turn for too long: too many are made for the limit a minute";
/** Requests that wait for their turn; more are told to come again. */
const MAX_WAITING = 16;

/** What a run may use of the model. Answers that are on their way when a limit is reached are let through. */
export class Budget {
  readonly #limits: BudgetLimits;
  #tokens = 0;
  #costUsd = 0;
  #pendingTokens = 0;
  #reached: string | undefined;
  /** Monotonic times of the last minute's requests. */
  #begun: number[] = [];
  #waiting = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** Set once a request was refused because a limit was used up: what was used up, in words. */
  get reached(): string | undefined {
    return this.#reached;
  }

  /**
   * Lets a request of so many bytes through, or not.
   * @returns the tokens set aside for it, for `settle`.
   * @throws UpstreamError `limit-reached`, with a status after which OpenCode does not try again.
   */
  admit(requestBytes: number): number {
    const spent = this.#spent();
    if (spent !== undefined) {
      this.#reached ??= spent;
      throw new UpstreamError("limit-reached", 403, `this run may use no more of the model: ${spent}`);
    }
    const tokens = Math.ceil(requestBytes / BYTES_PER_TOKEN);
    this.#pendingTokens += tokens;
    return tokens;
  }

  /** Counts what an exchange has used in place of what was set aside for it. */
  settle(setAside: number, exchange: Exchange, costOf: (usage: ExchangeUsage) => number | null = () => null): void {
    this.#pendingTokens -= setAside;
    const used = usedTokens(exchange, setAside);
    this.#tokens += used.input_tokens + used.output_tokens;
    const reckoned = isCounted(exchange)
      ? 0
      : (costOf({ ...used, cache_read_tokens: null, cache_write_tokens: null }) ?? 0);
    this.#costUsd += Math.max(exchange.cost_usd ?? 0, reckoned);
  }

  /**
   * Waits until a request may begin, by the limit of requests a minute; `onWait` says again and again that it waits, so
   * that this does not pass for idleness.
   * @returns milliseconds waited. @throws UpstreamError 429 when too many wait already; AbortError.
   */
  async turn(signal: AbortSignal, onWait: () => void = () => {}): Promise<number> {
    const perMinute = this.#limits.requestsPerMinute;
    if (perMinute === undefined) return 0;
    if (this.#waiting >= MAX_WAITING) {
      throw new UpstreamError("limit-reached", 429, `more than ${MAX_WAITING} requests wait for their turn already`);
    }
    const from = monotonicMs();
    this.#waiting += 1;
    try {
      for (let waitMs = this.#waitMs(perMinute); waitMs > 0; waitMs = this.#waitMs(perMinute)) {
        if (monotonicMs() - from > MAX_WAIT_MS) throw new UpstreamError("limit-reached", 429, WAITED_TOO_LONG);
        await delay(Math.min(waitMs, WAIT_STEP_MS), undefined, { signal });
        onWait();
      }
      this.#begun.push(monotonicMs());
      return monotonicMs() - from;
    } finally {
      this.#waiting -= 1;
    }
  }

  #waitMs(perMinute: number): number {
    const now = monotonicMs();
    this.#begun = this.#begun.filter((at) => now - at < MINUTE_MS);
    const oldest = this.#begun[this.#begun.length - perMinute];
    return oldest === undefined ? 0 : Math.ceil(MINUTE_MS - (now - oldest)) + 1;
  }

  #spent(): string | undefined {
    const { maxTokens, maxCostUsd } = this.#limits;
    if (maxTokens !== undefined && this.#tokens + this.#pendingTokens >= maxTokens) {
      return `${this.#tokens} of ${maxTokens} tokens are used${this.#pendingTokens > 0 ? ", and more are on their way" : ""}`;
    }
    if (maxCostUsd !== undefined && this.#costUsd >= maxCostUsd) {
      return `${this.#costUsd.toFixed(4)} of ${maxCostUsd} US dollars are spent`;
    }
    return undefined;
  }
}

/** True when the provider counted all of the exchange. */
function isCounted({ usage, answer_state: state }: Exchange): boolean {
  const whole = state === "complete" || state === "cut";
  return whole && usage !== null && usage.input_tokens !== null && usage.output_tokens !== null;
}

/** As the provider counts; where it did not get that far, a rough count of what went and came. */
function usedTokens(exchange: Exchange, requestTokens: number): { input_tokens: number; output_tokens: number } {
  const { usage, status } = exchange;
  const answered = status !== null && status < 400;
  const input = usage?.input_tokens ?? (answered ? requestTokens : 0);
  const output = usage?.output_tokens ?? 0;
  if (isCounted(exchange)) return { input_tokens: input, output_tokens: output };
  const chars = [exchange.text, exchange.reasoning, ...exchange.tool_calls.map((call) => call.arguments)]
    .map((text) => text?.length ?? 0)
    .reduce((sum, length) => sum + length, 0);
  return { input_tokens: input, output_tokens: Math.max(output, Math.ceil(chars / BYTES_PER_TOKEN)) };
}
