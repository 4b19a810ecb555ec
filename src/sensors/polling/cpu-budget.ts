import { monotonicMs } from "../../core/clock.ts";

/** CPU time of this thread so far, milliseconds. Wall time would count the work of others on a busy machine. */
function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** An allowance of CPU time that fills up with a share of the passing time, up to a limit that allows for bursts. */
export class CpuBudget {
  readonly #share: number;
  readonly #burstMs: number;
  #leftMs: number;
  #filledAtMs = monotonicMs();

  constructor(share: number, burstMs: number) {
    this.#share = share;
    this.#burstMs = burstMs;
    this.#leftMs = burstMs;
  }

  /** Whether anything is left to spend. */
  get isLeft(): boolean {
    return this.waitMs === 0;
  }

  /** Time until something is left to spend; 0: it is. */
  get waitMs(): number {
    const nowMs = monotonicMs();
    this.#leftMs = Math.min(this.#burstMs, this.#leftMs + (nowMs - this.#filledAtMs) * this.#share);
    this.#filledAtMs = nowMs;
    return this.#leftMs > 0 ? 0 : Math.ceil(-this.#leftMs / this.#share) + 1;
  }

  /** Does the work and takes its cost from what is left, even below nothing. */
  spend<T>(work: () => T): T {
    const beforeMs = threadCpuMs();
    try {
      return work();
    } finally {
      this.#leftMs -= threadCpuMs() - beforeMs;
    }
  }
}
