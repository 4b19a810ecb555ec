import * as fs from "node:fs";
import * as path from "node:path";
import { writeJsonAtomic } from "../core/atomic-file.ts";
import { isoNow } from "../core/clock.ts";
import { CaptureError } from "../core/errors.ts";
import { LAYOUT } from "../evidence/layout.ts";
import { AGENT_GID, AGENT_UID, INSIDE, writeAgentConfig } from "../sandbox/agent-config.ts";
import { CgroupWatch } from "../sandbox/cgroup.ts";
import { listenInNamespace } from "../sandbox/netns.ts";
import { createEventSink } from "../sensors/agent-events/event-sink.ts";
import { createFilesystemSensor, type FilesystemSensor } from "../sensors/filesystem/filesystem-sensor.ts";
import type { Sensor } from "../sensors/port.ts";
import { createWorkspace } from "../workspace/create.ts";
import { AgentOutput } from "./agent-output.ts";
import { containerRecordOf } from "./container-record.ts";
import { fileWitness } from "./file-witness.ts";
import { packetWitness } from "./packet-witness.ts";
import { runLimits } from "./run-limits.ts";
import type { RunState } from "./run-state.ts";
import { createSensorLayer } from "./sensor-layer.ts";

const MODEL_LISTENER = "model";

/**
 * Brings a run to the point right before the agent's first instruction: working copy and baseline made, model ready,
 * container prepared, its sockets open, every sensor attached. What does not depend on each other goes side by side.
 */
export async function startRun(run: RunState, signal: AbortSignal): Promise<void> {
  fs.mkdirSync(run.workspaceDir);
  const limits = runLimits(run.plan.limits);
  run.output = new AgentOutput(run.captureDir, path.join(run.privateDir.scratch, "combined.log"), limits);
  const { layer, files } = addSensors(run);
  // The kernel sensor takes a while to load, and needs neither container nor working copy for that.
  await layer.prepare();
  if (layer.seccompProfile !== undefined) run.spec = { ...run.spec, seccompProfile: layer.seccompProfile };
  await allOrFirstError([
    prepareInside(run, signal),
    run.timer.measure("workspace", () => prepareWorkspace(run, files, signal)),
  ]);
  if (signal.aborted) throw new CaptureError("interrupted", "interrupted before the agent began");
  await run.timer.measure("attach", () => attach(run));
  const known = containerRecordOf(run, { opencodeVersion: null, engineInspect: null });
  writeJsonAtomic(path.join(run.captureDir, LAYOUT.container), known);
}

/** The sensor that watches while the agent runs, and the one that compares the files before and after. */
function addSensors(run: RunState): { layer: Sensor; files: FilesystemSensor } {
  const { plan, captureDir, privateDir } = run;
  const limits = runLimits(plan.limits);
  run.sink = createEventSink({
    dir: privateDir.pipes,
    outFile: path.join(captureDir, LAYOUT.nativeEvents),
    limits: { totalBytes: limits.native_events, recordBytes: limits.native_event },
  });
  const files = createFilesystemSensor({
    captureDir,
    workspaceDir: run.workspaceDir,
    scratchDir: privateDir.scratch,
    outside: [
      { hostDir: privateDir.home, root: INSIDE.home },
      { hostDir: privateDir.tmp, root: INSIDE.tmp },
    ],
    sensitivePatterns: plan.sensitivePatterns,
  });
  const layer = createSensorLayer(plan, captureDir, privateDir.dir);
  run.sensors.push(layer, files, ...fileWitness(run, files), ...packetWitness(run));
  return { layer, files };
}

async function prepareWorkspace(run: RunState, files: FilesystemSensor, signal: AbortSignal): Promise<void> {
  const { plan } = run;
  await createWorkspace({
    project: plan.projectDir,
    issue: plan.issue,
    prompt: plan.prompt,
    destination: run.workspaceDir,
    uid: AGENT_UID,
    gid: AGENT_GID,
    pluginFile: plan.pluginFile,
    projectConfig: plan.instructions?.projectConfig ?? false,
    captureRoot: plan.captureRoot,
    // Filled while the copy is made, so that nothing has to be read twice.
    base: files.base,
    signal,
  });
  await run.timer.measure("baseline", () => files.prepare());
}

async function prepareModel(run: RunState): Promise<void> {
  const { instructions, pluginFile } = run.plan;
  run.gateway = await run.plan.createGateway(run.captureDir);
  // Where OpenCode reads the working copy's configuration, it loads the copy of the plugin there: two would record twice.
  const loaded = instructions?.projectConfig === true ? undefined : pluginFile;
  writeAgentConfig(run.privateDir.config, run.gateway.agentConfig, loaded, instructions?.ownConfig);
}

/** The container, the model, and the model's socket inside the container. */
async function prepareInside(run: RunState, signal: AbortSignal): Promise<void> {
  await allOrFirstError([
    // The engine works in a process of its own, so it goes first.
    run.timer.measure("container", () => prepareContainer(run, signal)),
    run.timer.measure("model", () => prepareModel(run)),
  ]);
  await run.timer.measure("sockets", () => openModelSocket(run));
}

async function prepareContainer(run: RunState, signal: AbortSignal): Promise<void> {
  run.createdAt = isoNow();
  run.container = await run.plan.engine.prepare(run.spec, signal);
}

async function attach(run: RunState): Promise<void> {
  const { container } = run;
  if (container === undefined) throw new Error("attach before the container is prepared");
  const cgroup = CgroupWatch.open(container.pid);
  run.cgroup = cgroup;
  const target = { pid: container.pid, containerId: container.id, cgroupDirs: cgroup.dirs };
  await allOrFirstError(
    run.sensors.map((sensor) => run.timer.measure(`sensor ${sensor.name}`, () => sensor.attach(target))),
  );
}

async function openModelSocket(run: RunState): Promise<void> {
  const { container, gateway } = run;
  if (container === undefined || gateway === undefined) return;
  const want = [{ name: MODEL_LISTENER, host: "127.0.0.1", port: gateway.port }];
  const listener = (await listenInNamespace(container.pid, want)).get(MODEL_LISTENER);
  if (listener === undefined) return;
  run.modelListener = listener;
  gateway.serve(listener);
}

/** Waits for all, so that nothing goes on behind a failure, then throws the first error. */
async function allOrFirstError(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
