import * as os from "node:os";

/** Below this the two clocks differ only by the coarse reading: the machine was never asleep. */
const NEVER_ASLEEP_MS = 100;

/**
 * Wall-clock time of nanoseconds since boot. The offset is read once, so that times of a run never jump; a clock that is
 * set during the run is not followed.
 */
export class BootClock {
  readonly #offsetMs: number;
  #lastMs = Number.NaN;
  #lastText = "";

  constructor(offsetMs = offsetNow()) {
    this.#offsetMs = offsetMs;
  }

  /** Milliseconds since 1970. */
  wallMs(bootNs: number): number {
    return Math.floor(this.#offsetMs + bootNs / 1e6);
  }

  /** ISO 8601. Events come in bursts of the same millisecond, so the last text is kept. */
  wallTime(bootNs: number): string {
    const ms = this.wallMs(bootNs);
    if (ms !== this.#lastMs) {
      this.#lastMs = ms;
      this.#lastText = new Date(ms).toISOString();
    }
    return this.#lastText;
  }

  /** Nanoseconds since boot, now. */
  nowNs(): number {
    return Math.max(0, Math.round((Date.now() - this.#offsetMs) * 1e6));
  }
}

function offsetNow(): number {
  const awakeMs = Number(process.hrtime.bigint()) / 1e6;
  // The clock above stops while the machine sleeps; the uptime does not, but is read in steps of 10 ms.
  const asleepMs = os.uptime() * 1000 - awakeMs;
  return Date.now() - awakeMs - (asleepMs > NEVER_ASLEEP_MS ? asleepMs : 0);
}
