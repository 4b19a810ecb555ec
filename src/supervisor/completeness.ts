import { isoNow } from "../core/clock.ts";
import { bestStatements } from "../schema/best-statement.ts";
import { type CompletenessLevel, completenessLevel, SCHEMA_VERSION } from "../schema/common.ts";
import type { Completeness, CompletenessClass, Gap } from "../schema/observations.ts";

/** What the agent says of itself is no evidence, so how well it was received doesn't weigh in the verdict. */
const CLAIMS: ReadonlySet<CompletenessClass["class"]> = new Set(["native-events", "session-export"]);

/** Kept beside the events by second witnesses: what is missing there takes nothing from what the events say. */
const BESIDE: ReadonlySet<CompletenessClass["class"]> = new Set(["file-contents", "packets"]);

/** The worse of two levels; `completenessLevel` lists them from best to worst. */
function worse(a: CompletenessLevel, b: CompletenessLevel): CompletenessLevel {
  const order = completenessLevel.options;
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}

/** `observations/completeness.json`. */
export function completenessRecord(classes: readonly CompletenessClass[], gaps: readonly Gap[]): Completeness {
  const evidence = bestStatements(classes).filter((entry) => !CLAIMS.has(entry.class) && !BESIDE.has(entry.class));
  const { options } = completenessLevel;
  return {
    schema_version: SCHEMA_VERSION,
    generated_at: isoNow(),
    verdict: evidence.length === 0 ? "absent" : evidence.map((entry) => entry.level).reduce(worse, "complete"),
    // The best statement of a class first: it is the one that holds.
    classes: classes.toSorted(
      (a, b) => a.class.localeCompare(b.class) || options.indexOf(a.level) - options.indexOf(b.level),
    ),
    gaps: [...gaps],
  };
}
