import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { selectEngine } from "../../src/engine/select.ts";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { writeSummaryAndReport } from "../../src/report/build-report.ts";
import { recoverLostRuns } from "../../src/supervisor/recover.ts";
import { faultsOf } from "../support/capture-checker.ts";
import { readCapture } from "../support/captures.ts";
import { captureDirOf, runCli, startCli } from "../support/cli.ts";
import { bash, tempProject } from "../support/temp-project.ts";

// Whole runs on a machine that may be busy with others.
vi.setConfig({ testTimeout: 900_000 });

const PODMAN = { OPENCODE_CAPTURE_ENGINE: "podman" };
const CLOCK = path.resolve(import.meta.dirname, "../support/clock-jump.ts");
const DAY_MS = 86_400_000;

function withClock(setting: string): Record<string, string> {
  return { ...PODMAN, NODE_OPTIONS: `--import=${CLOCK}`, OPENCODE_CAPTURE_TEST_CLOCK: setting };
}

async function nextStart(captureRoot: string): Promise<void> {
  const engine = await selectEngine({ engine: "podman" });
  const { problems } = await recoverLostRuns({ captureRoot, engine, derive: writeSummaryAndReport });
  expect(problems).toEqual([]);
}

describe("S07 the wall clock is set while the agent works", () => {
  it.each([
    ["back", -DAY_MS],
    ["forward", DAY_MS],
  ])("a day %s: the capture says so, and its durations and order hold", async (direction, byMs) => {
    using project = tempProject([bash("sleep 2"), bash("echo two > two.txt", "call_2")]);
    const result = await runCli(["run", "--issue", "probe", ...project.options], withClock(String(byMs)));
    expect(result.code, result.stderr).toBe(0);
    const { run, completeness, exchanges } = readCapture(captureDirOf(result));
    expect(run).toMatchObject({ run_status: "completed", capture_valid: true });
    expect(run.duration_seconds).toBeGreaterThan(2);
    expect(run.duration_seconds).toBeLessThan(600);
    expect(completeness.gaps).toContainEqual(
      expect.objectContaining({ class: "clock", reason: expect.stringContaining(`set ${direction} by 86400 s`) }),
    );
    expect(exchanges.map((one) => one.seq)).toEqual(exchanges.map((_, index) => index));
    expect(faultsOf(project.captureRoot, { captures: 1, engineBin: "podman" })).toEqual([]);
  });
});

describe("S08 two runs at once", () => {
  it("in the same second, of the same issue: each has a capture of its own", async () => {
    using project = tempProject([bash("echo hello > hello.txt")]);
    const start = () => runCli(["run", "--issue", "probe", ...project.options], withClock("frozen"));
    const results = await Promise.all([start(), start()]);
    expect(
      results.map(({ code }) => code),
      results.map(({ stderr }) => stderr).join("\n"),
    ).toEqual([0, 0]);
    const names = results.map((result) => path.basename(captureDirOf(result))).toSorted();
    expect(names).toEqual(["20261122T161456Z-probe", "20261122T161456Z-probe-02"]);
    const ids = results.map((result) => readCapture(captureDirOf(result)).run.run_id);
    expect(new Set(ids).size).toBe(2);
    expect(faultsOf(project.captureRoot, { captures: 2, engineBin: "podman" })).toEqual([]);
  });
});

/** A control group that takes next to no memory. What a process has already stays charged elsewhere. */
function tightGroup(limitBytes: number): { add(pid: number): void } & Disposable {
  const v1 = fs.existsSync("/sys/fs/cgroup/memory/cgroup.procs");
  const dir = path.join(v1 ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup", `opencode-capture-test-${randomUUID()}`);
  fs.mkdirSync(dir);
  fs.writeFileSync(path.join(dir, v1 ? "memory.limit_in_bytes" : "memory.max"), String(limitBytes));
  return {
    add: (pid) => fs.writeFileSync(path.join(dir, "cgroup.procs"), String(pid)),
    [Symbol.dispose]: () => fs.rmdirSync(dir),
  };
}

describe("S05 the supervisor runs out of memory", () => {
  it("is killed by the kernel in mid-run; the next start finishes the capture", async () => {
    using group = tightGroup(4 << 20);
    using project = tempProject([bash("head -c 4000000 /dev/urandom | base64; sleep 30")]);
    const running = startCli(["run", "--issue", "probe", ...project.options], PODMAN);
    const names = () => fs.readdirSync(project.captureRoot).filter((name) => !name.startsWith("."));
    const exchanges = () => path.join(project.captureRoot, names()[0] ?? "none", LAYOUT.exchanges);
    await running.seen("capture  ");
    const size = () => fs.statSync(exchanges(), { throwIfNoEntry: false })?.size ?? 0;
    await expect.poll(size, { timeout: 120_000 }).toBeGreaterThan(0);
    group.add(running.child.pid ?? 0);
    const { signal, stderr } = await running.ended;
    expect(signal, stderr).toBe("SIGKILL");
    await nextStart(project.captureRoot);
    expect(faultsOf(project.captureRoot, { captures: 1, engineBin: "podman" })).toEqual([]);
  });
});
