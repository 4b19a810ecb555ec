import { monotonicMs } from "../../core/clock.ts";
import { threadCpuMs } from "./cpu-budget.ts";

export interface PacerOptions {
  /** Shortest time between two looks, milliseconds. */
  minMs: number;
  /** Longest time between two looks, milliseconds. */
  maxMs: number;
  /** Share of one CPU that the looks may use. */
  share: number;
}

/** Weight of the last look in the mean cost: one that was dear by chance must not slow down those that follow. */
const COST_WEIGHT = 0.2;

/** Looks again and again, as often as its share of the CPU allows, and keeps count of how well that went. */
export class Pacer {
  readonly #options: PacerOptions;
  readonly #look: (number: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;
  #startedMs = 0;
  #lastMs = 0;
  #longestPauseMs = 0;
  #costMs = 0;

  /** `look` gets the number of the look, from 1. */
  constructor(options: PacerOptions, look: (number: number) => void) {
    this.#options = options;
    this.#look = look;
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
    const { minMs, maxMs, share } = this.#options;
    const waitMs = Math.min(maxMs, Math.max(minMs, this.#costMs / share));
    this.#timer = setTimeout(() => this.#turn(), waitMs);
    this.#timer.unref();
  }

  #measure(): void {
    const beginMs = monotonicMs();
    const cpuBeforeMs = threadCpuMs();
    this.#longestPauseMs = Math.max(this.#longestPauseMs, beginMs - this.#lastMs);
    this.#lastMs = beginMs;
    this.#looks++;
    this.#look(this.#looks);
    const costMs = threadCpuMs() - cpuBeforeMs;
    this.#costMs += (costMs - this.#costMs) * COST_WEIGHT;
  }
}
