import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { isoNow, monotonicMs } from "../core/clock.ts";
import { CaptureError } from "../core/errors.ts";
import { PACKAGE_ROOT } from "../core/package-root.ts";
import { formatIdentity, ownIdentity } from "../core/process-identity.ts";
import type { ContainerEngine, ContainerSpec, Mount } from "../engine/port.ts";
import { LAYOUT } from "../evidence/layout.ts";
import { AGENT_GID, AGENT_UID, HOSTNAME, INSIDE } from "../sandbox/agent-config.ts";
import { CgroupWatch } from "../sandbox/cgroup.ts";
import { LABEL } from "../sandbox/container-spec.ts";
import { CONTAINER_LIMITS } from "../sandbox/limits.ts";
import { SCHEMA_VERSION } from "../schema/common.ts";
import { captureEvent } from "../schema/event.ts";
import { network, processTree } from "../schema/observations.ts";
import type { SelftestResult } from "../schema/selftest.ts";
import type { Sensor } from "../sensors/port.ts";
import { removeTree } from "../workspace/remove-tree.ts";
import { Observations, TESTED_CLASSES } from "./classes.ts";
import { judgeClasses, worstVerdict } from "./judge.ts";

export interface SelftestOptions {
  engine: ContainerEngine;
  imageRef: string;
  seccompProfile: string;
  toolVersion: string;
  /** How often each thing is done. */
  count: number;
  perSecond: number;
  /** Makes the sensor that runs would use; it writes its observations below `captureDir`. */
  createSensor(captureDir: string): Sensor;
  /** Its name, asked for at the end: one that fails may have been replaced. */
  sensorUsed(): string;
  signal: AbortSignal;
}

/** Beside the time that the wanted pace takes. */
const EXTRA_TIME_MS = 60_000;

/**
 * Lets a program do known things in a container like that of a run, and compares with what the sensor has recorded.
 * @throws CaptureError when the work could not be done or watched; nothing is left behind then either.
 */
export async function runSelftest(options: SelftestOptions): Promise<SelftestResult> {
  const began = monotonicMs();
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "opencode-capture-selftest-"));
  try {
    const tag = `t${randomBytes(6).toString("hex")}`;
    fs.mkdirSync(path.dirname(path.join(dir, LAYOUT.events)), { recursive: true });
    const sensor = options.createSensor(dir);
    const done = await watchWork(options, { dir, tag, sensor });
    const observations = readObservations(dir, tag);
    const classes = judgeClasses(observations, { tag, count: options.count, done });
    return {
      schema_version: SCHEMA_VERSION,
      finished_at: isoNow(),
      tool_version: options.toolVersion,
      kernel: os.release(),
      engine: describe(options.engine),
      sensor: options.sensorUsed(),
      per_second: options.perSecond,
      duration_seconds: Math.round(monotonicMs() - began) / 1000,
      classes,
      reported_lost: observations.reportedLost,
      verdict: worstVerdict(classes),
    };
  } finally {
    await removeTree(dir);
  }
}

interface Work {
  dir: string;
  tag: string;
  sensor: Sensor;
}

/** The whole life of the container. The sensor is stopped and the container removed on every way out. */
async function watchWork(options: SelftestOptions, { dir, tag, sensor }: Work): Promise<Record<string, number>> {
  await sensor.prepare();
  const spec = selftestSpec({ ...options, seccompProfile: sensor.seccompProfile ?? options.seccompProfile }, dir, tag);
  const container = await options.engine.prepare(spec, options.signal).catch(async (error: unknown) => {
    await sensor.stop();
    throw error;
  });
  const kill = (): void => void options.engine.killContainer(container.id).catch(() => {});
  const pacedMs = (TESTED_CLASSES.length * options.count * 1000) / options.perSecond;
  const timer = setTimeout(kill, EXTRA_TIME_MS + 2 * pacedMs);
  options.signal.addEventListener("abort", kill);
  let stopped = false;
  try {
    const cgroup = CgroupWatch.open(container.pid);
    await sensor.attach({ pid: container.pid, containerId: container.id, cgroupDirs: cgroup.dirs });
    const running = container.start();
    running.stdin.end();
    const [stdout, stderr, end] = await Promise.all([text(running.stdout), text(running.stderr), running.exited]);
    cgroup.final();
    stopped = true;
    await sensor.stop();
    if (options.signal.aborted) throw new CaptureError("interrupted", "interrupted before the self-test was done");
    if (end.exitCode !== 0) throw workFailed(end.engineError ?? (stderr || `it ended with code ${end.exitCode}`));
    return JSON.parse(stdout) as Record<string, number>;
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", kill);
    if (!stopped) await sensor.stop();
    await options.engine.removeContainer(container.id);
  }
}

function workFailed(why: string): CaptureError {
  return new CaptureError("engine-failed", `the self-test's own work failed: ${why.trim()}`, {
    hint: "the image must have python3; leave --image-ref out to test with the image that this program builds",
  });
}

function selftestSpec(options: SelftestOptions, dir: string, tag: string): ContainerSpec {
  const inside = (name: string, target: string, readOnly: boolean): Mount => {
    const source = path.join(dir, name);
    fs.mkdirSync(source);
    if (process.getuid?.() === 0) fs.chownSync(source, AGENT_UID, AGENT_GID);
    return { kind: "bind", source, target, readOnly };
  };
  const programs = inside("programs", "/opt/selftest", true);
  const mounts = [
    programs,
    inside("workspace", INSIDE.workspace, false),
    inside("home", INSIDE.home, false),
    inside("tmp", INSIDE.tmp, false),
  ];
  fs.copyFileSync(path.join(PACKAGE_ROOT, "src", "selftest", "workload.py"), path.join(dir, "programs", "workload.py"));
  return {
    name: `opencode-capture-selftest-${tag}`,
    image: options.imageRef,
    command: ["python3", "/opt/selftest/workload.py", tag, String(options.count), String(options.perSecond)],
    env: { HOME: INSIDE.home, TMPDIR: INSIDE.tmp, LANG: "C.UTF-8" },
    labels: { [LABEL.run]: `selftest-${tag}`, [LABEL.owner]: formatIdentity(ownIdentity()) },
    user: `${AGENT_UID}:${AGENT_GID}`,
    workdir: INSIDE.workspace,
    hostname: HOSTNAME,
    mounts,
    limits: CONTAINER_LIMITS,
    seccompProfile: options.seccompProfile,
  };
}

/** Events where the sensor writes them, else what polling keeps. */
function readObservations(dir: string, tag: string): Observations {
  const observations = new Observations(tag);
  const read = (file: string): string => fs.readFileSync(path.join(dir, file), "utf8");
  if (fs.existsSync(path.join(dir, LAYOUT.events))) {
    for (const line of read(LAYOUT.events).split("\n")) {
      if (line !== "") observations.add(captureEvent.parse(JSON.parse(line)));
    }
  } else {
    const [tree, net] = [LAYOUT.processTree, LAYOUT.network].map((file): unknown => JSON.parse(read(file)));
    observations.addPolled(processTree.parse(tree), network.parse(net));
  }
  return observations;
}

function describe(engine: ContainerEngine): string {
  const { kind, version, runtime } = engine.description;
  return `${kind} ${version}, ${runtime}`;
}
