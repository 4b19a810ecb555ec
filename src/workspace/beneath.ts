import * as fs from "node:fs";
import { errnoOf } from "../core/errors.ts";
import { give, type Ownership } from "./ownership.ts";

const OPEN_DIRECTORY = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;

/** Opens a directory, not through a link. */
export function openDirectory(at: string | Buffer): number {
  return fs.openSync(at, OPEN_DIRECTORY);
}

/** Path by which `name` in the open directory `fd` is reached, however long its real path is. */
export function atPath(fd: number, name: Buffer | string): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), typeof name === "string" ? Buffer.from(name) : name]);
}

/**
 * Opens the directory `parts` below the open directory `root`, making what is missing. Links on the way are refused, so
 * that nothing is ever written outside. Throws system errors (`ELOOP` and `ENOTDIR`: a link or a file is in the way).
 */
export function openBeneath(root: number, parts: readonly string[], ownership: Ownership): number {
  let fd = openDirectory(`/proc/self/fd/${root}/.`);
  for (const part of parts) {
    const next = openOrMake(fd, part, ownership);
    fs.closeSync(fd);
    fd = next;
  }
  return fd;
}

function openOrMake(parent: number, name: string, ownership: Ownership): number {
  const at = atPath(parent, name);
  try {
    return openDirectory(at);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
  fs.mkdirSync(at);
  const fd = openDirectory(at);
  give(ownership, fd, 0o755);
  return fd;
}

/** Writes a new file, replacing whatever stood there (a link is replaced, not followed). */
export function writeBeneath(dir: number, name: string, content: Buffer | string, ownership: Ownership): void {
  const at = atPath(dir, name);
  fs.rmSync(at.toString(), { force: true });
  const fd = fs.openSync(at, "wx", 0o600);
  try {
    fs.writeFileSync(fd, content);
    give(ownership, fd, 0o644);
  } finally {
    fs.closeSync(fd);
  }
}
