import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CaptureError, errorMessage } from "../../src/core/errors.ts";
import { replaceStorage } from "../../src/core/storage.ts";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { writeSummaryAndReport } from "../../src/report/build-report.ts";
import { recoverLostRuns } from "../../src/supervisor/recover.ts";
import { faultsOf } from "../support/capture-checker.ts";
import { everyOr } from "../support/fault-points.ts";
import { NO_ENGINE, recording, replayRun } from "../support/replayed-run.ts";
import { type Acknowledged, type Fault, FaultyStorage } from "../support/storage-faults.ts";

const KILLED_REPLAY = path.resolve(import.meta.dirname, "../support/replay-and-die.ts");

let root = "";
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "faults-"));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

interface Replay {
  /** The agent had begun before it ended. */
  begun: boolean;
  error: unknown;
  acknowledged: Acknowledged[];
  /** Calls that the fault could have met. */
  calls: number;
}

async function replay(captureRoot: string, fault: Fault | undefined, at: number): Promise<Replay> {
  const acknowledged: Acknowledged[] = [];
  const onAcknowledged = (what: Acknowledged): void => void acknowledged.push(what);
  let faulty: FaultyStorage | undefined;
  let begun = false;
  let error: unknown;
  {
    using _ = replaceStorage((system) => (faulty = new FaultyStorage(system, { fault, at, onAcknowledged })));
    try {
      await replayRun(captureRoot, () => (begun = true));
    } catch (thrown) {
      error = thrown;
    }
  }
  return { begun, error, acknowledged, calls: faulty?.count ?? 0 };
}

function nextStart(captureRoot: string) {
  return recoverLostRuns({ captureRoot, engine: NO_ENGINE, derive: writeSummaryAndReport });
}

/** What the storage has said it holds must be there, byte for byte. */
function lostOf(captureRoot: string, acknowledged: readonly Acknowledged[]): string[] {
  const { stdout, stderr, events } = recording();
  const expected: Record<string, Buffer> = {
    [LAYOUT.stdoutLog]: stdout,
    [LAYOUT.stderrLog]: stderr,
    [LAYOUT.nativeEvents]: events,
  };
  const last = new Map(acknowledged.map((one) => [one.file, one]));
  const lost: string[] = [];
  for (const { file, sizeBytes } of last.values()) {
    const below = path.relative(captureRoot, file).split(path.sep);
    if (below[0] === ".runs" || file.endsWith(".unfinished") || file.endsWith(".tmp")) continue;
    const now = fs.existsSync(file) && fs.statSync(file).isFile() ? fs.readFileSync(file) : undefined;
    if (sizeBytes === undefined) continue;
    if (now === undefined || now.length < sizeBytes) lost.push(`${file}: ${now?.length} of ${sizeBytes} bytes`);
    const whole = expected[below.slice(1).join("/")];
    if (whole !== undefined && now !== undefined && !whole.subarray(0, now.length).equals(now)) {
      lost.push(`${file} does not hold what the agent said`);
    }
  }
  return lost;
}

/** Without a fault: the number of calls that each kind of fault can meet. */
async function callsFor(fault: Fault): Promise<number> {
  const scratch = path.join(root, "count");
  const { calls, error } = await replay(scratch, fault, Number.MAX_SAFE_INTEGER);
  expect(error).toBeUndefined();
  expect(faultsOf(scratch, { captures: 1 })).toEqual([]);
  expect(calls).toBeGreaterThan(30);
  return calls;
}

async function tryFault(fault: Fault, at: number): Promise<string[]> {
  const captureRoot = path.join(root, `${fault}-${at}`);
  const { begun, error, acknowledged } = await replay(captureRoot, fault, at);
  const found: string[] = [];
  if (error !== undefined && !(error instanceof CaptureError && /^(disk-full|write-failed)$/.test(error.code))) {
    found.push(`told as a fault of the program: ${errorMessage(error)}`);
  }
  if (begun) {
    // Killed or not, the process is not there any more when the next start looks.
    forgetOwner(captureRoot);
    const { problems } = await nextStart(captureRoot);
    found.push(...problems, ...lostOf(captureRoot, acknowledged));
  }
  found.push(...faultsOf(captureRoot, { captures: begun ? 1 : 0 }));
  fs.rmSync(captureRoot, { recursive: true, force: true });
  return found.map((text) => `${fault} at ${at}: ${text}`);
}

/** Gives what this process has left to one that is gone. */
function forgetOwner(captureRoot: string): void {
  const runs = path.join(captureRoot, ".runs");
  for (const name of fs.existsSync(runs) ? fs.readdirSync(runs) : []) {
    const file = path.join(runs, name, "owner.json");
    if (!fs.existsSync(file)) continue;
    const owner = JSON.parse(fs.readFileSync(file, "utf8")) as { owner: { startTime: string } };
    owner.owner.startTime = "1";
    fs.writeFileSync(file, JSON.stringify(owner));
  }
}

