import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensureAgentImage } from "../../../src/engine/image/agent-image.ts";
import { LAYOUT } from "../../../src/evidence/layout.ts";
import { type CaptureEvent, captureEvent } from "../../../src/schema/event.ts";
import type { CompletenessClass } from "../../../src/schema/observations.ts";
import { KernelSensor } from "../../../src/sensors/kernel/kernel-sensor.ts";
import { sensorProcesses } from "../../../src/sensors/kernel/sensor-process.ts";
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
}

/** Does work in the agent's image, in a container as the product makes it, under the kernel sensor and under strace from the host. */
export async function watchTwice(under: EngineUnderTest, what: readonly string[]): Promise<WatchedTwice> {
  const { ref } = await ensureAgentImage(under.engine);
  const box = new AgentBox(under);
  const capture = box.at("capture");
  fs.mkdirSync(path.join(capture, path.dirname(LAYOUT.events)));
  fs.copyFileSync(path.join(import.meta.dirname, "work.sh"), path.join(box.at("config"), "work.sh"));
  const sensor = new KernelSensor({
    captureDir: capture,
    sensitivePatterns: [],
    start: sensorProcesses({ program: SENSOR_PROGRAM }),
  });
  await sensor.prepare();
  const command = ["sh", "/opt/opencode-config/work.sh", ...what];
  const container = await under.engine.prepare(box.spec("", { image: ref, command }));
  try {
    await sensor.attach({ pid: container.pid, containerId: container.id, cgroupDirs: {} });
    const startedIn = fs.readlinkSync(`/proc/${container.pid}/cwd`);
    const trace = await attachStrace(container.pid, path.join(capture, "strace"));
    const { stdout, stderr, exitCode } = await startAndRead(container);
    const calls = parseTrace(await trace.ended);
    const { completeness } = await sensor.stop();
    const lines = fs.readFileSync(path.join(capture, LAYOUT.events), "utf8").split("\n").filter(Boolean);
    const events = lines.map((line) => captureEvent.parse(JSON.parse(line)));
    const said = { stdout: stdout.toString(), stderr: stderr.toString(), exitCode };
    return { ...said, calls, startedIn, events, statements: completeness };
  } finally {
    await under.engine.removeContainer(container.id);
    await sensor.stop();
    await box.remove();
  }
}

/** Resolves when strace has the process; `ended` gives its output once all it followed have ended. */
async function attachStrace(pid: number, file: string): Promise<{ ended: Promise<string> }> {
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
