/** Keeps the first and the last of a stream of unknown length: the beginning and the end of a run tell the most. */
export class HeadTail<T> {
  readonly #headMax: number;
  readonly #tailMax: number;
  readonly #head: T[] = [];
  #tail: T[] = [];
  #total = 0;

  constructor(headMax: number, tailMax: number) {
    this.#headMax = headMax;
    this.#tailMax = tailMax;
  }

  get total(): number {
    return this.#total;
  }

  get truncated(): boolean {
    return this.#total > this.#headMax + this.#tailMax;
  }

  push(item: T): void {
    this.#total++;
    if (this.#head.length < this.#headMax) {
      this.#head.push(item);
      return;
    }
    this.#tail.push(item);
    if (this.#tail.length >= 2 * this.#tailMax) this.#tail = this.#tail.slice(-this.#tailMax);
  }

  items(): T[] {
    return this.#tailMax === 0 ? [...this.#head] : [...this.#head, ...this.#tail.slice(-this.#tailMax)];
  }
}
