import { once } from "node:events";
import * as fs from "node:fs";
import { createServer, type Server } from "node:net";
import * as path from "node:path";
import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { ContainerEngine } from "../../src/engine/port.ts";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { createScriptedGateway } from "../../src/gateway/scripted-gateway.ts";
import { writeSummaryAndReport } from "../../src/report/build-report.ts";
import { createEventSink, EVENTS_PIPE_NAME } from "../../src/sensors/agent-events/event-sink.ts";
import { createFilesystemSensor } from "../../src/sensors/filesystem/filesystem-sensor.ts";
import { AgentOutput } from "../../src/supervisor/agent-output.ts";
import type { AgentEnd } from "../../src/supervisor/follow.ts";
import type { RunPlan, RunResult } from "../../src/supervisor/plan.ts";
import { type RunPhases, runCapture } from "../../src/supervisor/run.ts";
import type { RunState } from "../../src/supervisor/run-state.ts";

const ROOT = path.resolve(import.meta.dirname, "..", "..");
/** A capture of a real run: its streams are played again. */
const RECORDED = path.join(ROOT, "tests", "fixtures", "captures", "20261122T190948Z-fix_math_utils");
const STEPS = 8;
const EVENTS_PER_STEP = 4;

/** What the agent of the replay said, for comparison. */
export interface Recording {
  stdout: Buffer;
  stderr: Buffer;
  events: Buffer;
}

export function recording(): Recording {
  const read = (file: string): Buffer => fs.readFileSync(path.join(RECORDED, file));
  const lines = read(LAYOUT.nativeEvents).toString("utf8").split("\n");
  const events = lines.slice(0, STEPS * EVENTS_PER_STEP).map((line) => `${line}\n`);
  return { stdout: read(LAYOUT.stdoutLog), stderr: read(LAYOUT.stderrLog), events: Buffer.from(events.join("")) };
}

/**
 * Plays a recorded run through the supervisor and all of its real writers: agent output, native events through the real
 * pipe, exchanges over real connections to the real gateway, file difference, records, summary and report. Only the
 * container is missing, so that a run takes a fraction of a second.
 */
export async function replayRun(captureRoot: string, onBegin: () => void = () => {}): Promise<RunResult> {
  const hooks = { derive: async (dir: string) => void (await writeSummaryAndReport(dir)) };
  return runCapture(planOf(captureRoot), hooks, new AbortController().signal, phases(onBegin));
}

function phases(onBegin: () => void): RunPhases {
  const listeners = new Map<RunState, Server>();
  return {
    start: async (run) => {
      fs.mkdirSync(run.workspaceDir);
      fs.writeFileSync(path.join(run.workspaceDir, "a.txt"), "before\n");
      run.output = new AgentOutput(run.captureDir, path.join(run.privateDir.scratch, "combined.log"));
      run.sink = createEventSink({
        dir: run.privateDir.pipes,
        outFile: path.join(run.captureDir, LAYOUT.nativeEvents),
      });
      const sensor = createFilesystemSensor({
        captureDir: run.captureDir,
        workspaceDir: run.workspaceDir,
        scratchDir: run.privateDir.scratch,
        outside: [],
        sensitivePatterns: [],
      });
      run.sensors.push(sensor);
      run.gateway = await run.plan.createGateway(run.captureDir);
      await sensor.prepare();
      await sensor.attach({ pid: process.pid, containerId: "", cgroupDirs: {} });
      const listener = createServer();
      listener.listen(0, "127.0.0.1");
      await once(listener, "listening");
      run.gateway.serve(listener);
      listeners.set(run, listener);
    },
    follow: (run) => {
      onBegin();
      return play(run, listeners.get(run));
    },
  };
}

async function play(run: RunState, listener: Server | undefined): Promise<AgentEnd> {
  const recorded = recording();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  run.agentStartedAt = new Date().toISOString();
  run.output?.follow(stdout, stderr);
  const pipe = fs.openSync(path.join(run.privateDir.pipes, EVENTS_PIPE_NAME), fs.constants.O_WRONLY);
  for (let step = 0; step < STEPS; step++) {
    stdout.write(part(recorded.stdout, step));
    stderr.write(part(recorded.stderr, step));
    fs.writeSync(pipe, part(recorded.events, step));
    fs.writeFileSync(path.join(run.workspaceDir, `made-${step}`), `by step ${step}\n`);
    if (step % 3 === 0) await ask(listener, step);
    else await turn();
  }
  fs.closeSync(pipe);
  stdout.end();
  stderr.end();
  run.exitedAt = new Date().toISOString();
  return { stoppedBy: undefined, exitCode: 0, engineError: undefined };
}

function part(whole: Buffer, step: number): Buffer {
  const size = Math.ceil(whole.length / STEPS);
  return whole.subarray(step * size, (step + 1) * size);
}

/** A request whose body does not fit into the record's line, so that it gets a file of its own. */
async function ask(listener: Server | undefined, step: number): Promise<void> {
  const address = listener?.address();
  if (typeof address !== "object" || address === null) throw new Error("the model is not served");
  const messages = [{ role: "user", content: `step ${step} ${"x".repeat(3000)}` }];
  const response = await fetch(`http://127.0.0.1:${address.port}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body: JSON.stringify({ model: "careful", stream: true, messages }),
  });
  await response.text();
}

function planOf(captureRoot: string): RunPlan {
  const model = { file: path.join(RECORDED_SCRIPT), persona: "careful" };
  return {
    issue: { id: "replay", risk_level: "safe", title: "A replay", prompt: "Play it again.", files: [] },
    prompt: "Play it again.",
    projectDir: ROOT,
    captureRoot,
    keepWorkspace: false,
    engine: NO_ENGINE,
    image: {
      id: "sha256:none",
      tags: [],
      digests: [],
      labels: {},
      volumes: [],
      sizeBytes: 0,
      createdAt: "2026-11-22T00:00:00Z",
      architecture: "none",
    },
    imageRef: "none",
    opencodeBin: "opencode",
    timeoutSeconds: 60,
    idleSeconds: 60,
    sensor: { requested: "polling", used: "polling", reason: "a replay" },
    sensitivePatterns: [],
    pluginFile: undefined,
    seccompProfile: path.join(ROOT, "config", "seccomp.json"),
    toolVersion: "0",
    settings: {},
    createGateway: (captureDir) =>
      createScriptedGateway({ model, requested: "scripted", captureDir, limits: { inlineBytes: 1024 } }),
  };
}

const RECORDED_SCRIPT = path.join(ROOT, "tasks", "models", "fix_math_utils.careful.json");

function never(): never {
  throw new Error("a replay has no container");
}

/** A replay never gets to the engine; it has no containers to list. */
export const NO_ENGINE: ContainerEngine = {
  description: {
    kind: "podman",
    bin: "none",
    version: "0",
    runtime: "none",
    runtimeVersion: undefined,
    rootless: false,
    cgroupVersion: "none",
    storageDriver: undefined,
  },
  inspectImage: never,
  importImage: never,
  buildImage: never,
  pullImage: never,
  listImages: never,
  removeImage: never,
  prepare: never,
  listContainers: () => Promise.resolve([]),
  inspectContainer: never,
  killContainer: never,
  removeContainer: never,
};
