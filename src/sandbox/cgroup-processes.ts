import * as fs from "node:fs";
import * as path from "node:path";
import { monotonicMs, sleep } from "../core/clock.ts";
import { CaptureError } from "../core/errors.ts";
import { type CgroupDirs, cgroupDirsOf, holdsThisProcess, UNIFIED } from "./cgroup-paths.ts";

/** Hierarchies that are asked for the processes, best first: any of them holds all of a container. */
const PROCESS_LISTS = [UNIFIED, "pids", "freezer", "memory", "cpu", "systemd"] as const;
const KILL_PAUSE_MS = 5;

/** Host pids of every process in the group and below it; empty when the group is gone. */
export function listProcesses(dirs: CgroupDirs): number[] {
  const dir = processListDir(dirs);
  return dir === undefined ? [] : listBelow(dir);
}

/** The directory whose `cgroup.procs` lists the container's processes. */
export function processListDir(dirs: CgroupDirs): string | undefined {
  const controller = PROCESS_LISTS.find((name) => dirs[name] !== undefined);
  return controller === undefined ? undefined : dirs[controller];
}

function listBelow(dir: string): number[] {
  const pids = readPids(path.join(dir, "cgroup.procs"));
  for (const name of subdirectories(dir)) pids.push(...listBelow(path.join(dir, name)));
  return pids;
}

function readPids(file: string): number[] {
  try {
    // 0 stands for a process of another pid namespace, which could not be signalled.
    return fs
      .readFileSync(file, "utf8")
      .split("\n")
      .map(Number)
      .filter((pid) => pid > 0);
  } catch {
    return [];
  }
}

function subdirectories(dir: string): string[] {
  try {
    return fs
      .readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

export interface KillOptions {
  /** Gives up after this time; default 5000. */
  timeoutMs?: number;
  /** Uses single signals although the kernel could kill the group at once; for tests. */
  oneByOne?: boolean;
}

export interface KillResult {
  /** Processes that were still there when it gave up; 0: the group is empty. */
  survivors: number;
}

/**
 * Kills every process of the group, daemons and orphans included, and waits until the group is empty.
 * A group that has vanished counts as empty.
 * @throws CaptureError `internal` when the group holds this process itself: it is then no container.
 */
export async function killProcesses(dirs: CgroupDirs, options: KillOptions = {}): Promise<KillResult> {
  if (holdsThisProcess(dirs)) {
    throw new CaptureError("internal", "refused to kill a control group that holds the supervisor itself");
  }
  const deadline = monotonicMs() + (options.timeoutMs ?? 5000);
  if (options.oneByOne !== true) killAtOnce(dirs);
  for (;;) {
    const pids = listProcesses(dirs);
    if (pids.length === 0) return { survivors: 0 };
    if (monotonicMs() > deadline) return { survivors: pids.length };
    killListed(dirs, pids);
    await sleep(KILL_PAUSE_MS);
  }
}

function killAtOnce(dirs: CgroupDirs): void {
  const unified = dirs[UNIFIED];
  if (unified !== undefined) tryWrite(path.join(unified, "cgroup.kill"), "1");
}

/** Frozen first, so that nothing can fork between the look and the signal; a frozen v1 task dies once it is thawed. */
function killListed(dirs: CgroupDirs, pids: readonly number[]): void {
  const freezer = dirs["freezer"] === undefined ? undefined : path.join(dirs["freezer"], "freezer.state");
  if (freezer !== undefined) tryWrite(freezer, "FROZEN");
  for (const pid of pids) if (isMember(pid, dirs)) trySignal(pid);
  if (freezer !== undefined) tryWrite(freezer, "THAWED");
}

/** A pid may have been given to a stranger since the look. */
function isMember(pid: number, dirs: CgroupDirs): boolean {
  try {
    const now = cgroupDirsOf(pid);
    return Object.entries(dirs).some(([controller, dir]) => {
      const current = now[controller];
      return current !== undefined && (current === dir || current.startsWith(`${dir}/`));
    });
  } catch {
    return false;
  }
}

function trySignal(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already, or not ours to signal: then it is counted as a survivor.
  }
}

function tryWrite(file: string, text: string): void {
  try {
    fs.writeFileSync(file, text);
  } catch {
    // No such file on this kernel, or the group is gone.
  }
}
