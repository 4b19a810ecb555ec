/** Characters that several texts may use up together. */
export interface CharBudget {
  left: number;
}

/** Text put together from pieces as far as its budget goes; what comes after is only noticed. */
export class BoundedText {
  readonly #budget: CharBudget;
  #parts: string[] = [];
  cut = false;

  constructor(budget: CharBudget) {
    this.#budget = budget;
  }

  append(part: string): void {
    const kept = part.slice(0, this.#budget.left);
    if (kept.length < part.length) this.cut = true;
    if (kept === "") return;
    this.#budget.left -= kept.length;
    this.#parts.push(kept);
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  toString(): string {
    if (this.#parts.length > 1) this.#parts = [this.#parts.join("")];
    return this.#parts[0] ?? "";
  }
}
