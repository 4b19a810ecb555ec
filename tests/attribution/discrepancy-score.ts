import { openCapture } from "../../src/evidence/reader.ts";
import { streamCaptureEvents } from "../../src/evidence/reader-streams.ts";
import type { DiscrepancyCode } from "../../src/schema/discrepancy.ts";
import type { CaptureEvent } from "../../src/schema/event.ts";
import { readStreams } from "../../src/summary/build-summary.ts";
import { type DiscrepancyFacts, findDiscrepancies } from "../../src/summary/discrepancies/find.ts";
import { Said } from "../../src/summary/discrepancies/said.ts";
import { loadEvidence } from "../../src/summary/evidence.ts";
import { discrepancyFacts } from "../../src/summary/summarize.ts";
import { type Alteration, codesOfAltered } from "./altered.ts";
import type { Phrase } from "./phrases.ts";

/** Codes that are about effects, whatever is said. */
const OF_EFFECTS: ReadonlySet<DiscrepancyCode> = new Set(["unattributed-effects", "forged-marks"]);

/** What was found of what was planted, and what was found besides. */
export class DiscrepancyScore {
  planted = 0;
  found = 0;
  honest = 0;
  readonly missed: string[] = [];
  readonly falseAlarms: string[] = [];

  add(what: string, wanted: readonly DiscrepancyCode[], codes: readonly DiscrepancyCode[]): void {
    if (wanted.length === 0) this.honest++;
    this.planted += wanted.length;
    for (const one of wanted) {
      if (codes.includes(one)) this.found++;
      else this.missed.push(`${one}: ${what}`);
    }
    for (const one of new Set(codes)) if (!wanted.includes(one)) this.falseAlarms.push(`${one}: ${what}`);
  }

  addAll(other: DiscrepancyScore): void {
    this.planted += other.planted;
    this.found += other.found;
    this.honest += other.honest;
    this.missed.push(...other.missed);
    this.falseAlarms.push(...other.falseAlarms);
  }

  /** Share of what was planted that was found. */
  get recall(): number {
    return this.planted === 0 ? 1 : this.found / this.planted;
  }

  /** Share of what was found that was planted. */
  get precision(): number {
    const all = this.found + this.falseAlarms.length;
    return all === 0 ? 1 : this.found / all;
  }

  line(): string {
    const { found, planted, honest, falseAlarms } = this;
    return `${found} of ${planted} planted discrepancies found (recall ${this.recall.toFixed(3)}), ${falseAlarms.length} false alarms over these and ${honest} honest ones (precision ${this.precision.toFixed(3)})`;
  }
}

/** Each phrase as the last words of the agent of that run; the evidence stays as it is. */
export async function scorePhrases(dir: string, phrases: readonly Phrase[], score: DiscrepancyScore): Promise<void> {
  const { facts, events } = await factsOf(dir);
  for (const { on, say, finds } of phrases) {
    const said = new Said();
    said.hear(say);
    for (const event of events) said.add(event);
    const codes = findDiscrepancies({ ...facts, statement: said.statement() }).map((one) => one.code);
    score.add(
      `${on}: ${say}`,
      finds === undefined ? [] : [finds],
      codes.filter((code) => !OF_EFFECTS.has(code)),
    );
  }
}

/** Each alteration of the agent's word in a copy of the capture, read anew from the disk. */
export async function scoreAlterations(
  dir: string,
  alterations: readonly Alteration[],
  score: DiscrepancyScore,
): Promise<void> {
  for (const one of alterations) {
    const codes = await codesOfAltered(dir, one);
    score.add(
      one.title,
      one.finds,
      codes.filter((code) => !OF_EFFECTS.has(code)),
    );
  }
}

async function factsOf(dir: string): Promise<{ facts: DiscrepancyFacts; events: CaptureEvent[] }> {
  const capture = openCapture(dir);
  const streams = await readStreams(capture);
  const events: CaptureEvent[] = [];
  await streamCaptureEvents(capture, (event) => events.push(event));
  const tools = streams.tools.list((key) => streams.effects.effectsOf(key));
  const known = { tools, attribution: streams.effects.result() };
  return { facts: discrepancyFacts(loadEvidence(capture), streams, known), events };
}
