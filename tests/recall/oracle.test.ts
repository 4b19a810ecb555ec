import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FileCheck } from "../../src/summary/reconciliation/files.ts";
import { ProcessCheck } from "../../src/summary/reconciliation/processes.ts";
import { EngineUnderTest } from "../support/engines.ts";
import { buildSensor } from "../support/sensor-workload.ts";
import { CaptureFacts } from "./oracle/capture-facts.ts";
import { differences, type KnownDifference, unexplained } from "./oracle/facts.ts";
import { StraceFacts } from "./oracle/strace-facts.ts";
import { type WatchedTwice, watchTwice } from "./oracle/watched-twice.ts";
import known from "./oracle-known-differences.json" with { type: "json" };

const RUN_MS = 1_800_000;
/** Seconds each under strace; scripts/test-full.sh sets the variable and does everything. */
const WORK =
  process.env["OPENCODE_CAPTURE_FULL_ORACLE"] === "1"
    ? ["shell", "git", "make", "connect", "pytest", "pip", "npm"]
    : ["shell", "git", "make", "connect"];

describe("strace and the kernel sensor watch the same work", () => {
  let under: EngineUnderTest;
  let seen: WatchedTwice;
  let traced: StraceFacts;
  let captured: CaptureFacts;

  beforeAll(async () => {
    buildSensor();
    under = await EngineUnderTest.start("podman");
    seen = await watchTwice(under, WORK);
    traced = new StraceFacts(seen.calls, seen.startedIn);
    captured = new CaptureFacts(seen.events);
  }, RUN_MS);
  afterAll(() => under?.stop());

  it("the work was done, and the sensor says that it saw all of it", () => {
    expect(seen.stdout.match(/(?<=^done: ).*$/gm), seen.stderr).toEqual(WORK);
    expect(seen.exitCode).toBe(0);
    const levels = seen.statements.map((one) => [one.class, one.level, one.reason]);
    expect(levels.filter(([, level]) => level !== "complete")).toEqual([]);
  });

  it("programs, written names and connects are the same", () => {
    const found = differences(traced.facts, captured.facts);
    expect(unexplained(found, known as KnownDifference[])).toEqual([]);
    for (const what of [
      "exec",
      "exec-failed",
      "write",
      "rename",
      "link",
      "symlink",
      "unlink",
      "mkdir",
      "chmod",
      "truncate",
      "connect",
    ]) {
      expect(traced.facts.filter((one) => one.startsWith(`${what} `)).length, what).toBeGreaterThan(0);
    }
  });

  it("first arguments are the same, where no interpreter took their place", () => {
    for (const [told, firsts] of captured.firstArguments) {
      const whole = firsts.filter((one) => one !== undefined);
      if (whole.length < firsts.length) continue;
      expect([told, whole.toSorted()]).toEqual([told, traced.firstArguments.get(told)?.toSorted()]);
    }
  });

  it("the file diff and the events of such work bear each other out, and every process has an end", () => {
    const [files, processes] = [new FileCheck(), new ProcessCheck()];
    for (const event of seen.events) {
      files.add(event);
      processes.add(event);
    }
    const diff = { ...seen.diff, excluded: null };
    const results = [...files.results(diff, { events: null, diff: null }), processes.result(null)];
    expect(results.flatMap(({ mismatches }) => mismatches)).toEqual([]);
    for (const { check, matched, skipped } of results)
      expect([check, matched > 20, skipped]).toEqual([check, true, null]);
  });
});
