import type { CaptureEvent } from "../../schema/event.ts";
import type { Flows } from "../../schema/flows.ts";
import type { Completeness, CompletenessClass } from "../../schema/observations.ts";
import type { Reconciliation } from "../../schema/reconciliation.ts";
import type { FsDiffView } from "../../schema/view.ts";
import { FileCheck } from "./files.ts";
import { NetworkCheck } from "./network.ts";
import { holeInConnects, holeInPackets } from "./network-holes.ts";
import { ProcessCheck } from "./processes.ts";

export interface Witnesses {
  completeness: Completeness | null;
  fsDiff: FsDiffView | null;
  /** Null: there are none that can be used. */
  flows: Flows | null;
  /** Lines of the events file that could not be read. */
  brokenLines: number;
}

const KERNEL = "kernel";
const FILE_CLASSES = ["file-workspace", "file-outside"] as const;

/** Holds the witnesses of a run against each other. Pure and streaming: events first, in their order, then `result`. */
export class Reconciler {
  readonly #files = new FileCheck();
  readonly #processes = new ProcessCheck();
  readonly #network = new NetworkCheck();

  add(event: CaptureEvent): void {
    this.#files.add(event);
    this.#processes.add(event);
    this.#network.add(event);
  }

  /** To be called once. */
  result(witnesses: Witnesses): Reconciliation {
    const { fsDiff, flows, completeness } = witnesses;
    const holes = {
      events: holeInConnects(completeness, witnesses.brokenLines),
      packets: holeInPackets(flows, completeness),
    };
    const results = [
      this.#processes.result(holeIn(witnesses, ["process"])),
      ...this.#network.results(flows ?? undefined, holes),
    ];
    if (fsDiff !== null) {
      const sides = { events: holeIn(witnesses, FILE_CLASSES), diff: holeInDiff(fsDiff, witnesses.completeness) };
      results.unshift(...this.#files.results(fsDiff, sides));
    }
    return {
      total: results.reduce((sum, { unmatched }) => sum + unmatched, 0),
      mismatches: results.flatMap(({ mismatches }) => mismatches),
      checks: results.map(({ mismatches: _, ...check }) => check),
    };
  }
}

/** Why the kernel's record of these classes is not whole; null: it is. */
function holeIn({ completeness, brokenLines }: Witnesses, names: readonly CompletenessClass["class"][]): string | null {
  if (brokenLines > 0) return `${brokenLines} lines of the events could not be read`;
  for (const name of names) {
    const stated = completeness?.classes.find((one) => one.sensor === KERNEL && one.class === name);
    if (stated === undefined) return `the kernel sensor states nothing on ${name}`;
    if (stated.level !== "complete") return `${name}: ${stated.reason}`;
  }
  return null;
}

/** Why a path that the file diff does not list may have changed all the same. */
function holeInDiff(diff: FsDiffView, completeness: Completeness | null): string | null {
  const isCut = diff.truncated !== false || (diff.outside_workspace ?? []).some((one) => one.truncated !== false);
  if (isCut) return "the file diff is cut";
  const gap = completeness?.gaps.find((one) => FILE_CLASSES.some((name) => name === one.class));
  return gap === undefined ? null : `the file diff has a gap: ${gap.reason}`;
}
