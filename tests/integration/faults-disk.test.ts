import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it, vi } from "vitest";
import { selectEngine } from "../../src/engine/select.ts";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { writeSummaryAndReport } from "../../src/report/build-report.ts";
import type { RunRecord } from "../../src/schema/run.ts";
import { recoverLostRuns } from "../../src/supervisor/recover.ts";
import { faultsOf } from "../support/capture-checker.ts";
import { runCli, startCli } from "../support/cli.ts";
import { smallDisk, smallTmpfs } from "../support/small-disk.ts";
import { bash, tempProject } from "../support/temp-project.ts";

// Whole runs on a machine that may be busy with others.
vi.setConfig({ testTimeout: 900_000 });

const PODMAN = { OPENCODE_CAPTURE_ENGINE: "podman" };
const MIB = 1024 ** 2;

function namesIn(captureRoot: string): string[] {
  return fs.readdirSync(captureRoot).filter((name) => !name.startsWith("."));
}

/** Resolves when the agent has its first answer from the model: it is at work then. */
async function agentAtWork(captureRoot: string): Promise<string> {
  const exchanges = (): string => path.join(captureRoot, namesIn(captureRoot)[0] ?? "none", LAYOUT.exchanges);
  const size = (): number => fs.statSync(exchanges(), { throwIfNoEntry: false })?.size ?? 0;
  await expect.poll(size, { timeout: 120_000 }).toBeGreaterThan(0);
  return path.dirname(path.dirname(exchanges()));
}

describe("S03 a disk that is really full", () => {
  it.each([1, 4, 12])("at the start, a tmpfs of %i MiB: says so, ends with 3 and leaves nothing", async (sizeMiB) => {
    using disk = smallTmpfs(sizeMiB);
    disk.fill(sizeMiB > 4 ? MIB : 64 << 10);
    const captureRoot = path.join(disk.dir, "captures");
    using project = tempProject([bash("true")]);
    const result = await runCli(["run", "--issue", "probe", "--capture-root", captureRoot, ...project.options], PODMAN);
    expect(result.code, result.stderr).toBe(3);
    expect(result.stderr).toMatch(/full|too little room/);
    expect(result.stderr).toContain("→ free some space");
    expect(result.stderr).not.toContain("a fault of opencode-capture itself");
    expect(result.stdout).toBe("");
    expect(faultsOf(captureRoot, { captures: 0, engineBin: "podman" })).toEqual([]);
  });

  it.each([
    ["no byte", 0],
    ["256 KiB", 256 << 10],
    ["3 MiB", 3 * MIB],
  ])(
    "while the agent works, %s left on an ext4: the capture is whole and says what is missing",
    async (_, leaveBytes) => {
      using disk = smallDisk(900);
      const captureRoot = path.join(disk.dir, "captures");
      using project = tempProject([
        bash("sleep 5; head -c 8000000 /dev/urandom > big.bin; yes | head -n 100000; sleep 1"),
      ]);
      const running = startCli(["run", "--issue", "probe", "--capture-root", captureRoot, ...project.options], PODMAN);
      const dir = await agentAtWork(captureRoot);
      disk.fill(leaveBytes);
      const result = await running.ended;
      // Nothing is freed before this: the run must end in order on a full disk.
      const record = JSON.parse(fs.readFileSync(path.join(dir, LAYOUT.run), "utf8")) as RunRecord;
      expect(record, result.stderr).toMatchObject({ capture_valid: true });
      expect(record.finished_at).not.toBeNull();
      expect(result.code, result.stderr).toBe(0);
      expect(faultsOf(captureRoot, { captures: 1, engineBin: "podman" })).toEqual([]);
      disk.free();
      const engine = await selectEngine({ engine: "podman" });
      const { problems } = await recoverLostRuns({ captureRoot, engine, derive: writeSummaryAndReport });
      expect(problems).toEqual([]);
      expect(faultsOf(captureRoot, { captures: 1, engineBin: "podman" })).toEqual([]);
    },
  );
});
