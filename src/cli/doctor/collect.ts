import { rm, statfs, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { CaptureError, errorMessage } from "../../core/errors.ts";
import { exec } from "../../core/exec.ts";
import { type MachineFacts, readMachineFacts } from "../../core/machine.ts";
import { PACKAGE_ROOT } from "../../core/package-root.ts";
import { findAgentImage } from "../../engine/image/agent-image.ts";
import { distributionPackagesProblem } from "../../engine/image/rootfs-tar.ts";
import type { EngineAttempt } from "../../engine/select.ts";
import { witnessProgram } from "../../sensors/fanotify/witness-process.ts";
import { sensorProgram } from "../../sensors/kernel/sensor-process.ts";
import { packetProgram, tryPackets } from "../../sensors/packets/packet-process.ts";
import { listenerProblem } from "../seccomp-layer.ts";
import { checkEngines, checkImage, checkImageBuild, checkUnusableEngine, engineInUse } from "./engine-checks.ts";
import { checkListener } from "./listener-check.ts";
import * as machine from "./machine-checks.ts";
import { checkPackets } from "./packets-check.ts";
import type { DoctorCheck, DoctorReport } from "./report.ts";
import { checkSensor, trySensor } from "./sensor-check.ts";
import { checkWitness, tryWitness } from "./witness-check.ts";

export interface DoctorDeps {
  toolVersion: string;
  /** Directory that captures go to; it need not exist. */
  captureRoot: string;
  model: string;
  /** Tries for real every engine that a run might take. */
  tryEngines(): Promise<EngineAttempt[]>;
}

const SHORT_CALL_MS = 10_000;

/**
 * Looks at everything a capture needs, by trying it, and changes nothing but the engine cache. Never throws because of
 * the machine: what fails is a check that says "no".
 */
export async function collectDoctorReport(deps: DoctorDeps): Promise<DoctorReport> {
  const facts = await readMachineFacts();
  const here = [machine.checkNode(process.versions.node), machine.checkSystem(facts)];
  const checks = facts.platform === "linux" ? [...here, ...(await linuxChecks(deps, facts))] : here;
  return {
    generated_at: new Date().toISOString(),
    tool_version: deps.toolVersion,
    ready: checks.every((check) => check.ok !== "no"),
    checks,
  };
}

async function linuxChecks(deps: DoctorDeps, facts: MachineFacts): Promise<DoctorCheck[]> {
  const place = await existingParent(deps.captureRoot);
  return [
    machine.checkRights(facts, await sudoWorks()),
    ...(await engineChecks(deps)),
    machine.checkNamespaceEntry(await namespaceEntryFailure()),
    checkSensor(await trySensor(sensorProgram(PACKAGE_ROOT))),
    checkWitness(await tryWitness(witnessProgram(PACKAGE_ROOT))),
    checkPackets(await tryPackets(packetProgram(PACKAGE_ROOT))),
    machine.checkModel(deps.model),
    machine.checkCaptureRoot(deps.captureRoot, await writeFailure(place)),
    machine.checkDisk(place, await freeBytes(place)),
    machine.checkMemory(facts.memoryTotalBytes, facts.memoryAvailableBytes),
    machine.checkCores(facts.cores),
  ];
}

async function engineChecks(deps: DoctorDeps): Promise<DoctorCheck[]> {
  const problem = await distributionPackagesProblem();
  const build = checkImageBuild(problem?.message, problem?.hint);
  try {
    const attempts = await deps.tryEngines();
    const engine = engineInUse(attempts);
    const image = engine === undefined ? undefined : await findAgentImage(engine);
    const layer = checkListener(await listenerProblem(PACKAGE_ROOT, engine?.description));
    return [...checkEngines(attempts), checkImage(image?.ref, problem?.message), build, layer];
  } catch (thrown) {
    const hint = thrown instanceof CaptureError ? thrown.hint : undefined;
    return [checkUnusableEngine(errorMessage(thrown), hint), build];
  }
}

/** Enters this process's own network namespace, which takes the same right as entering a container's. */
async function namespaceEntryFailure(): Promise<string | undefined> {
  const entered = await exec("nsenter", ["-t", String(process.pid), "-n", "true"], { timeoutMs: SHORT_CALL_MS });
  if (entered.exitCode === 0) return undefined;
  return entered.stderr.trim() || entered.failure || "no reason given";
}

async function sudoWorks(): Promise<boolean> {
  return (await exec("sudo", ["-n", "true"], { timeoutMs: SHORT_CALL_MS })).exitCode === 0;
}

/** The nearest directory above (or at) `directory` that exists. */
async function existingParent(directory: string): Promise<string> {
  for (let place = directory; ; place = path.dirname(place)) {
    if ((await freeBytes(place)) !== undefined || place === path.dirname(place)) return place;
  }
}

async function freeBytes(directory: string): Promise<number | undefined> {
  try {
    const stats = await statfs(directory);
    return stats.bavail * stats.bsize;
  } catch {
    return undefined;
  }
}

async function writeFailure(directory: string): Promise<string | undefined> {
  const probe = path.join(directory, `.opencode-capture-doctor-${process.pid}`);
  try {
    await writeFile(probe, "", { flag: "wx" });
    await rm(probe);
    return undefined;
  } catch (thrown) {
    return errorMessage(thrown);
  }
}
