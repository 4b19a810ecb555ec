export interface Snapshot<Item> {
  atMs: number;
  items: Item[];
}

/**
 * States taken at regular intervals, thinned evenly when there are too many: every second one goes, and from then on only
 * every second one is kept. So a run of any length fits and its whole length stays covered.
 */
export class Snapshots<Item> {
  readonly #kept: Snapshot<Item>[] = [];
  readonly #maxSnapshots: number;
  readonly #maxItems: number;
  #items = 0;
  #stride = 1;
  #taken = 0;

  constructor(maxSnapshots = 600, maxItems = 60_000) {
    this.#maxSnapshots = maxSnapshots;
    this.#maxItems = maxItems;
  }

  /** Snapshots taken, also those thinned out. */
  get taken(): number {
    return this.#taken;
  }

  get kept(): readonly Snapshot<Item>[] {
    return this.#kept;
  }

  /** `take` is called only when this snapshot will be kept. */
  offer(atMs: number, take: () => Item[]): void {
    if (this.#taken++ % this.#stride !== 0) return;
    const items = take();
    this.#kept.push({ atMs, items });
    this.#items += items.length;
    while (this.#kept.length > 1 && (this.#kept.length > this.#maxSnapshots || this.#items > this.#maxItems))
      this.#thin();
  }

  #thin(): void {
    const kept = this.#kept.filter((_, index) => index % 2 === 0);
    this.#kept.splice(0, this.#kept.length, ...kept);
    this.#items = kept.reduce((sum, { items }) => sum + items.length, 0);
    this.#stride *= 2;
  }
}
