import { monotonicMs } from "../core/clock.ts";
import type { RunPhase } from "../schema/run.ts";

/** Times the named parts of a run; they may overlap. */
export class PhaseTimer {
  readonly #startMs = monotonicMs();
  readonly #phases: RunPhase[] = [];
  readonly #onStart: ((name: string) => void) | undefined;

  constructor(onStart?: (name: string) => void) {
    this.#onStart = onStart;
  }

  /** Runs `work` as phase `name`; it is recorded also when it throws. */
  async measure<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    const startedMs = monotonicMs();
    this.#onStart?.(name);
    try {
      return await work();
    } finally {
      this.#phases.push({
        name,
        started_ms: round(startedMs - this.#startMs),
        duration_ms: round(monotonicMs() - startedMs),
      });
    }
  }

  elapsedMs(): number {
    return monotonicMs() - this.#startMs;
  }

  phases(): RunPhase[] {
    return this.#phases.toSorted((a, b) => a.started_ms - b.started_ms);
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
