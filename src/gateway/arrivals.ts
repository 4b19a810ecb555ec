/** Most pairs that are kept of one answer. */
const MAX_PAIRS = 256;

/** When the bytes of an answer came. Neighbours are put together as they grow many, so that memory stays bounded. */
export class Arrivals {
  #pairs: [atMs: number, bytes: number][] = [];
  /** Pieces nearer to each other than this become one. */
  #gapMs = 0;

  add(atMs: number, bytes: number): void {
    const last = this.#pairs.at(-1);
    if (last !== undefined && atMs - last[0] < this.#gapMs) {
      last[1] += bytes;
      return;
    }
    this.#pairs.push([Math.round(atMs * 10) / 10, bytes]);
    if (this.#pairs.length > MAX_PAIRS) this.#thin();
  }

  list(): [atMs: number, bytes: number][] {
    return this.#pairs;
  }

  #thin(): void {
    const [first] = this.#pairs;
    const spanMs = (this.#pairs.at(-1)?.[0] ?? 0) - (first?.[0] ?? 0);
    this.#gapMs = Math.max(1, (spanMs / MAX_PAIRS) * 2, this.#gapMs * 2);
    const pairs = this.#pairs;
    this.#pairs = [];
    for (const [atMs, bytes] of pairs) this.add(atMs, bytes);
  }
}
