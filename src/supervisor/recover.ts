import * as fs from "node:fs";
import * as path from "node:path";
import { errnoOf, errorMessage } from "../core/errors.ts";
import { isAlive, parseIdentity } from "../core/process-identity.ts";
import type { ContainerEngine } from "../engine/port.ts";
import { RUNS_DIRECTORY } from "../evidence/layout.ts";
import { LABEL } from "../sandbox/container-spec.ts";
import { removeTree } from "../workspace/remove-tree.ts";
import { finishLostCapture } from "./lost-capture.ts";
import { busyName, OWNER_FILE, type OwnerRecord, parseBusyName } from "./private-directory.ts";
import { waitForCreations } from "./unfinished-creations.ts";

export interface RecoverOptions {
  captureRoot: string;
  engine: ContainerEngine;
  derive(captureDir: string): Promise<unknown>;
}

export interface Recovered {
  /** Captures that were finished. */
  finished: string[];
  /** What could not be finished or removed, in words; the next start tries again. */
  problems: string[];
}

/**
 * Finishes what supervisors left that were killed: removes their containers, marks their captures `supervisor-lost` (what
 * was recorded stays), makes summaries and reports, and removes their private directories. Runs whose supervisor lives are
 * left alone, and each lost one is taken by one process only. Being killed itself at any point, it can be called again.
 */
export async function recoverLostRuns(options: RecoverOptions): Promise<Recovered> {
  const problems: string[] = [];
  const finished: string[] = [];
  const lost = lostRuns(options.captureRoot);
  await waitForCreations(lost.flatMap(({ containerName }) => containerName ?? []));
  await removeOrphanContainers(options.engine);
  for (const { name, runId } of lost) {
    try {
      const capture = await recoverRun(path.join(options.captureRoot, RUNS_DIRECTORY), name, runId, options);
      if (capture !== undefined) finished.push(capture);
    } catch (error) {
      problems.push(`the lost run ${runId} could not be finished: ${errorMessage(error)}`);
    }
  }
  return { finished, problems };
}

async function removeOrphanContainers(engine: ContainerEngine): Promise<void> {
  for (const container of await engine.listContainers(LABEL.owner)) {
    const owner = parseIdentity(container.labels[LABEL.owner] ?? "");
    if (owner !== undefined && !isAlive(owner)) await engine.removeContainer(container.id);
  }
}

interface LostRun {
  /** Of its private directory. */
  name: string;
  runId: string;
  containerName: string | undefined;
}

function lostRuns(captureRoot: string): LostRun[] {
  const runs = path.join(captureRoot, RUNS_DIRECTORY);
  return namesIn(runs).flatMap((name) => {
    const busy = parseBusyName(name);
    const owner = readOwner(path.join(runs, name));
    const containerName = owner?.container_name;
    if (busy !== undefined) return isAlive(busy.worker) ? [] : [{ name, runId: busy.runId, containerName }];
    // Every private directory appears with its owner in it; one without was never ours.
    return owner === undefined || isAlive(owner.owner) ? [] : [{ name, runId: name, containerName }];
  });
}

function namesIn(dir: string): string[] {
  try {
    return fs.readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

function readOwner(dir: string): OwnerRecord | undefined {
  try {
    return JSON.parse(fs.readFileSync(path.join(dir, OWNER_FILE), "utf8")) as OwnerRecord;
  } catch {
    return undefined;
  }
}

/** @returns the capture, when there was one to finish. */
async function recoverRun(
  runs: string,
  name: string,
  runId: string,
  options: RecoverOptions,
): Promise<string | undefined> {
  const dir = path.join(runs, busyName(runId));
  if (!taken(path.join(runs, name), dir)) return undefined;
  const owner = readOwner(dir);
  // The capture root may have been moved since.
  const named = owner?.capture_dir ?? undefined;
  const captureDir = named === undefined ? undefined : path.join(options.captureRoot, path.basename(named));
  const finished = captureDir !== undefined && (await finishLostCapture(captureDir, { ...options, runId, dir }));
  await removeTree(dir);
  return finished ? captureDir : undefined;
}

/** False when another process was faster. */
function taken(from: string, to: string): boolean {
  try {
    fs.renameSync(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
