/** A list with a limit on its entries and on their length as JSON; what is beyond is counted. */
export class BoundedList<T> {
  readonly items: T[] = [];
  readonly #most: number;
  #charactersLeft: number;
  #left = 0;

  constructor(most: number, mostCharacters: number) {
    this.#most = most;
    this.#charactersLeft = mostCharacters;
  }

  /** Entries that found no room. */
  get left(): number {
    return this.#left;
  }

  add(item: T): void {
    const characters = JSON.stringify(item).length;
    if (this.items.length >= this.#most || characters > this.#charactersLeft) {
      this.#left++;
      return;
    }
    this.#charactersLeft -= characters;
    this.items.push(item);
  }
}
