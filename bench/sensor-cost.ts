/**
 * What the kernel sensor costs: CPU of a workload that does nothing but what is recorded, with and without it, in turns, beside
 * strace and bpftrace where they are installed, and of the sensor's two ends; then the rate of the decoder alone.
 *   node bench/sensor-cost.ts [ROUNDS]
 */
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { decodeRecord } from "../src/sensors/kernel/decode.ts";
import { FrameSplitter } from "../src/sensors/kernel/frames.ts";
import { sensorProcesses } from "../src/sensors/kernel/sensor-process.ts";
import type { KernelSource } from "../src/sensors/kernel/source.ts";
import { buildSensor, SENSOR_PROGRAM, Workload } from "../tests/support/sensor-workload.ts";
import { median, range } from "./statistics.ts";
import { installedTracers, TRACERS, type Tracer, trace } from "./tracers.ts";

const ROUNDS = Number(process.argv[2] ?? 7);
const CASES = { exec: 1000, files: 2000, renames: 500, tcp: 1000, refused: 200, dns: 200, memfd: 10, reads: 100 };
const CLOCK_TICK_MS = 10;
const DECODED = 300_000;

interface Round {
  workloadMs: number;
  records: number;
  loaderMs: number;
  readerMs: number;
}

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS;
}

/** `idle`: the sensor runs and follows nothing. */
type Mode = "none" | "idle" | "watched" | Tracer;

async function measure(workload: Workload, mode: Mode): Promise<Round> {
  const held = await workload.hold(CASES);
  let records = 0;
  let source: KernelSource | undefined;
  const tracer = TRACERS.find((one) => one === mode);
  const untrace = tracer === undefined ? undefined : await trace(tracer, held.pid, `${workload.dir}/trace`);
  if (mode === "idle" || mode === "watched") {
    const start = sensorProcesses({ program: SENSOR_PROGRAM });
    source = await start({ onRecords: (batch) => (records += batch.length), onDeath: (why) => console.error(why) });
    if (mode === "watched") await source.watch(held.pid);
  }
  const loaderStartMs = source === undefined ? 0 : cpuMs(source.pid);
  const readerStart = process.cpuUsage();
  const { "cpu-ms": cpu } = await held.run();
  const loaderMs = source === undefined ? 0 : cpuMs(source.pid) - loaderStartMs;
  const { user, system } = process.cpuUsage(readerStart);
  await source?.stop();
  await untrace?.();
  return { workloadMs: cpu?.[0] ?? 0, records, loaderMs, readerMs: (user + system) / 1000 };
}

function decoderRate(): number {
  const root = path.resolve(import.meta.dirname, "..");
  const stream = readFileSync(path.join(root, "tests/fixtures/kernel-sensor/records.bin"));
  const perStream = new FrameSplitter().push(stream).length;
  const before = process.cpuUsage();
  let count = 0;
  while (count < DECODED) {
    for (const frame of new FrameSplitter().push(stream)) decodeRecord(frame);
    count += perStream;
  }
  const { user, system } = process.cpuUsage(before);
  return (count / (user + system)) * 1e6;
}

buildSensor();
const workload = new Workload();
const modes: Mode[] = ["none", "idle", "watched", ...installedTracers()];
const rounds = new Map<Mode, Round[]>(modes.map((mode) => [mode, []]));
try {
  for (let round = 0; round < ROUNDS; round++) {
    for (const mode of modes) rounds.get(mode)?.push(await measure(workload, mode));
  }
} finally {
  workload.remove();
}
const of = (mode: Mode, value: keyof Round): number[] => (rounds.get(mode) ?? []).map((round) => round[value]);
const base = median(of("none", "workloadMs"));
for (const mode of modes) {
  const times = of(mode, "workloadMs");
  console.log(
    `${mode.padEnd(8)} ${median(times)} ms CPU (${range(times)}), ratio ${(median(times) / base).toFixed(2)}`,
  );
}
const records = median(of("watched", "records"));
const extraUs = ((median(of("watched", "workloadMs")) - base) * 1000) / records;
console.log(`${records} records: ${extraUs.toFixed(1)} µs of the workload's CPU each`);
console.log(
  `loader ${median(of("watched", "loaderMs"))} ms, reader ${median(of("watched", "readerMs")).toFixed(0)} ms CPU`,
);
const rates = Array.from({ length: 3 }, decoderRate);
console.log(`decoder alone: ${Math.round(median(rates) / 1000)},000 records per second of CPU`);
