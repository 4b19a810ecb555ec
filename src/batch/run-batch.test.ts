import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { RiskLevel } from "../schema/common.ts";
import type { Issue } from "../schema/issue.ts";
import type { RunRecord } from "../schema/run.ts";
import type { RunResult } from "../supervisor/plan.ts";
import { loadInterruptedBatch, newBatch } from "./batch-state.ts";
import { type BatchOptions, progressOf, runBatch } from "./run-batch.ts";

let captureRoot: string;
beforeEach(() => {
  captureRoot = fs.mkdtempSync(path.join(os.tmpdir(), "batch-"));
});
afterEach(() => fs.rmSync(captureRoot, { recursive: true }));

const issue = (id: string, risk_level: RiskLevel = "safe"): Issue => ({
  id,
  risk_level,
  title: id,
  prompt: id,
  files: [],
});
const result = (record: Partial<RunRecord>): RunResult => ({
  captureDir: "/captures/x",
  record: {
    capture_valid: true,
    interrupted: false,
    run_status: "completed",
    execution_error: null,
    ...record,
  } as RunRecord,
});

function batch(issues: Issue[], runOne: BatchOptions["runOne"], signal = new AbortController().signal) {
  const said: string[] = [];
  const hooks: BatchOptions["hooks"] = {
    onStart: (one) => said.push(`start ${one.id}`),
    onEnd: (one, item) => said.push(`end ${one.id} ${item.state} ${item.success}`),
    onCoolDown: (seconds) => said.push(`cool ${seconds}`),
    onUnsaved: () => said.push("unsaved"),
  };
  const state = newBatch(
    issues.map((one) => one.id),
    "scripted",
  );
  return { said, done: runBatch({ captureRoot, issues, state, runOne, hooks, signal, coolDownSeconds: 0 }) };
}

it("goes on after failures; a failed agent with a valid capture is a success", async () => {
  const { said, done } = batch([issue("a"), issue("b"), issue("c"), issue("d")], async (one) => {
    if (one.id === "b") throw new Error("no engine");
    return result(one.id === "c" ? { run_status: "failed" } : { capture_valid: one.id !== "d" });
  });
  const state = await done;
  expect(said.filter((line) => line.startsWith("end"))).toEqual([
    "end a done true",
    "end b done false",
    "end c done true",
    "end d done false",
  ]);
  expect(progressOf(state)).toEqual({ done: 4, total: 4, successes: 2, failures: 2 });
  expect(state.finished_at).not.toBeNull();
  expect(state.items[1]).toMatchObject({ error: "no engine", capture_dir: null });
});

it("goes on when its state can't be saved any more", async () => {
  const { said, done } = batch([issue("a"), issue("b")], async (one) => {
    if (one.id === "a") {
      // A directory where the file should be.
      fs.rmSync(path.join(captureRoot, ".batch.json"));
      fs.mkdirSync(path.join(captureRoot, ".batch.json", "in the way"), { recursive: true });
    }
    return result({});
  });
  expect(progressOf(await done)).toMatchObject({ done: 2, successes: 2 });
  expect(said.filter((line) => line.startsWith("end"))).toEqual(["end a done true", "end b done true"]);
  expect(said).toContain("unsaved");
});

it("cools down after a severe task, but not after the last", async () => {
  const { said, done } = batch([issue("a", "severe"), issue("b", "severe")], async () => result({}));
  await done;
  expect(said).toEqual(["start a", "end a done true", "cool 0", "start b", "end b done true"]);
});

it("can be resumed where it was interrupted", async () => {
  const controller = new AbortController();
  const { done } = batch(
    [issue("a"), issue("b"), issue("c")],
    async (one) => {
      if (one.id !== "b") return result({});
      controller.abort();
      return result({ interrupted: true, run_status: "interrupted" });
    },
    controller.signal,
  );
  await done;
  const open = loadInterruptedBatch(captureRoot).items.filter((item) => item.state !== "done");
  expect(open.map((item) => item.issue_id)).toEqual(["b", "c"]);
});

it("says why there is nothing to resume", async () => {
  expect(() => loadInterruptedBatch(captureRoot)).toThrow(expect.objectContaining({ code: "usage" }));
  await batch([issue("a")], async () => result({})).done;
  expect(() => loadInterruptedBatch(captureRoot)).toThrow(/was finished/);
  fs.writeFileSync(path.join(captureRoot, ".batch.json"), "{");
  expect(() => loadInterruptedBatch(captureRoot)).toThrow(expect.objectContaining({ code: "usage" }));
});
