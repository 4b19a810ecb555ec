import { execFileSync, spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CaptureError } from "../../src/core/errors.ts";
import { decodeRecord } from "../../src/sensors/kernel/decode.ts";
import { FrameSplitter } from "../../src/sensors/kernel/frames.ts";
import { type KernelRecord, RECORD_CLASSES, type RecordClass } from "../../src/sensors/kernel/record.ts";
import { buildSensor, observe, ofKind, SENSOR_PROGRAM, startKept, Workload } from "../support/sensor-workload.ts";

let workload: Workload;

beforeAll(() => {
  buildSensor();
  workload = new Workload();
});

afterAll(() => workload.remove());

/** Numbers of enum record_kind, by tens. */
function classOf(kind: string): RecordClass | undefined {
  if (["fork", "exec", "exec-failed", "exit", "canary"].includes(kind)) return "process";
  if (["open", "close-write", "shared-mapping", "path"].includes(kind)) return "file";
  if (["credentials", "namespace", "reach", "blind-spot"].includes(kind)) return "security";
  return ["counters", "ready", "watching"].includes(kind) ? undefined : "network";
}

function countByClass(records: readonly { kind: string }[]): Record<RecordClass, number> {
  const counts = { process: 0, file: 0, network: 0, security: 0 };
  for (const { kind } of records) {
    const recordClass = classOf(kind);
    if (recordClass !== undefined) counts[recordClass]++;
  }
  return counts;
}

