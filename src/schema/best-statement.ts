import { completenessLevel } from "./common.ts";
import type { CompletenessClass } from "./observations.ts";

/**
 * What holds of each class when several sensors speak of it: the best statement, because what one of them saw wholly is
 * in the capture whatever the others missed. In the order of `classes`.
 */
export function bestStatements(classes: readonly CompletenessClass[]): CompletenessClass[] {
  const best = new Map<string, CompletenessClass>();
  for (const one of classes) {
    const known = best.get(one.class);
    if (known === undefined || rank(one) < rank(known)) best.set(one.class, one);
  }
  return [...best.values()];
}

function rank({ level }: CompletenessClass): number {
  return completenessLevel.options.indexOf(level);
}
