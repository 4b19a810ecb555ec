import type { SelftestClass, SelftestResult } from "../schema/selftest.ts";
import { type Observations, TESTED_CLASSES, type TestedClass } from "./classes.ts";

type Verdict = SelftestResult["verdict"];

/**
 * What was done against what was seen, a class. `done`: how often each class went exactly as meant, by the workload's own
 * account; an instance counts as seen when all of its observations are there.
 */
export function judgeClasses(
  observations: Observations,
  work: { tag: string; count: number; done: Readonly<Record<string, number>> },
): SelftestClass[] {
  return TESTED_CLASSES.map((tested) => judgeClass(tested, observations.seen.get(tested.id) ?? [], work));
}

function judgeClass(
  tested: TestedClass,
  seen: readonly string[],
  { tag, count, done }: { tag: string; count: number; done: Readonly<Record<string, number>> },
): SelftestClass {
  const left = new Map<string, number>();
  for (const text of seen) left.set(text, (left.get(text) ?? 0) + 1);
  let whole = 0;
  for (let i = 0; i < count; i++) {
    const texts = tested.expected(tag, i).map((text) => take(left, text));
    if (texts.every(Boolean)) whole++;
  }
  const expected = done[tested.id] ?? 0;
  const phantom = [...left.values()].reduce((sum, copies) => sum + copies, 0);
  const lost = Math.max(0, expected - whole);
  const verdict = lost === 0 && phantom === 0 ? "complete" : whole === 0 ? "blind" : "lossy";
  return { id: tested.id, title: tested.title, expected, seen: whole, lost, phantom, verdict };
}

function take(left: Map<string, number>, text: string): boolean {
  const copies = left.get(text) ?? 0;
  if (copies > 0) left.set(text, copies - 1);
  return copies > 0;
}

/** The worst of the classes. */
export function worstVerdict(classes: readonly SelftestClass[]): Verdict {
  const verdicts = classes.map((entry) => entry.verdict);
  if (verdicts.includes("blind")) return "blind";
  return verdicts.includes("lossy") ? "lossy" : "complete";
}
