import { mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { type CaptureEvent, captureEvent } from "../../src/schema/event.ts";
import type { CompletenessClass } from "../../src/schema/observations.ts";
import { KernelSensor } from "../../src/sensors/kernel/kernel-sensor.ts";
import { sensorProcesses } from "../../src/sensors/kernel/sensor-process.ts";
import type { KernelSource } from "../../src/sensors/kernel/source.ts";
import type { SensorReport } from "../../src/sensors/port.ts";
import { buildSensor, SENSOR_PROGRAM, Workload } from "../support/sensor-workload.ts";

const DONE = { exec: 300, files: 2000, tcp: 300 };
/** What the workload made, by class of completeness and kind of event. */
const MADE: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  process: { "process.fork": DONE.exec, "process.exec": DONE.exec, "process.exit": DONE.exec },
  "file-outside": { "file.open": DONE.files, "file.close-write": DONE.files, "file.unlink": DONE.files },
  network: { "net.connect": DONE.tcp, "net.accept": DONE.tcp, "net.close": 2 * DONE.tcp },
};

let workload: Workload;

beforeAll(() => {
  buildSensor();
  workload = new Workload();
});

afterAll(() => workload.remove());

interface Disturbed {
  events: CaptureEvent[];
  report: SensorReport;
}

/** A capture of the workload by a sensor with so large a ring, to which something happens before the work and after it. */
async function capture(ringBytes: number, before?: NodeJS.Signals, after?: NodeJS.Signals): Promise<Disturbed> {
  const captureDir = mkdtempSync(path.join(workload.dir, "capture-"));
  mkdirSync(path.join(captureDir, path.dirname(LAYOUT.events)), { recursive: true });
  const sources: KernelSource[] = [];
  const start = sensorProcesses({ program: SENSOR_PROGRAM, ringBytes });
  const sensor = new KernelSensor({
    captureDir,
    sensitivePatterns: [],
    start: async (events) => {
      const source = await start(events);
      sources.push(source);
      return source;
    },
  });
  const held = await workload.hold(DONE);
  await sensor.attach({ pid: held.pid, containerId: "workload", cgroupDirs: {} });
  const [{ pid } = { pid: 0 }] = sources;
  if (before !== undefined) process.kill(pid, before);
  // One that was killed is back before the work begins, or in the middle of it.
  if (before === "SIGKILL") await sleep(50);
  const worked = await held.run();
  for (const [name, times] of Object.entries(DONE)) expect([name, worked[name]]).toEqual([name, [times, times]]);
  if (after !== undefined) process.kill(pid, after);
  const report = await sensor.stop();
  const lines = readFileSync(path.join(captureDir, LAYOUT.events), "utf8").trimEnd().split("\n");
  return { events: lines.map((line) => captureEvent.parse(JSON.parse(line))), report };
}

function statement({ report }: Disturbed, name: string): CompletenessClass {
  const found = report.completeness.find((one) => one.class === name);
  if (found === undefined) throw new Error(`nothing is said of ${name}`);
  return found;
}

/** Events of a class that were made and did not come. */
function missing({ events }: Disturbed, name: string): number {
  return Object.entries(MADE[name] ?? {}).reduce((sum, [kind, made]) => {
    const seen = events.filter((event) => event.kind === kind).length;
    return sum + Math.max(0, made - seen);
  }, 0);
}

it.each([
  ["a ring for a few records", 4096, undefined, undefined],
  ["a sensor that is stopped while the work is done", 65_536, "SIGSTOP", "SIGCONT"],
] as const)(
  "%s: what is said to be lost is at least what is lost, and the gaps add up",
  async (_, ring, before, after) => {
    const run = await capture(ring, before, after);
    const total = Object.keys(MADE).reduce((sum, name) => sum + missing(run, name), 0);
    expect(total).toBeGreaterThan(100);
    for (const name of Object.keys(MADE)) {
      const { level, lost } = statement(run, name);
      expect([name, lost], `${missing(run, name)} are missing`).toEqual([name, expect.any(Number)]);
      expect(lost).toBeGreaterThanOrEqual(missing(run, name));
      expect([name, level]).toEqual([name, missing(run, name) > 0 ? "lossy" : level]);
    }
    const gaps = run.events.filter((event) => event.kind === "sensor.gap");
    for (const [name, recordClasses] of [
      ["process", ["process", "security"]],
      ["file-outside", ["file"]],
      ["network", ["network"]],
    ] as const) {
      const told = gaps.filter((gap) => recordClasses.some((one) => one === gap.class));
      const sum = told.reduce((lost, gap) => lost + (gap.lost ?? 0), 0);
      expect([name, sum]).toEqual([name, statement(run, name).lost]);
    }
  },
);

it("a sensor that is killed is away for a known time, and no class is said to be whole", async () => {
  const run = await capture(1 << 20, "SIGKILL");
  const away = run.events.filter((event) => event.kind === "sensor.gap" && event.class === "all");
  expect(away).toMatchObject([{ lost: null, to: expect.any(String), reason: expect.stringContaining("SIGKILL") }]);
  for (const name of Object.keys(MADE)) expect(statement(run, name)).toMatchObject({ level: "sampled", lost: null });
  // It was back for the rest: what ran after it is there.
  expect(run.events.filter((event) => event.kind === "sensor.ready")).toHaveLength(2);
});
