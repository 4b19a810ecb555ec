import * as fs from "node:fs";
import * as path from "node:path";
import { writeJsonAtomic } from "../core/atomic-file.ts";
import { ownIdentity, type ProcessIdentity } from "../core/process-identity.ts";
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
  capture_dir: string;
  container_name: string;
  engine_bin: string;
  owner: ProcessIdentity;
}

export const OWNER_FILE = "owner.json";

/** Makes the run's directories. On the captures' file system, so that nothing has to be copied across. */
export function createPrivateDirectory(captureRoot: string, record: Omit<OwnerRecord, "owner">): PrivateDirectory {
  const dir = path.join(captureRoot, RUNS_DIRECTORY, record.run_id);
  fs.mkdirSync(dir, { recursive: true, mode: 0o711 });
  writeJsonAtomic(path.join(dir, OWNER_FILE), { ...record, owner: ownIdentity() } satisfies OwnerRecord);
  const sub = (name: string, mode: number): string => {
    const created = path.join(dir, name);
    fs.mkdirSync(created);
    fs.chmodSync(created, mode);
    return created;
  };
  const directories = {
    dir,
    home: sub("home", 0o755),
    tmp: sub("tmp", 0o1777),
    pipes: sub("pipes", 0o755),
    config: sub("config", 0o755),
    scratch: sub("scratch", 0o700),
  };
  if (process.getuid?.() === 0) fs.chownSync(directories.home, AGENT_UID, AGENT_GID);
  return directories;
}
