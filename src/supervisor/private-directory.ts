import * as fs from "node:fs";
import * as path from "node:path";
import { writeJsonAtomic } from "../core/atomic-file.ts";
import { errnoOf } from "../core/errors.ts";
import { formatIdentity, ownIdentity, type ProcessIdentity, parseIdentity } from "../core/process-identity.ts";
import { storage } from "../core/storage.ts";
import { RUNS_DIRECTORY } from "../evidence/layout.ts";
import { AGENT_GID, AGENT_UID } from "../sandbox/agent-config.ts";

/** The host directories of one run that are not part of its capture; removed at its end. */
export interface PrivateDirectory {
  dir: string;
  home: string;
  tmp: string;
  pipes: string;
  config: string;
  /** Working files of sensors. */
  scratch: string;
}

/** What the next start needs to clean up after a supervisor that was killed. */
export interface OwnerRecord {
  run_id: string;
  /** Null until the capture has a name. It may name a capture that is not there yet, or another run's. */
  capture_dir: string | null;
  container_name: string;
  engine_bin: string;
  owner: ProcessIdentity;
}

export const OWNER_FILE = "owner.json";

/** Between the parts of a name that says who works at the directory. */
const SEPARATOR = "@";

/**
 * Name of a private directory that is being made or taken over: it names the process, so that whoever finds it knows
 * whether anybody still works at it.
 */
export function busyName(runId: string): string {
  return ["busy", formatIdentity(ownIdentity()), runId].join(SEPARATOR);
}

/** Takes such a name apart; undefined for any other name. */
export function parseBusyName(name: string): { worker: ProcessIdentity; runId: string } | undefined {
  const [busy, identity = "", runId = "", ...rest] = name.split(SEPARATOR);
  const worker = parseIdentity(identity);
  if (busy !== "busy" || rest.length > 0 || worker === undefined) return undefined;
  return { worker, runId };
}

/** Makes the run's directories, which appear all at once. On the captures' file system, so that nothing has to be copied across. */
export function createPrivateDirectory(captureRoot: string, record: Omit<OwnerRecord, "owner">): PrivateDirectory {
  const runs = path.join(captureRoot, RUNS_DIRECTORY);
  const making = path.join(runs, busyName(record.run_id));
  const dir = path.join(runs, record.run_id);
  try {
    makeUnlessThere(runs);
    storage().makeDirectory(making, 0o711);
    writeOwner(making, record);
    const sub = (name: string, mode: number): string => {
      const created = path.join(making, name);
      storage().makeDirectory(created, 0o700);
      fs.chmodSync(created, mode);
      return path.join(dir, name);
    };
    const directories = {
      dir,
      home: sub("home", 0o755),
      tmp: sub("tmp", 0o1777),
      pipes: sub("pipes", 0o755),
      config: sub("config", 0o755),
      scratch: sub("scratch", 0o700),
    };
    if (process.getuid?.() === 0) fs.chownSync(path.join(making, "home"), AGENT_UID, AGENT_GID);
    storage().rename(making, dir);
    return directories;
  } catch (error) {
    fs.rmSync(making, { recursive: true, force: true });
    throw error;
  }
}

/** Says whose directory it is. Throws CaptureError when it can't be written. */
export function writeOwner(dir: string, record: Omit<OwnerRecord, "owner">): void {
  writeJsonAtomic(path.join(dir, OWNER_FILE), { ...record, owner: ownIdentity() } satisfies OwnerRecord);
}

function makeUnlessThere(dir: string): void {
  try {
    storage().makeDirectory(dir, 0o711);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}
