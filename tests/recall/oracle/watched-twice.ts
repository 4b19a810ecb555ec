import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensureAgentImage } from "../../../src/engine/image/agent-image.ts";
import type { PreparedContainer } from "../../../src/engine/port.ts";
import { LAYOUT } from "../../../src/evidence/layout.ts";
import { INSIDE } from "../../../src/sandbox/agent-config.ts";
import { type CaptureEvent, captureEvent } from "../../../src/schema/event.ts";
import { type CompletenessClass, type FsDiff, fsDiff } from "../../../src/schema/observations.ts";
import { createFilesystemSensor } from "../../../src/sensors/filesystem/filesystem-sensor.ts";
import { KernelSensor } from "../../../src/sensors/kernel/kernel-sensor.ts";
import { sensorProcesses } from "../../../src/sensors/kernel/sensor-process.ts";
import type { Sensor } from "../../../src/sensors/port.ts";
import { AgentBox } from "../../support/agent-box.ts";
import { type EngineUnderTest, startAndRead } from "../../support/engines.ts";
import { SENSOR_PROGRAM } from "../../support/sensor-workload.ts";
import { TRACED_CALLS } from "./strace-facts.ts";
import { parseTrace, type TracedCall } from "./strace-lines.ts";

/** Longest text of a call that strace prints whole; one that is cut is an error. */
const LONGEST_TEXT = 1 << 20;

export interface WatchedTwice {
  stdout: string;
  stderr: string;
  exitCode: number | null;
  calls: TracedCall[];
  /** Working directory of the container's first process when strace came. */
  startedIn: string;
  events: CaptureEvent[];
  statements: CompletenessClass[];
  /** How working copy, home and /tmp differ from before. */
  diff: FsDiff;
}

export interface PreparedWork {
  box: AgentBox;
  container: PreparedContainer;
  /** Where a sensor may write. */
  captureDir: string;
}

/** A container as the product makes it, of the agent's image, held before its first instruction: `what` of work.sh. */
export async function prepareWork(under: EngineUnderTest, what: readonly string[]): Promise<PreparedWork> {
  const { ref } = await ensureAgentImage(under.engine);
  const box = new AgentBox(under);
  const captureDir = box.at("capture");
  fs.mkdirSync(path.join(captureDir, path.dirname(LAYOUT.events)));
  fs.copyFileSync(path.join(import.meta.dirname, "work.sh"), path.join(box.at("config"), "work.sh"));
  const command = ["sh", `${INSIDE.config}/work.sh`, ...what];
  const container = await under.engine.prepare(box.spec("", { image: ref, command }));
  return { box, container, captureDir };
}

/** Does work under the kernel sensor and under strace from the host. */
export async function watchTwice(under: EngineUnderTest, what: readonly string[]): Promise<WatchedTwice> {
  const { box, container, captureDir } = await prepareWork(under, what);
  const start = sensorProcesses({ program: SENSOR_PROGRAM });
  const sensor = new KernelSensor({ captureDir, sensitivePatterns: [], start });
  const files = filesOf(box, captureDir);
  try {
    await Promise.all([sensor.prepare(), files.prepare()]);
    await sensor.attach({ pid: container.pid, containerId: container.id, cgroupDirs: {} });
    const startedIn = fs.readlinkSync(`/proc/${container.pid}/cwd`);
    const trace = await attachStrace(container.pid, path.join(captureDir, "strace"));
    const { stdout, stderr, exitCode } = await startAndRead(container);
    const calls = parseTrace(await trace.ended);
    const { completeness } = await sensor.stop();
    await files.stop();
    const lines = fs.readFileSync(path.join(captureDir, LAYOUT.events), "utf8").split("\n").filter(Boolean);
    const events = lines.map((line) => captureEvent.parse(JSON.parse(line)));
    const said = { stdout: stdout.toString(), stderr: stderr.toString(), exitCode };
    const diff = fsDiff.parse(JSON.parse(fs.readFileSync(path.join(captureDir, LAYOUT.fsDiff), "utf8")));
    return { ...said, calls, startedIn, events, statements: completeness, diff };
  } finally {
    await under.engine.removeContainer(container.id);
    await sensor.stop();
    await files.stop();
    await box.remove();
  }
}

function filesOf(box: AgentBox, captureDir: string): Sensor {
  fs.mkdirSync(box.at("scratch"));
  return createFilesystemSensor({
    captureDir,
    workspaceDir: box.at("workspace"),
    scratchDir: box.at("scratch"),
    outside: [
      { hostDir: box.at("home"), root: INSIDE.home },
      { hostDir: box.at("tmp"), root: INSIDE.tmp },
    ],
    sensitivePatterns: [],
  });
}

/** Resolves when strace has the process; `ended` gives its output once all it followed have ended. */
export async function attachStrace(pid: number, file: string): Promise<{ ended: Promise<string> }> {
  const format = ["-f", "-y", "-xx", "--pidns-translation", "-s", String(LONGEST_TEXT)];
  // A question mark: not every machine, and not every strace, knows each of them.
  const wanted = `trace=${TRACED_CALLS.map((call) => `?${call}`).join(",")}`;
  const options = [...format, "-o", file, "-e", wanted];
  const child = spawn("strace", [...options, "-p", String(pid)], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (stderr.includes(`Process ${pid} attached`)) resolve();
    });
    child.once("error", reject);
    void closed.then(() => reject(new Error(`strace ended: ${stderr}`)));
  });
  return { ended: closed.then(() => fs.readFileSync(file, "latin1")) };
}
