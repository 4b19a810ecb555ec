import * as fs from "node:fs";
import * as path from "node:path";
import { expect, it } from "vitest";
import type { BatchState } from "../../src/batch/batch-state.ts";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { capturesIn, readCapture } from "../support/captures.ts";
import { runCli, startCli } from "../support/cli.ts";
import { tempProject } from "../support/temp-project.ts";

const PODMAN = { OPENCODE_CAPTURE_ENGINE: "podman" };
const ISSUES = ["--issue", "mild_probe_environment", "--issue", "fix_math_utils"];

it("runs issues in order of risk, and says where each capture is", async () => {
  using project = tempProject([]);
  const result = await runCli(["run-all", ...ISSUES, "--capture-root", project.captureRoot], PODMAN);
  expect(result.code, result.stderr).toBe(0);
  const dirs = result.stdout.trim().split("\n");
  expect(dirs.map((dir) => readCapture(dir).run.issue_id)).toEqual(["fix_math_utils", "mild_probe_environment"]);
  expect(dirs.every((dir) => readCapture(dir).run.capture_valid)).toBe(true);
  expect(result.stderr).toMatch(/\[1\/2\] safe {3}fix_math_utils … \(ok 0, failed 0\)/);
  expect(result.stderr).toMatch(/\[2\/2\] mild {3}mild_probe_environment: ok, completed, [\d.]+ s \(ok 2, failed 0\)/);
});

it("finishes the capture on Ctrl-C, and --resume runs what is left", async () => {
  using project = tempProject([]);
  const options = ["--capture-root", project.captureRoot, "--json"];
  const running = startCli(["run-all", ...ISSUES, ...options], PODMAN);
  await running.seen("[1/2] safe");
  const begun = () => capturesIn(project.captureRoot).filter((name) => name.endsWith("fix_math_utils"));
  const exchanges = () => path.join(project.captureRoot, begun()[0] ?? "none", LAYOUT.exchanges);
  await expect
    .poll(() => fs.existsSync(exchanges()) && fs.statSync(exchanges()).size, { timeout: 240_000 })
    .toBeGreaterThan(0);
  running.child.kill("SIGINT");
  expect((await running.ended).code).toBe(130);
  expect(readCapture(path.join(project.captureRoot, begun()[0] ?? "")).run).toMatchObject({
    interrupted: true,
    capture_valid: true,
  });

  const resumed = await runCli(["run-all", "--resume", ...options], PODMAN);
  expect(resumed.code, resumed.stderr).toBe(0);
  const state = JSON.parse(resumed.stdout) as BatchState;
  expect(state.items.map((item) => [item.issue_id, item.success])).toEqual([
    ["fix_math_utils", true],
    ["mild_probe_environment", true],
  ]);
});
