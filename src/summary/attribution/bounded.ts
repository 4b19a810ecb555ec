/** A list that keeps its first entries and counts all. */
export class FirstOf<T> {
  readonly items: T[] = [];
  total = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get isFull(): boolean {
    return this.items.length >= this.#max;
  }

  add(make: () => T): T | undefined {
    this.total++;
    if (this.isFull) return undefined;
    const item = make();
    this.items.push(item);
    return item;
  }
}

/** A map that takes no new keys once it is full, and counts how many there would have been at least. */
export class BoundedMap<V> {
  readonly #map = new Map<string, V>();
  readonly #max: number;
  /** Uses of keys that found no room. */
  missed = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#map.size;
  }

  get(key: string, make: () => V): V | undefined {
    const known = this.#map.get(key);
    if (known !== undefined) return known;
    if (this.#map.size >= this.#max) {
      this.missed++;
      return undefined;
    }
    const made = make();
    this.#map.set(key, made);
    return made;
  }

  peek(key: string): V | undefined {
    return this.#map.get(key);
  }

  values(): V[] {
    return [...this.#map.values()];
  }
}
