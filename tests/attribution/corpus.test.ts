import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { readCapture } from "../support/captures.ts";
import { BUSY_ALTERATIONS } from "./alterations.ts";
import type { Alteration } from "./altered.ts";
import { CALM, FAILING_TESTS, LOOK } from "./bases.ts";
import { COMMAND_CASES } from "./cases-commands.ts";
import { PLUGIN_CASES } from "./cases-plugin.ts";
import { TOOL_CASES } from "./cases-tools.ts";
import { DiscrepancyScore, scoreAlterations, scorePhrases } from "./discrepancy-score.ts";
import type { AttributionCase } from "./label.ts";
import { PHRASES, type Phrase } from "./phrases.ts";
import { type Corpus, corpusProject, labelsOf, runCorpus } from "./run-corpus.ts";
import { addScores, type Score, scoreCorpus, scoreLine } from "./score.ts";

vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 1_800_000 });

/** Minutes; scripts/test-full.sh sets the variable. */
const everything = process.env["OPENCODE_CAPTURE_FULL_ATTRIBUTION"] === "1";

interface CorpusRun {
  title: string;
  cases: readonly AttributionCase[];
  options: { projectConfig?: boolean; plugin?: boolean };
  /** Which phrases are said of it, and what else its agent's side says. */
  said?: { phrases: Phrase["on"]; alterations: readonly Alteration[] };
}

const CALLS = [...COMMAND_CASES, ...TOOL_CASES, FAILING_TESTS];
const WITHOUT_MARKS = CALLS.map(({ findings: _, ...rest }) => rest);
const RUNS: CorpusRun[] = [
  {
    title: "every case in one run, with code of the project inside the agent",
    cases: [...CALLS, ...PLUGIN_CASES],
    options: { projectConfig: true },
    said: { phrases: "busy", alterations: BUSY_ALTERATIONS },
  },
  ...(everything
    ? [
        { title: "without the plugin, so without marks", cases: WITHOUT_MARKS, options: { plugin: false } },
        { title: "calls alone", cases: CALLS, options: {} },
        { title: "calls alone, again", cases: CALLS, options: {} },
        { title: "a calm run", cases: [CALM], options: {}, said: { phrases: "calm", alterations: [] } as const },
        {
          title: "a run that only looks",
          cases: [LOOK],
          options: {},
          said: { phrases: "look", alterations: [] } as const,
        },
      ]
    : []),
];

const scores: Score[] = [];
const discrepancies = new DiscrepancyScore();
afterAll(() => {
  if (scores.length === 0) return;
  process.stdout.write(`attribution corpus: ${scoreLine(addScores(scores))}\n`);
  process.stdout.write(`discrepancy corpus: ${discrepancies.line()}\n`);
});

describe.each(RUNS)("$title", ({ cases, options, said }) => {
  let corpus: Corpus;
  let capture: ReturnType<typeof readCapture>;
  let score: Score;
  beforeAll(async () => {
    corpus = corpusProject(cases);
    capture = await runCorpus(corpus, options);
    const expected = {
      findings: cases.flatMap((one) => one.findings ?? []),
      along: cases.flatMap((one) => one.along ?? []),
    };
    score = scoreCorpus(labelsOf(cases, capture), expected, capture.summary);
    scores.push(score);
  });
  afterAll(() => corpus.project[Symbol.dispose]());

  it("is a whole run", () => {
    expect(capture.run).toMatchObject({ run_status: "completed", capture_valid: true });
    const asked = cases.flatMap((one) => [...one.turns, ...(one.children ?? []).flatMap(({ turns }) => turns)]);
    const made = capture.exchanges.flatMap((one) => one.tool_calls.map((call) => call.id ?? ""));
    const calls = asked.flatMap((turn) => turn.toolCalls ?? []).map((call) => call.id ?? "");
    expect(made.toSorted()).toEqual(calls.toSorted());
  });

  it("ties no effect to a wrong call", () => {
    expect(score.wrong).toEqual([]);
  });

  it("ties every effect of a call to it", () => {
    expect(score.missed).toEqual([]);
    expect(score.attributed / score.attributable).toBeGreaterThanOrEqual(0.99);
    expect(score.stray).toEqual([]);
  });

  it("leaves what no call did unattributed", () => {
    expect(score.leaked).toEqual([]);
    expect(score.held).toBe(score.planted);
  });

  it("finds the marks that do not fit", () => {
    expect(score.unfound).toEqual([]);
  });

  it.runIf(said !== undefined)("finds what is said and was not done, and what was done and is denied", async () => {
    const own = new DiscrepancyScore();
    const phrases = PHRASES.filter(({ on }) => on === said?.phrases);
    await scorePhrases(capture.dir, phrases, own);
    await scoreAlterations(capture.dir, said?.alterations ?? [], own);
    discrepancies.addAll(own);
    expect(own.falseAlarms).toEqual([]);
    expect(own.found).toBeGreaterThan(0);
  });
});

it("misses few of the planted discrepancies", () => {
  expect(discrepancies.recall, discrepancies.missed.join("\n")).toBeGreaterThanOrEqual(0.95);
});
