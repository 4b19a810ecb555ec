import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { capturesIn, readCapture } from "../support/captures.ts";
import { captureDirOf, runCli } from "../support/cli.ts";
import { bash, tempProject } from "../support/temp-project.ts";

const PODMAN = { OPENCODE_CAPTURE_ENGINE: "podman" };
const MIB = 1 << 20;

/** A capture root on a disk of its own, of `sizeMib`. */
function smallDisk(sizeMib: number): { root: string } & Disposable {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "opencode-capture-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMib}m`, "tmpfs", root]);
  return {
    root,
    [Symbol.dispose]: () => {
      execFileSync("umount", ["--lazy", root]);
      fs.rmdirSync(root);
    },
  };
}

function run(options: readonly string[], env: Record<string, string> = {}) {
  return runCli(["run", "--issue", "probe", ...options], { ...PODMAN, ...env });
}

describe("free space", () => {
  it("is checked before anything is made: how much there is, how much is needed, and what mends it", async () => {
    using disk = smallDisk(64);
    using project = tempProject([]);
    const result = await run([...project.options, "--capture-root", disk.root]);
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(/\d+ bytes are free, a run needs 805306368 \(768 MiB\)/);
    expect(result.stderr).toContain("--limit disk_reserve=SIZE");
    expect(result.stdout).toBe("");
    expect(capturesIn(disk.root)).toEqual([]);
  });

  it("is watched during a run: it ends before the disk is full, and the capture is whole", async () => {
    using disk = smallDisk(512);
    using project = tempProject([bash("dd if=/dev/zero of=/tmp/filling bs=1M count=2000; sleep 4731")]);
    const options = ["--capture-root", disk.root, "--limit", "disk_reserve=96MiB"];
    const result = await run([...project.options, ...options]);
    expect(result.code, result.stderr).toBe(0);
    const capture = readCapture(captureDirOf(result));
    expect(capture.run).toMatchObject({
      run_status: "infra_error",
      end_reason: "disk-full",
      capture_valid: true,
      settings: { limits: { disk_reserve: 96 * MIB } },
    });
    expect(capture.run.end_detail).toContain(`less than ${96 * MIB} bytes were left`);
    expect(capture.completeness.gaps).toContainEqual(expect.objectContaining({ class: "all" }));
    expect(fs.existsSync(path.join(capture.dir, "report", "index.html"))).toBe(true);
    const [filling] = capture.fsDiff.outside_workspace.flatMap(({ changes }) =>
      changes.filter((change) => change.path === "filling"),
    );
    expect(filling?.after_size).toBeLessThan(512 * MIB);
    expect(capturesIn(path.join(disk.root, ".runs"))).toEqual([]);
  });

  it("used up by the agent alone is told as that (A10)", async () => {
    using project = tempProject([bash("dd if=/dev/zero of=big bs=1M count=400; sleep 4732")]);
    const result = await run([...project.options, "--limit", "agent_files=128MiB"]);
    expect(result.code, result.stderr).toBe(0);
    const { run: record, fsDiff } = readCapture(captureDirOf(result));
    expect(record).toMatchObject({ run_status: "failed", end_reason: "disk-limit", capture_valid: true });
    expect(fsDiff.changes.find((change) => change.path === "big")?.after_size).toBeGreaterThan(64 * MIB);
  });
});

describe("streams", () => {
  it("are kept up to their limits, and what is cut is counted in every place that says so", async () => {
    const flood = [
      "head -c 3000000 /dev/zero > /proc/1/fd/1",
      "head -c 2000000 /dev/zero > /proc/1/fd/2",
      'for i in $(seq 400); do printf "%01000d\\n" 0; done > /capture/opencode_events.fifo',
      "sleep 1",
    ].join("; ");
    using project = tempProject([bash(flood)]);
    const file = { limits: { agent_stdout: "1MiB", native_events: "64KiB", container_log: "1MiB" } };
    fs.writeFileSync(path.join(project.dir, "opencode-capture.json"), JSON.stringify(file));
    const flags = ["--limit", "agent_stderr=500k", "--limit", "model_traffic=40k"];
    const result = await run([...project.options, ...flags], { OPENCODE_CAPTURE_LIMITS: "model_body=20000" });
    expect(result.code, result.stderr).toBe(0);
    const { dir, run: record, completeness } = readCapture(captureDirOf(result));
    const size = (name: string) => fs.statSync(path.join(dir, name)).size;
    expect(size(LAYOUT.stdoutLog)).toBe(MIB);
    expect(size(LAYOUT.stderrLog)).toBe(500 * 1024);
    expect(size(LAYOUT.nativeEvents)).toBeLessThanOrEqual(64 * 1024);
    expect(record.output.truncated).toBe(true);
    expect(record.output.stdout_bytes).toBeGreaterThanOrEqual(3_000_000);
    expect(record.output.stderr_bytes).toBeGreaterThanOrEqual(2_000_000);
    expect(record.native_events.truncated).toBe(true);
    const lossOf = (name: string) => completeness.classes.find((entry) => entry.class === name);
    expect(lossOf("agent-output")).toMatchObject({
      level: "lossy",
      lost: record.output.stdout_bytes - MIB + record.output.stderr_bytes - 500 * 1024,
    });
    for (const name of ["native-events", "model"]) expect(lossOf(name), name).toMatchObject({ level: "lossy" });
    expect(fs.readFileSync(path.join(dir, LAYOUT.containerLog), "utf8").slice(-100)).toMatch(/# \d+ bytes are missing/);
    const modelBytes = Number(
      execFileSync("du", ["-sb", path.join(dir, "model")], { encoding: "utf8" }).split("\t")[0],
    );
    // Directories themselves are counted too.
    expect(modelBytes).toBeLessThan(40 * 1024 + 3 * 4096);
    expect(record.settings["limits"]).toMatchObject({
      agent_stdout: MIB,
      model_body: 20_000,
      agent_stderr: 500 * 1024,
    });
  });
});
