import { monotonicMs } from "../../core/clock.ts";
import { CpuBudget } from "./cpu-budget.ts";

export interface PacerOptions {
  /** Shortest time between two looks, milliseconds. */
  minMs: number;
  /** Longest time between two looks, milliseconds. */
  maxMs: number;
  /** Share of one CPU that the looks may use in the long run. */
  share: number;
  /** CPU time that they may use at once: the first looks are dear, and the beginning matters. */
  burstMs: number;
}

/** Looks again and again, as often as its share of the CPU allows, and keeps count of how well that went. */
export class Pacer {
  readonly #options: PacerOptions;
  readonly #look: (number: number) => void;
  readonly #budget: CpuBudget;
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;
  #startedMs = 0;
  #lastMs = 0;
  #longestPauseMs = 0;

  /** `look` gets the number of the look, from 1. */
  constructor(options: PacerOptions, look: (number: number) => void) {
    this.#options = options;
    this.#look = look;
    this.#budget = new CpuBudget(options.share, options.burstMs);
  }

  start(): void {
    this.#startedMs = this.#lastMs = monotonicMs();
    this.#turn();
  }

  /** Looks a last time, when it was ever started. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#measure();
  }

  /** How the looks went, for people. */
  describe(): string {
    const mean = this.#looks < 2 ? 0 : (this.#lastMs - this.#startedMs) / (this.#looks - 1);
    return `${this.#looks} looks, one every ${mean.toFixed(0)} ms on average, the longest pause ${this.#longestPauseMs.toFixed(0)} ms`;
  }

  #turn(): void {
    this.#measure();
    const { minMs, maxMs } = this.#options;
    const waitMs = Math.min(maxMs, Math.max(minMs, this.#budget.waitMs));
    this.#timer = setTimeout(() => this.#turn(), waitMs);
    this.#timer.unref();
  }

  #measure(): void {
    const beginMs = monotonicMs();
    this.#longestPauseMs = Math.max(this.#longestPauseMs, beginMs - this.#lastMs);
    this.#lastMs = beginMs;
    this.#looks++;
    this.#budget.spend(() => this.#look(this.#looks));
  }
}
