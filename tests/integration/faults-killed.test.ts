import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { ContainerEngine } from "../../src/engine/port.ts";
import { selectEngine } from "../../src/engine/select.ts";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { writeSummaryAndReport } from "../../src/report/build-report.ts";
import type { RunRecord } from "../../src/schema/run.ts";
import { recoverLostRuns } from "../../src/supervisor/recover.ts";
import { faultsOf } from "../support/capture-checker.ts";
import { everyOr } from "../support/fault-points.ts";
import { KILL_POINT, KILL_POINTS } from "../support/kill-points.ts";
import { bash, tempProject } from "../support/temp-project.ts";

// Whole runs on a machine that may be busy with others.
vi.setConfig({ testTimeout: 900_000 });

const ROOT = path.resolve(import.meta.dirname, "..", "..");
const KILLER = path.join(ROOT, "tests", "support", "kill-point.ts");
const ENGINE = path.join(ROOT, "tests", "support", "fault-engine.sh");

let engine: ContainerEngine;
beforeAll(async () => {
  engine = await selectEngine({ engine: "podman" });
});

/** A run of the real program that ends by SIGKILL at `point`. @returns how it ended, and what it said. */
async function killedRun(point: string, options: readonly string[]): Promise<{ signal: string | null; said: string }> {
  const main = path.join(ROOT, "src", "cli", "main.ts");
  const engineOptions = point.startsWith("engine") ? ["--docker-bin", ENGINE] : [];
  const args = [
    "--import",
    KILLER,
    main,
    "run",
    "--issue",
    "probe",
    "--engine",
    "podman",
    ...engineOptions,
    ...options,
  ];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, [KILL_POINT]: point },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [said, [, signal]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  return { signal: signal as string | null, said };
}

/** Files of the record that was being kept when the supervisor died: what they hold must still stand in them later. */
function growingFiles(captureRoot: string): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const name of fs.readdirSync(captureRoot).filter((one) => !one.startsWith("."))) {
    for (const file of [LAYOUT.stdoutLog, LAYOUT.stderrLog, LAYOUT.nativeEvents, LAYOUT.exchanges, LAYOUT.fsDiff]) {
      const at = path.join(captureRoot, name, file);
      if (fs.existsSync(at)) found.set(at, fs.readFileSync(at));
    }
  }
  return found;
}

describe("S01 SIGKILL of the supervisor in a real run", () => {
  const chosen = everyOr(KILL_POINTS.length, 6).map((number) => KILL_POINTS[number - 1] ?? "");

  it.each(chosen)("at `%s`: the next start finishes the one capture and removes the container", async (point) => {
    using project = tempProject([bash("echo hello; echo made > made.txt")]);
    const { signal, said } = await killedRun(point, project.options);
    expect(signal, `the point was not reached:\n${said}`).toBe("SIGKILL");
    const before = growingFiles(project.captureRoot);
    const { problems } = await recoverLostRuns({
      captureRoot: project.captureRoot,
      engine,
      derive: writeSummaryAndReport,
    });
    expect(problems).toEqual([]);
    expect(faultsOf(project.captureRoot, { captures: 1, engineBin: "podman" })).toEqual([]);
    for (const [file, content] of before) expect(fs.readFileSync(file).equals(content), file).toBe(true);
    const [name = ""] = fs.readdirSync(project.captureRoot).filter((one) => !one.startsWith("."));
    const run = JSON.parse(fs.readFileSync(path.join(project.captureRoot, name, LAYOUT.run), "utf8")) as RunRecord;
    expect(["supervisor-lost", "exit"]).toContain(run.end_reason);
    expect(run.capture_valid).toBe(true);
  });
});
