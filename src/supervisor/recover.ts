import * as fs from "node:fs";
import * as path from "node:path";
import { writeJsonAtomic } from "../core/atomic-file.ts";
import { isAlive, parseIdentity } from "../core/process-identity.ts";
import type { ContainerEngine } from "../engine/port.ts";
import { hasRequiredObservations } from "../evidence/capture-directory.ts";
import { LAYOUT, RUNS_DIRECTORY } from "../evidence/layout.ts";
import { LABEL } from "../sandbox/container-spec.ts";
import type { RunRecord } from "../schema/run.ts";
import { removeTree } from "../workspace/remove-tree.ts";
import { completenessRecord } from "./completeness.ts";
import { writeMissingObservations } from "./missing-observations.ts";
import { OWNER_FILE, type OwnerRecord } from "./private-directory.ts";

export interface RecoverOptions {
  captureRoot: string;
  engine: ContainerEngine;
  derive(captureDir: string): Promise<unknown>;
}

/**
 * Finishes what supervisors left that were killed: removes their containers, marks their captures `supervisor-lost` (what
 * was recorded stays), and removes their private directories. Runs whose supervisor lives are left alone.
 * @returns the captures that were finished.
 */
export async function recoverLostRuns(options: RecoverOptions): Promise<string[]> {
  await removeOrphanContainers(options.engine);
  const finished: string[] = [];
  for (const { dir, owner } of lostRuns(options.captureRoot)) {
    if (owner !== undefined && (await finishLostCapture(owner, options))) finished.push(owner.capture_dir);
    await removeTree(dir);
  }
  return finished;
}

async function removeOrphanContainers(engine: ContainerEngine): Promise<void> {
  for (const container of await engine.listContainers(LABEL.owner)) {
    const owner = parseIdentity(container.labels[LABEL.owner] ?? "");
    if (owner !== undefined && !isAlive(owner)) await engine.removeContainer(container.id);
  }
}

function lostRuns(captureRoot: string): { dir: string; owner: OwnerRecord | undefined }[] {
  const runs = path.join(captureRoot, RUNS_DIRECTORY);
  if (!fs.existsSync(runs)) return [];
  return fs
    .readdirSync(runs)
    .map((name) => ({ dir: path.join(runs, name), owner: readOwner(path.join(runs, name, OWNER_FILE)) }))
    .filter(({ dir, owner }) => (owner === undefined ? isOld(dir) : !isAlive(owner.owner)));
}

function readOwner(file: string): OwnerRecord | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as OwnerRecord;
  } catch {
    return undefined;
  }
}

/** A directory without an owner's record is either being made right now or a leftover. */
function isOld(dir: string): boolean {
  return Date.now() - fs.statSync(dir).mtimeMs > 60_000;
}

async function finishLostCapture(owner: OwnerRecord, options: RecoverOptions): Promise<boolean> {
  const file = path.join(owner.capture_dir, LAYOUT.run);
  const inside = path.dirname(owner.capture_dir) === options.captureRoot;
  const record = inside ? readUnfinished(file) : undefined;
  if (record === undefined) return false;
  const reason = "the supervisor ended before it could finish this capture; what it had recorded until then is kept";
  const absent = writeMissingObservations(owner.capture_dir, record.workspace_dir, []);
  const gap = { class: "all", from: record.started_at, to: null, reason };
  const completenessFile = path.join(owner.capture_dir, LAYOUT.completeness);
  if (!fs.existsSync(completenessFile)) writeJsonAtomic(completenessFile, completenessRecord(absent, [gap]));
  writeJsonAtomic(file, {
    ...record,
    finished_at: new Date().toISOString(),
    run_status: "infra_error",
    capture_status: "infra_error",
    capture_valid: hasRequiredObservations(owner.capture_dir),
    execution_error: reason,
    end_reason: "supervisor-lost",
    end_detail: reason,
  } satisfies RunRecord);
  if (!record.keep_workspace) await removeTree(path.join(owner.capture_dir, LAYOUT.workspace));
  await options.derive(owner.capture_dir).catch(() => {});
  return true;
}

function readUnfinished(file: string): RunRecord | undefined {
  try {
    const record = JSON.parse(fs.readFileSync(file, "utf8")) as RunRecord;
    return record.finished_at === null ? record : undefined;
  } catch {
    return undefined;
  }
}
