export interface WalkLimits {
  /** Entries looked at. */
  entries: number;
  /** Milliseconds, reading included. */
  walkMs: number;
}

/** A disk holds more inodes than anybody wants to hear of; a million entries take about ten seconds. */
const DEFAULT_LIMITS: WalkLimits = { entries: 5_000_000, walkMs: 180_000 };
const LOOK_AT_CLOCK_EVERY = 1024;

class BudgetSpent extends Error {}

/** Ends a walk that would take too long, so that an agent can't hold up the end of its run with files. */
export class WalkBudget {
  readonly #limits: WalkLimits;
  readonly #startMs = performance.now();
  #entries = 0;
  /** Why the walk was ended. */
  stopped: string | undefined;

  constructor(limits: Partial<WalkLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Counts one entry. Throws what `run` catches. */
  spend(): void {
    const { entries, walkMs } = this.#limits;
    if (++this.#entries > entries) this.#stop(`after ${entries} entries`);
    if (this.#entries % LOOK_AT_CLOCK_EVERY === 0 && performance.now() - this.#startMs > walkMs)
      this.#stop(`after ${Math.round(walkMs / 1000)} s, with ${this.#entries} entries`);
  }

  /** @returns whether `walk` came to its own end. */
  async run(walk: () => Promise<void>): Promise<boolean> {
    try {
      await walk();
      return true;
    } catch (error) {
      if (error instanceof BudgetSpent) return false;
      throw error;
    }
  }

  #stop(why: string): never {
    this.stopped = why;
    throw new BudgetSpent(why);
  }
}
