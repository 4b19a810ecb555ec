/**
 * What watching costs an agent's everyday work (git, make, pytest, npm ci, pip install): CPU of the container's processes
 * by the kernel's books, with nobody watching, under the kernel sensor, and beside them under strace and bpftrace (where
 * they are installed), in turns. Then the CPU of a full scripted run with the kernel sensor and with polling.
 *   node bench/sensor-cost-work.ts [ROUNDS]
 */
import * as path from "node:path";
import { CgroupWatch } from "../src/sandbox/cgroup.ts";
import { KernelSensor } from "../src/sensors/kernel/kernel-sensor.ts";
import { sensorProcesses } from "../src/sensors/kernel/sensor-process.ts";
import { prepareWork } from "../tests/recall/oracle/watched-twice.ts";
import { readCapture } from "../tests/support/captures.ts";
import { captureDirOf, runCli } from "../tests/support/cli.ts";
import { EngineUnderTest, startAndRead } from "../tests/support/engines.ts";
import { buildSensor, SENSOR_PROGRAM } from "../tests/support/sensor-workload.ts";
import { tempProject } from "../tests/support/temp-project.ts";
import { median, range } from "./statistics.ts";
import { installedTracers, type Tracer, trace } from "./tracers.ts";

const ROUNDS = Number(process.argv[2] ?? 5);
const WORK = ["git", "make", "pytest", "npm", "pip"];
type Mode = "none" | "kernel sensor" | Tracer;

/** Takes what watches away again, once the work is done. */
type Watching = () => Promise<void>;

async function watch(
  mode: Mode,
  { container, captureDir }: Awaited<ReturnType<typeof prepareWork>>,
): Promise<Watching> {
  if (mode === "none") return () => Promise.resolve();
  if (mode !== "kernel sensor") return trace(mode, container.pid, path.join(captureDir, "trace"));
  const start = sensorProcesses({ program: SENSOR_PROGRAM });
  const sensor = new KernelSensor({ captureDir, sensitivePatterns: [], start });
  await sensor.prepare();
  await sensor.attach({ pid: container.pid, containerId: container.id, cgroupDirs: {} });
  return async () => {
    const { completeness } = await sensor.stop();
    const worse = completeness.filter(({ level }) => level !== "complete");
    if (worse.length > 0)
      throw new Error(`the sensor did not see all: ${worse.map(({ reason }) => reason).join("; ")}`);
  };
}

/** CPU time in milliseconds of all processes of the container. */
async function measureWork(under: EngineUnderTest, mode: Mode): Promise<number> {
  const work = await prepareWork(under, WORK);
  const cgroup = CgroupWatch.open(work.container.pid);
  try {
    const stop = await watch(mode, work);
    const before = cgroup.read().cpu_seconds ?? 0;
    const { exitCode, stderr } = await startAndRead(work.container);
    const after = cgroup.final().cpu_seconds;
    await stop();
    if (exitCode !== 0 || after === null) throw new Error(`the work ended with ${exitCode}: ${stderr.toString()}`);
    return (after - before) * 1000;
  } finally {
    await under.engine.removeContainer(work.container.id);
    await work.box.remove();
  }
}

/** CPU time in milliseconds of all processes of a run of the first task. */
async function measureRun(sensor: "kernel" | "polling"): Promise<number> {
  using project = tempProject([]);
  const options = ["--sensor", sensor, "--engine", "podman", "--capture-root", project.captureRoot];
  const result = await runCli(["run", "--issue", "fix_math_utils", ...options]);
  if (result.code !== 0) throw new Error(`the run ended with ${result.code}: ${result.stderr}`);
  return (readCapture(captureDirOf(result)).run.kernel_counters.cpu_seconds ?? Number.NaN) * 1000;
}

async function inTurns<M extends string>(modes: readonly M[], measure: (mode: M) => Promise<number>): Promise<void> {
  const times = new Map<M, number[]>(modes.map((mode) => [mode, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const mode of modes) times.get(mode)?.push(await measure(mode));
  }
  const base = median(times.get(modes[0] ?? ("" as M)) ?? []);
  for (const [mode, values] of times) {
    const ratio = (median(values) / base).toFixed(3);
    console.log(`${mode.padEnd(14)} ${Math.round(median(values))} ms CPU (${range(values)}), ratio ${ratio}`);
  }
}

buildSensor();
const modes: Mode[] = ["none", "kernel sensor", ...installedTracers()];
const under = await EngineUnderTest.start("podman");
try {
  console.log(`agent-like work (${WORK.join(", ")}), ${ROUNDS} rounds:`);
  await inTurns(modes, (mode) => measureWork(under, mode));
} finally {
  await under.stop();
}
console.log(`a full scripted run, ${ROUNDS} rounds:`);
await inTurns(["polling", "kernel"], measureRun);
