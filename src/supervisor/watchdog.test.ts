import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { StopCause } from "./judge.ts";
import { Watchdog, type WatchdogOptions } from "./watchdog.ts";

// The clock of the program, on the timers that the test turns.
vi.mock("node:perf_hooks", () => ({ performance: { now: () => globalThis.performance.now() } }));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

/** Runs for `seconds` and tells at which second which limit was reached. `cpu`: seconds used at second t. */
function reached(
  seconds: number,
  cpu: (second: number) => number | undefined,
  more: Partial<WatchdogOptions> = {},
): [number, StopCause] | undefined {
  const startedMs = performance.now();
  const second = () => (performance.now() - startedMs) / 1000;
  let end: [number, StopCause] | undefined;
  const watchdog = new Watchdog({
    timeoutSeconds: 1000,
    idleSeconds: 10,
    cpuSeconds: () => cpu(second()),
    lastActivityMs: () => startedMs,
    onLimit: (cause) => {
      end = [Math.round(second()), cause];
    },
    ...more,
  });
  vi.advanceTimersByTime(seconds * 1000);
  watchdog.stop();
  return end;
}

it("tells an agent that does nothing", () => {
  expect(reached(60, () => 5)).toEqual([11, "idle-limit"]);
});

it("is not misled by single busy seconds", () => {
  // 6 % of one CPU in each third second, nothing in between.
  expect(reached(60, (t) => 0.06 * Math.floor(t / 3))).toEqual([11, "idle-limit"]);
});

it("lets an agent work that only computes, and sees when it ends", () => {
  expect(reached(60, (t) => t)).toBeUndefined();
  expect(reached(60, (t) => 0.04 * t)).toBeUndefined();
  expect(reached(60, (t) => Math.min(t, 20))?.[0]).toBeGreaterThanOrEqual(30);
  expect(reached(60, (t) => Math.min(t, 20))?.[1]).toBe("idle-limit");
});

it("waits after the last output, and while the counter can't be read", () => {
  const startedMs = performance.now();
  expect(reached(60, () => 5, { lastActivityMs: () => startedMs + 20_000 })?.[0]).toBeGreaterThanOrEqual(30);
  expect(reached(60, (t) => (t < 20 ? undefined : 5))?.[0]).toBeGreaterThanOrEqual(30);
  expect(reached(60, () => undefined)).toBeUndefined();
});

it("keeps the time limit, whatever the agent does", () => {
  expect(reached(60, (t) => t, { timeoutSeconds: 30 })).toEqual([30, "time-limit"]);
});
