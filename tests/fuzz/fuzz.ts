import * as v8 from "node:v8";
import * as vm from "node:vm";
import { expect, test } from "vitest";
import { mutate, Random } from "./mutator.ts";

/** Seconds for each parser: a taste in `make test`, a minute in `make test-full`. */
const SECONDS = Number(process.env["OPENCODE_CAPTURE_FUZZ_SECONDS"] ?? "1.5");
/** The same inputs in every run; `make test-full` looks for new ones. The seed is told with every failure. */
const SEED = Number(
  process.env["OPENCODE_CAPTURE_FUZZ_SEED"] ??
    (process.env["OPENCODE_CAPTURE_RANDOM_PROPERTIES"] === undefined ? 20_261_122 : Date.now() % 2 ** 32),
);
/** Far beyond what any of these inputs needs, also on a busy machine. */
const HANG_MS = 30_000;
const MOST_GROWTH_BYTES = 768 << 20;
const MOST_KEPT_BYTES = 96 << 20;

v8.setFlagsFromString("--expose-gc");
const collectGarbage = vm.runInNewContext("gc") as () => void;
const GUARDED = new vm.Script("globalThis.fuzzStep()");

/** Ends `step` when it does not end by itself: only the engine can stop a loop that never returns. */
export function guarded(step: () => void, hangMs = HANG_MS): void {
  (globalThis as { fuzzStep?: () => void }).fuzzStep = step;
  GUARDED.runInThisContext({ timeout: hangMs });
}

export interface FuzzOptions {
  /** Inputs that the parser takes; mutations start from them. */
  seeds: readonly [Buffer, ...Buffer[]];
  /** Fails (throws) when the parser does not hold what it promises. */
  check: (input: Buffer, random: Random) => void;
}

/** Text of an input, short enough for a message. */
function excerpt(input: Buffer): string {
  return `${input.length} bytes, base64 of the first 600: ${input.subarray(0, 600).toString("base64")}`;
}

/**
 * A test that gives `check` mutated inputs for a while: it must not throw, must end each time, and must not keep memory.
 * At least one input a run must be turned away and one taken is not asked here: `check` knows what that means.
 */
export function fuzz(name: string, { seeds, check }: FuzzOptions): void {
  test(
    name,
    () => {
      for (const seed of seeds) check(seed, new Random(1));
      const random = new Random(SEED);
      collectGarbage();
      const before = process.memoryUsage();
      const endMs = performance.now() + SECONDS * 1000;
      let count = 0;
      let input: Buffer = seeds[0];
      const batch = (): void => {
        for (let turn = 0; turn < 20; turn++, count++) {
          input = mutate(random, seeds);
          check(input, random);
        }
      };
      while (performance.now() < endMs) {
        try {
          guarded(batch);
        } catch (error) {
          throw new Error(`seed ${SEED}, input ${count}: ${String(error)}\n${excerpt(input)}`, { cause: error });
        }
        const { heapUsed, external } = process.memoryUsage();
        expect(heapUsed + external - before.heapUsed - before.external).toBeLessThan(MOST_GROWTH_BYTES);
      }
      collectGarbage();
      const after = process.memoryUsage();
      expect(after.heapUsed - before.heapUsed).toBeLessThan(MOST_KEPT_BYTES);
      expect(count).toBeGreaterThan(50);
    },
    SECONDS * 1000 + 120_000,
  );
}

/** The same for what reads files: `check` is awaited, so a loop that never yields is not ended. */
export function fuzzAsync(
  name: string,
  seeds: readonly [Buffer, ...Buffer[]],
  check: (input: Buffer, random: Random) => Promise<void>,
): void {
  test(
    name,
    async () => {
      for (const seed of seeds) await check(seed, new Random(1));
      const random = new Random(SEED);
      const endMs = performance.now() + SECONDS * 1000;
      let count = 0;
      for (; performance.now() < endMs; count++) {
        const input = mutate(random, seeds);
        try {
          await check(input, random);
        } catch (error) {
          throw new Error(`seed ${SEED}, input ${count}: ${String(error)}\n${excerpt(input)}`, { cause: error });
        }
      }
      collectGarbage();
      expect(count).toBeGreaterThan(5);
    },
    SECONDS * 1000 + 120_000,
  );
}
