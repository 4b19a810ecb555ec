import { execFileSync, spawn } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KernelRecord } from "../../src/sensors/kernel/record.ts";
import { type SensorProcessOptions, sensorProcesses, sensorProgram } from "../../src/sensors/kernel/sensor-process.ts";
import type { KernelSource, SourceEnd } from "../../src/sensors/kernel/source.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** Fast file systems first: the workload makes thousands of files. */
const PLACE = ["/dev/shm", "/tmp"].find((place) => existsSync(place)) ?? "/tmp";

export const SENSOR_PROGRAM = sensorProgram(ROOT);

/** Builds the sensor where that is still to do; throws when it can't be built here. */
export function buildSensor(): void {
  execFileSync(path.join(ROOT, "scripts/build-sensor.sh"), { stdio: ["ignore", "ignore", "inherit"] });
  if (!existsSync(SENSOR_PROGRAM)) throw new Error("the kernel sensor could not be built; see the lines above");
}

/** The workload program, compiled into a directory of its own. */
export class Workload {
  readonly dir = mkdtempSync(path.join(PLACE, "sensor-workload-"));
  readonly program = path.join(this.dir, "workload");

  constructor() {
    const sources = globSync(path.join(ROOT, "native/sensor/test/workload*.c"));
    const flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-Wno-array-bounds", "-static", "-pthread"];
    execFileSync("gcc", [...flags, "-o", this.program, ...sources]);
  }

  /** Which of these BPF programs the kernel still has. */
  programsAlive(ids: readonly string[]): string[] {
    const program = path.join(this.dir, "programs-alive");
    if (!existsSync(program)) {
      execFileSync("gcc", ["-O2", "-o", program, path.join(ROOT, "native/sensor/test/programs-alive.c")]);
    }
    return execFileSync(program, ids, { encoding: "utf8" })
      .split("\n")
      .filter((line) => line !== "");
  }

  /** Starts it held, as the first process of new pid, network and mount namespaces. */
  async hold(cases: Readonly<Record<string, number>>): Promise<HeldWorkload> {
    const wanted = Object.entries(cases).map(([name, times]) => `${name}=${times}`);
    const namespaces = ["--pid", "--fork", "--net", "--mount", "--kill-child"];
    const place = mkdtempSync(path.join(this.dir, "run-"));
    const child = spawn("unshare", [...namespaces, this.program, place, ...wanted], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const pid = await firstChild(child.pid ?? 0);
    return {
      pid,
      place,
      async run() {
        child.stdin.end("go\n");
        const exitCode = await ended;
        if (exitCode !== 0) throw new Error(`the workload ended with ${exitCode}: ${stdout}`);
        return JSON.parse(stdout) as Record<string, [worked: number, wanted: number]>;
      },
    };
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export interface HeldWorkload {
  /** On the host. */
  pid: number;
  /** Directory that the cases run in. */
  place: string;
  /** Lets it go; resolves with what worked, by case. */
  run(): Promise<Record<string, [worked: number, wanted: number]>>;
}

async function firstChild(parent: number): Promise<number> {
  for (;;) {
    const child = Number.parseInt(readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8"), 10);
    if (child > 0) return child;
    await sleep(5);
  }
}

/** A sensor process whose records are kept. */
export interface KeptSensor {
  source: KernelSource;
  records: KernelRecord[];
  deaths: string[];
}

export async function startKept(options: Partial<SensorProcessOptions> = {}): Promise<KeptSensor> {
  const records: KernelRecord[] = [];
  const deaths: string[] = [];
  const source = await sensorProcesses({ program: SENSOR_PROGRAM, ...options })({
    onRecords: (batch) => records.push(...batch),
    onDeath: (reason) => deaths.push(reason),
  });
  return { source, records, deaths };
}

export interface ObservedRun {
  records: KernelRecord[];
  end: SourceEnd;
  worked: Record<string, [worked: number, wanted: number]>;
  place: string;
}

/** Runs cases under the sensor from before their first instruction to their end. */
export async function observe(workload: Workload, cases: Readonly<Record<string, number>>): Promise<ObservedRun> {
  const held = await workload.hold(cases);
  const { source, records } = await startKept();
  await source.watch(held.pid);
  const worked = await held.run();
  return { records, end: await source.stop(), worked, place: held.place };
}

/** All records of one kind. */
export function ofKind<Kind extends KernelRecord["kind"]>(
  records: readonly KernelRecord[],
  kind: Kind,
): (KernelRecord & { kind: Kind })[] {
  return records.filter((record): record is KernelRecord & { kind: Kind } => record.kind === kind);
}

/** The strings of an argument or environment block. */
export function strings(block: Buffer): string[] {
  const text = block.toString("latin1");
  return (text.endsWith("\0") ? text.slice(0, -1) : text).split("\0");
}
