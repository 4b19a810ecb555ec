import { expect, test } from "vitest";
import type { EffectCause } from "../../src/schema/attribution.ts";
import type { Summary } from "../../src/schema/summary.ts";
import type { Label } from "./label.ts";
import { scoreCorpus } from "./score.ts";

const byCall = (call: string, confidence: "high" | "medium" = "high"): EffectCause => ({
  kind: "call",
  call,
  method: "command",
  confidence,
  why: null,
});
const nobody: EffectCause = { kind: "none", call: null, method: null, confidence: null, why: "no-call" };
const agent: EffectCause = { ...nobody, kind: "agent", why: "repository" };

function score(label: Label, causes: readonly EffectCause[], stray: readonly string[] = []) {
  const by = causes.map((cause, at) => ({ process: `${at}-1`, cause }));
  const summary = {
    tools: [
      { key: "0.0", call_id: "a" },
      { key: "0.1", call_id: "b" },
    ],
    attribution: {
      files: [{ path: "/w/x.1", by }],
      hosts: [],
      processes: [],
      unattributed_effects: stray.map((text) => ({ text, why: "no-call", process: "9-9" })),
      mark_conflicts: [],
    },
  } as unknown as Summary;
  const found = scoreCorpus([label], { findings: [{ kind: "scrubbed", mark: "a" }], along: ["along"] }, summary);
  return {
    share: `${found.attributed}/${found.attributable}`,
    planted: `${found.held}/${found.planted}`,
    bad: [found.wrong.length, found.missed.length, found.leaked.length, found.stray.length, found.unfound.length],
    guesses: `${found.guessedRight}/${found.guessed}`,
  };
}

const file = "/w/x.1";

test("what is right counts, what is wrong or missing is told", () => {
  expect(score({ file, by: ["a"] }, [byCall("0.0")])).toMatchObject({ share: "1/1", bad: [0, 0, 0, 0, 1] });
  expect(score({ file, by: ["a"] }, [byCall("0.1")])).toMatchObject({ share: "0/1", bad: [1, 1, 0, 0, 1] });
  expect(score({ file, by: ["a", "b"] }, [byCall("0.0")])).toMatchObject({ share: "1/2", bad: [0, 1, 0, 0, 1] });
  expect(score({ file, by: ["a"] }, [nobody])).toMatchObject({ share: "0/1", bad: [0, 2, 0, 0, 1] });
  expect(score({ file, by: ["a"] }, [])).toMatchObject({ share: "0/1", bad: [0, 1, 0, 0, 1] });
});

test("a guess between equal calls is no error when it is said to be one", () => {
  const label: Label = { file, by: ["a"], equals: ["a", "b"] };
  expect(score(label, [byCall("0.1", "medium")])).toMatchObject({ share: "1/1", guesses: "0/1", bad: [0, 0, 0, 0, 1] });
  expect(score(label, [byCall("0.0", "medium")])).toMatchObject({ share: "1/1", guesses: "1/1" });
  expect(score(label, [byCall("0.1")])).toMatchObject({ share: "0/1", bad: [1, 1, 0, 0, 1] });
});

test("what was planted must stand without a cause", () => {
  expect(score({ file, planted: true }, [nobody])).toMatchObject({ planted: "1/1", bad: [0, 0, 0, 0, 1] });
  expect(score({ file, planted: true }, [byCall("0.0")])).toMatchObject({ planted: "0/1", bad: [0, 0, 1, 0, 1] });
  expect(score({ file, planted: true }, [agent])).toMatchObject({ planted: "0/1" });
  expect(score({ file: "/w/y", planted: true }, [])).toMatchObject({ planted: "0/1" });
  expect(score({ file, planted: true }, [nobody], ["written /w/x.1", "other", "came along"]).bad).toEqual([
    0, 0, 0, 1, 1,
  ]);
});

test("of twins one is the call's and one is nobody's", () => {
  const label: Label = { file: "/w/x.*", twin: "a" };
  expect(score(label, [byCall("0.0"), nobody])).toMatchObject({ share: "1/1", planted: "1/1" });
  expect(score(label, [byCall("0.0"), byCall("0.0")])).toMatchObject({ share: "1/1", planted: "0/1" });
  expect(score(label, [byCall("0.1"), nobody])).toMatchObject({ share: "0/1", bad: [1, 1, 0, 0, 1] });
});
