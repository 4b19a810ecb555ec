import { shorten } from "../../schema/display.ts";
import type { CrossCheck, CrossCheckName, Mismatch } from "../../schema/reconciliation.ts";

/** Most mismatches listed of one check; the number says how many there are. */
const MOST_LISTED = 100;
const MOST_EVIDENCE = 5;
const MOST_CHARACTERS = 300;

export interface CrossCheckResult extends CrossCheck {
  mismatches: Mismatch[];
}

/** Books of one check: what was compared, and what became of it. Bounded. */
export class CheckBook {
  readonly #check: CrossCheckName;
  readonly #explained = new Map<string, number>();
  readonly #mismatches: Mismatch[] = [];
  #matched = 0;
  #unmatched = 0;

  constructor(check: CrossCheckName) {
    this.#check = check;
  }

  /** Both witnesses tell of it. */
  match(): void {
    this.#matched++;
  }

  /** One witness tells of it, and a rule of docs/reconciliation.md says why the other can't. */
  explain(rule: string): void {
    this.#explained.set(rule, (this.#explained.get(rule) ?? 0) + 1);
  }

  /** One witness tells of it, and nothing explains why the other does not. */
  mismatch({ what, evidence, ...rest }: Mismatch): void {
    this.#unmatched++;
    if (this.#mismatches.length >= MOST_LISTED) return;
    this.#mismatches.push({
      ...rest,
      what: shorten(what, MOST_CHARACTERS),
      evidence: evidence.slice(0, MOST_EVIDENCE).map((one) => shorten(one, MOST_CHARACTERS)),
    });
  }

  /** `skipped`: why not everything was compared; null: everything was. */
  result(skipped: string | null = null): CrossCheckResult {
    const explained = Object.fromEntries(this.#explained);
    const compared = this.#matched + this.#unmatched + Object.values(explained).reduce((sum, one) => sum + one, 0);
    return {
      check: this.#check,
      compared,
      matched: this.#matched,
      explained,
      unmatched: this.#unmatched,
      skipped,
      mismatches: this.#mismatches,
    };
  }
}
