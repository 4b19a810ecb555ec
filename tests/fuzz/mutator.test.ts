import { expect, test } from "vitest";
import { guarded } from "./fuzz.ts";
import { mutate, pieces, Random } from "./mutator.ts";

const SEED = Buffer.from('{"a":1,"b":["x"]}\n');

test("a step that never ends is ended, and one that throws says what it threw", () => {
  expect(() =>
    guarded(() => {
      for (;;);
    }, 50),
  ).toThrow(/timed out/);
  expect(() => guarded(() => JSON.parse("{"))).toThrow(SyntaxError);
});

test("inputs are the same for the same seed, differ from each other, and cover what breaks parsers", () => {
  const inputs = (seed: number): string[] => {
    const random = new Random(seed);
    return Array.from({ length: 2000 }, () => mutate(random, [SEED]).toString("latin1"));
  };
  expect(inputs(1)).toEqual(inputs(1));
  expect(inputs(1)).not.toEqual(inputs(2));
  const made = inputs(1);
  expect(new Set(made).size).toBeGreaterThan(1200);
  expect(made.some((input) => input === "")).toBe(true);
  expect(made.some((input) => input.length > 60_000)).toBe(true);
  expect(made.some((input) => input.includes("\0"))).toBe(true);
  expect(made.some((input) => input === SEED.toString())).toBe(true);
});

test("pieces put together are the whole", () => {
  const random = new Random(3);
  for (let turn = 0; turn < 200; turn++) {
    const input = mutate(random, [SEED]);
    expect(Buffer.concat(pieces(random, input)).equals(input)).toBe(true);
  }
});
