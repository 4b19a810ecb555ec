import { monotonicMs } from "../../core/clock.ts";

const EVERY_MS = 1000;
const MAX_KEPT = 600;

/**
 * Snapshots once a second. Beyond 600 every second one is dropped and the distance doubles, so that a run of any length
 * keeps an even picture of bounded size.
 */
export class SnapshotSeries<T> {
  #kept: T[] = [];
  #everyMs = EVERY_MS;
  #nextMs = 0;
  #count = 0;

  /** Looks taken, also those that were not kept. */
  get count(): number {
    return this.#count;
  }

  /** One look; `make` builds the snapshot if one is due. */
  offer(make: () => T): void {
    this.#count += 1;
    const now = monotonicMs();
    if (now < this.#nextMs) return;
    this.#nextMs = now + this.#everyMs;
    this.#kept.push(make());
    if (this.#kept.length <= MAX_KEPT) return;
    this.#kept = this.#kept.filter((_, index) => index % 2 === 0);
    this.#everyMs *= 2;
  }

  kept(): T[] {
    return this.#kept;
  }
}
