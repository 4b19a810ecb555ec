import type { CheckBook } from "./cross-check.ts";

type Side = "changes" | "file-events";
type Change = "created" | "modified" | "deleted";

interface One {
  side: Side;
  name: string;
  change: Change;
  what: string;
  evidence: string[];
}

/** More are counted as mismatches at once. */
const MOST_HELD = 20_000;

/**
 * What one side tells of and the other does not, before it is judged. Calls on names are told as they were passed: where a
 * directory of the name is a link from before the run, event and diff have two names for one file, which end alike.
 */
export class Unmatched {
  readonly #held: One[] = [];
  readonly #beyond: One[] = [];

  add(side: Side, name: string, change: Change, { what, evidence }: { what: string; evidence: string[] }): void {
    (this.#held.length < MOST_HELD ? this.#held : this.#beyond).push({ side, name, change, what, evidence });
  }

  /** Writes each into the book of its side. */
  settle(changes: CheckBook, events: CheckBook): void {
    const sums = new Map<string, number>();
    for (const one of this.#held) sums.set(keyOf(one), (sums.get(keyOf(one)) ?? 0) + weightOf(one));
    const sizes = new Map<string, number>();
    for (const one of this.#held) sizes.set(keyOf(one), (sizes.get(keyOf(one)) ?? 0) + 1);
    for (const one of [...this.#held, ...this.#beyond]) {
      const book = one.side === "changes" ? changes : events;
      const key = keyOf(one);
      const isPair = (sizes.get(key) ?? 0) > 1 && sums.get(key) === 0;
      if (isPair) book.explain("link-in-path");
      else {
        const kind = one.side === "changes" ? "change-without-event" : "event-without-change";
        book.mismatch({ class: "file", kind, what: `${one.change}: ${one.what}`, evidence: one.evidence });
      }
    }
  }
}

/** Names that came and went weigh each other up; changed ones only each other. */
function keyOf({ name, change }: One): string {
  return `${change === "modified" ? "changed" : "stands"} ${name}`;
}

function weightOf({ side, change }: One): number {
  const sign = change === "deleted" ? -1 : 1;
  return side === "changes" ? -sign : sign;
}