/** Resolves when the condition holds; the test's own limit ends a wait in vain. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}

describe("loss", () => {
  it("a reader that stalls makes the kernel side count: emitted = received + lost, in each class", async () => {
    const held = await workload.hold({ exec: 300, files: 2000, tcp: 300, blind: 50 });
    const records: (KernelRecord | { kind: "watching" })[] = [];
    const splitter = new FrameSplitter();
    const loader = spawn(SENSOR_PROGRAM, ["--ring-bytes", "4096"], { stdio: ["pipe", "pipe", "inherit"] });
    loader.stdout.on("data", (chunk: Buffer) => records.push(...splitter.push(chunk).map(decodeRecord)));
    await until(() => records.some(({ kind }) => kind === "ready"));
    loader.stdin.write(`watch ${held.pid}\n`);
    await until(() => records.some(({ kind }) => kind === "watching"));
    process.kill(loader.pid ?? 0, "SIGSTOP");
    await held.run();
    process.kill(loader.pid ?? 0, "SIGCONT");
    const ended = new Promise((resolve) => loader.on("close", resolve));
    loader.stdin.end();
    expect(await ended).toBe(0);
    const counters = records.findLast((record) => record.kind === "counters");
    const received = countByClass(records);
    for (const name of RECORD_CLASSES) {
      expect([name, counters?.emitted[name]]).toEqual([name, received[name] + (counters?.lost[name] ?? 0)]);
    }
    expect(counters?.final).toBe(true);
    expect(counters?.lost.file).toBeGreaterThan(1000);
    const numbers = records.flatMap((record) => ("seq" in record ? [record.seq] : []));
    expect(new Set(numbers).size).toBe(numbers.length);
    const total = RECORD_CLASSES.reduce((sum, name) => sum + (counters?.emitted[name] ?? 0), 0);
    expect(Math.max(...numbers)).toBeLessThan(total);
  });

  it("processes that the table has no room for are counted", async () => {
    const held = await workload.hold({ daemon: 20 });
    const { source, records } = await startKept({ processes: 1 });
    await source.watch(held.pid);
    await held.run();
    await source.stop();
    expect(ofKind(records, "counters").at(-1)?.untracked).toBeGreaterThan(0);
  });
});

describe("rights", () => {
  const asNobody = (capabilities: string): string[] => [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    `--inh-caps=-all${capabilities}`,
    `--ambient-caps=-all${capabilities}`,
  ];
  // A number is understood by every version of setpriv.
  const BPF = ",+cap_39";
  const PERFMON = ",+cap_38";

  it("CAP_BPF and CAP_PERFMON suffice, and are given up once it is loaded", async () => {
    const held = await workload.hold({ exec: 50, tcp: 10 });
    const { source, records } = await startKept({ wrapper: asNobody(BPF + PERFMON) });
    await source.watch(held.pid);
    const status = readFileSync(`/proc/${source.pid}/status`, "utf8");
    expect(status).toMatch(/^Uid:\s+65534\s/m);
    expect(status).toMatch(/^CapEff:\s+0+$/m);
    expect(status).toMatch(/^CapPrm:\s+0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    await held.run();
    expect(await source.stop()).toEqual({ faults: 0, failure: undefined });
    expect(ofKind(records, "exec")).toHaveLength(50);
    expect(ofKind(records, "connect")).toHaveLength(10);
  });

  it.each([
    ["CAP_BPF, CAP_PERFMON", ""],
    ["CAP_PERFMON", BPF],
    ["CAP_BPF", PERFMON],
  ])("without %s it says so", async (missing, capabilities) => {
    const failure = await startKept({ wrapper: asNobody(capabilities) }).catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(CaptureError);
    expect(failure).toMatchObject({ code: "sensor-unavailable", hint: expect.stringContaining("setcap") });
    expect(String(failure)).toMatch(new RegExp(`missing: ${missing}$`));
  });

  it("a program that is not there is a plain error", async () => {
    const failure = await startKept({ program: "/nowhere/capture-sensor" }).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: "sensor-unavailable", message: expect.stringContaining("ENOENT") });
  });
});

describe("ends", () => {
  /** Numbers of the BPF programs that the process holds. */
  const programsOf = (pid: number): string[] =>
    execFileSync("sh", ["-c", `cat /proc/${pid}/fdinfo/* | sed -n 's/^prog_id:[[:space:]]*//p'`], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line !== "");

  it("killed, it is told at once, and a new one finds the living", async () => {
    const held = await workload.hold({ exec: 20 });
    const first = await startKept();
    await first.source.watch(held.pid);
    const programs = programsOf(first.source.pid);
    expect(new Set(workload.programsAlive(programs)).size).toBe(10);
    process.kill(first.source.pid, "SIGKILL");
    await until(() => first.deaths.length > 0);
    expect(first.deaths).toEqual([expect.stringMatching(/^the sensor ended with signal SIGKILL after record \d+$/)]);
    // The kernel takes them away a moment later; that it does is what counts.
    await until(() => workload.programsAlive(programs).length === 0);
    const second = await startKept();
    await second.source.watch(held.pid);
    await held.run();
    await second.source.stop();
    expect(ofKind(second.records, "exec")).toHaveLength(20);
  });

  it("a process that is not there can't be watched", async () => {
    const { source } = await startKept();
    await expect(source.watch(4_000_000)).rejects.toThrow("there is no process 4000000 to watch");
    await source.stop();
    await expect(source.watch(1)).rejects.toThrow("the sensor has ended");
  });

  it("what stops the supervisor's terminal or process group does not stop it before its end is asked for", async () => {
    const { source, records, deaths } = await startKept();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(source.pid, signal);
    expect(await source.stop()).toEqual({ faults: 0, failure: undefined });
    expect(ofKind(records, "canary").map(({ at }) => at)).toEqual(["start", "end"]);
    expect(deaths).toEqual([]);
  });

  it("two sensors at a time see each its own", async () => {
    const [one, two] = await Promise.all([observe(workload, { exec: 100 }), observe(workload, { files: 100 })]);
    expect(ofKind(one.records, "exec")).toHaveLength(100);
    expect(ofKind(one.records, "close-write")).toHaveLength(0);
    expect(ofKind(two.records, "close-write")).toHaveLength(100);
    expect(ofKind(two.records, "exec")).toHaveLength(0);
  });
});

it("the BPF programs compile for arm64 too", () => {
  const directory = path.resolve(import.meta.dirname, "../../native/sensor");
  const out = path.join(workload.dir, "arm64.o");
  const flags = ["-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-unused-function"];
  execFileSync(
    "clang",
    [...flags, "-target", "bpf", "-mcpu=v3", "-D__TARGET_ARCH_arm64", "-c", "sensor.bpf.c", "-o", out],
    {
      cwd: directory,
    },
  );
  expect(statSync(out).size).toBeGreaterThan(10_000);
});