describe("a fault at the Nth call to the storage", () => {
  const kinds: [string, Fault][] = [
    ["S03 short write", "short"],
    ["S03 disk full", "enospc"],
    ["S03 disk full for a moment", "enospc-once"],
    ["S04 EIO", "eio"],
    ["S04 EIO once", "eio-once"],
  ];
  it.each(kinds)(
    "%s: one capture, nothing lost, nothing claimed that is not so",
    { timeout: 1_800_000 },
    async (_, fault) => {
      const found: string[] = [];
      for (const at of everyOr(await callsFor(fault), 12)) found.push(...(await tryFault(fault, at)));
      expect(found).toEqual([]);
    },
  );
});

interface Death {
  begun: boolean;
  killed: boolean;
  acknowledged: Acknowledged[];
}

function die(captureRoot: string, at: number, what: "run" | "recover"): Promise<Death> {
  return new Promise((resolve, reject) => {
    const args = [KILLED_REPLAY, captureRoot, String(at), what];
    execFile(process.execPath, args, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const killed = error?.signal === "SIGKILL";
      if (error !== null && !killed) return reject(new Error(`${error.message}\n${stderr}`));
      const said = stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Acknowledged | "begun");
      const acknowledged = said.filter((one) => one !== "begun");
      resolve({ begun: said.length > acknowledged.length, killed, acknowledged });
    });
  });
}

/** A capture appears by the rename that gives it its name. */
function wasAccepted(captureRoot: string, acknowledged: readonly Acknowledged[]): boolean {
  return acknowledged.some(({ file }) => path.dirname(file) === captureRoot && !path.basename(file).startsWith("."));
}

describe("SIGKILL of the supervisor at the Nth call to the storage", () => {
  it("S01 the next start finishes the one capture, and all that was acknowledged is there", {
    timeout: 3_600_000,
  }, async () => {
    const calls = await callsFor("kill");
    const found: string[] = [];
    for (const at of everyOr(calls, 12)) {
      const captureRoot = path.join(root, `kill-${at}`);
      const { killed, acknowledged } = await die(captureRoot, at, "run");
      expect(killed).toBe(true);
      const { problems } = await nextStart(captureRoot);
      const captures = wasAccepted(captureRoot, acknowledged) ? 1 : 0;
      const faults = [...problems, ...lostOf(captureRoot, acknowledged), ...faultsOf(captureRoot, { captures })];
      found.push(...faults.map((text) => `kill at ${at}: ${text}`));
      fs.rmSync(captureRoot, { recursive: true, force: true });
    }
    expect(found).toEqual([]);
  });

  it("S01 recovery itself is killed at every step, and the start after that finishes it", {
    timeout: 1_800_000,
  }, async () => {
    const middle = Math.floor((await callsFor("kill")) / 2);
    const found: string[] = [];
    for (const at of everyOr(30, 6)) {
      const captureRoot = path.join(root, `recover-${at}`);
      await die(captureRoot, middle, "run");
      const { killed } = await die(captureRoot, at, "recover");
      const { problems } = await nextStart(captureRoot);
      found.push(
        ...[...problems, ...faultsOf(captureRoot, { captures: 1 })].map((text) => `recovery killed at ${at}: ${text}`),
      );
      fs.rmSync(captureRoot, { recursive: true, force: true });
      if (!killed) break;
    }
    expect(found).toEqual([]);
  });
});

describe("S08, S09 more than one supervisor at a capture root", () => {
  it("several starts at once finish a lost run once, and leave the running one alone", async () => {
    const captureRoot = path.join(root, "shared");
    await die(captureRoot, Math.floor((await callsFor("kill")) / 2), "run");
    let starts: Promise<{ finished: string[]; problems: string[] }[]> = Promise.resolve([]);
    const own = await replayRun(captureRoot, () => {
      starts = Promise.all([nextStart(captureRoot), nextStart(captureRoot), nextStart(captureRoot)]);
    });
    const results = await starts;
    expect(results.flatMap(({ problems }) => problems)).toEqual([]);
    const finished = results.flatMap((result) => result.finished);
    expect(finished).toHaveLength(1);
    expect(finished).not.toContain(own.captureDir);
    expect(own.record).toMatchObject({ end_reason: "exit", capture_valid: true });
    expect(faultsOf(captureRoot, { captures: 2 })).toEqual([]);
  });

  it("a capture root that was moved before the next start is finished all the same", async () => {
    const before = path.join(root, "before");
    await die(before, Math.floor((await callsFor("kill")) / 2), "run");
    const after = path.join(root, "after");
    fs.renameSync(before, after);
    const { finished, problems } = await nextStart(after);
    expect({ finished: finished.length, problems }).toEqual({ finished: 1, problems: [] });
    expect(fs.readdirSync(path.join(after, ".runs"))).toEqual([]);
  });
});
