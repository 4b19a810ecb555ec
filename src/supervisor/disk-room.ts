import * as fs from "node:fs";
import { CaptureError } from "../core/errors.ts";
import { exec } from "../core/exec.ts";
import { formatSize } from "../core/sizes.ts";
import type { StopCause } from "./judge.ts";
import type { RunLimits } from "./run-limits.ts";

/** What an ordinary run writes besides its capture: working copy, home, /tmp. */
const START_BYTES = 256 << 20;
const LOOK_EVERY_MS = 200;
const MEASURE_TIMEOUT_MS = 60_000;
/** Files that must still fit on the disk: empty ones take no bytes, and a disk without inodes is full all the same. */
const FILES_RESERVE = 20_000;

/** Bytes that may still be written to the file system of `dir`. Throws system errors. */
export function freeBytes(dir: string): number {
  const { bavail, bsize } = fs.statfsSync(dir, { bigint: true });
  return Number(bavail * bsize);
}

/** Files that may still be made there; undefined where the file system has no fixed number of them. */
function freeFiles(dir: string): number | undefined {
  const { ffree, files } = fs.statfsSync(dir);
  return files === 0 ? undefined : ffree;
}

/**
 * Checked before anything is made: a run that would be stopped for want of room right away is no use.
 * @throws CaptureError `disk-full`, with the bytes that are there and that are needed.
 */
export function checkRoom(captureRoot: string, limits: Pick<RunLimits, "disk_reserve">): void {
  const free = freeBytes(captureRoot);
  const needed = limits.disk_reserve + START_BYTES;
  if (free >= needed) return;
  const figures = `${free} bytes are free, a run needs ${needed} (${formatSize(needed)})`;
  throw new CaptureError(
    "disk-full",
    `there is too little room for captures on the disk of ${captureRoot}: ${figures}`,
    {
      hint:
        "free some space there, or name a directory on another disk with --capture-root DIR; " +
        `--limit disk_reserve=SIZE changes how much of it must stay free (now ${formatSize(limits.disk_reserve)})`,
    },
  );
}

export interface DiskWatchOptions {
  /** A directory on the captures' file system; the agent's directories are on the same one. */
  captureRoot: string;
  /** What the agent writes to. */
  agentDirs: readonly string[];
  limits: Pick<RunLimits, "agent_files" | "disk_reserve">;
  onLimit(cause: StopCause): void;
}

/**
 * Watches the captures' disk during a run. The free space tells in microseconds when there can be anything to see; only
 * then the agent's directories are measured, since somebody else may be writing to the disk too.
 */
export class DiskWatch {
  readonly #options: DiskWatchOptions;
  readonly #timer: NodeJS.Timeout;
  /** Free space above which the agent can't have written too much. */
  #suspectBelow: number;
  readonly #filesReserve: number;
  #measuring = false;
  #stopped = false;

  constructor(options: DiskWatchOptions) {
    this.#options = options;
    this.#suspectBelow = freeBytes(options.captureRoot) - options.limits.agent_files;
    // Where little is left from the start, the agent may have the half of it.
    this.#filesReserve = Math.min(FILES_RESERVE, (freeFiles(options.captureRoot) ?? 0) / 2);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  #look(): void {
    const { captureRoot, limits } = this.#options;
    let free: number;
    let files: number;
    try {
      free = freeBytes(captureRoot);
      files = freeFiles(captureRoot) ?? Number.POSITIVE_INFINITY;
    } catch {
      // A disk that does not answer shows in what is written to it.
      return;
    }
    if (free < limits.disk_reserve || files < this.#filesReserve) this.#reach("disk-full");
    else if (free < this.#suspectBelow && !this.#measuring) void this.#measure(free);
  }

  async #measure(free: number): Promise<void> {
    const { agentDirs, limits } = this.#options;
    this.#measuring = true;
    const written = await measureDirectories(agentDirs);
    this.#measuring = false;
    if (this.#stopped || written === undefined) return;
    if (written > limits.agent_files) this.#reach("disk-limit");
    // Somebody else's writing: the agent's own share is due again when as much more is gone as it may still write.
    else this.#suspectBelow = free - (limits.agent_files - written);
  }

  #reach(cause: StopCause): void {
    this.stop();
    this.#options.onLimit(cause);
  }
}

/** Bytes on the disk; `du` sees the tree as it is now, whatever its names and however it changes under it. */
async function measureDirectories(dirs: readonly string[]): Promise<number | undefined> {
  const args = ["--summarize", "--total", "--one-file-system", "--block-size=1", "--", ...dirs];
  const { stdout } = await exec("du", args, { timeoutMs: MEASURE_TIMEOUT_MS, maxOutputBytes: 16 << 20 });
  const total = /^(\d+)\ttotal$/m.exec(stdout.slice(-100))?.[1];
  return total === undefined ? undefined : Number(total);
}
