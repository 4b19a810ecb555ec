import * as fs from "node:fs";
import { errnoOf } from "../../core/errors.ts";

export type CopyResult =
  | { kind: "copied"; bytes: number }
  | { kind: "absent" }
  /** Not copied, and why, in words. */
  | { kind: "refused"; reason: string };

const CHUNK_BYTES = 1 << 20;
const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY, O_NONBLOCK } = fs.constants;

/**
 * Copies `root/<parts>` to `target`, where everything below `root` belongs to an untrusted agent: no part of the path may
 * be a symbolic link, the file must be a regular one (a pipe would block, a device could do anything), and no more than
 * `maxBytes` are read. Each part is opened relative to the one before, so nothing can be swapped in between.
 */
export function copyUntrustedFile(
  root: string,
  parts: readonly [string, ...string[]],
  target: string,
  maxBytes: number,
): CopyResult {
  const open: number[] = [];
  try {
    open.push(fs.openSync(root, O_RDONLY | O_DIRECTORY));
    for (const part of parts.slice(0, -1)) open.push(openBelow(open.at(-1), part, O_DIRECTORY));
    const source = openBelow(open.at(-1), parts.at(-1) ?? "", O_NONBLOCK);
    open.push(source);
    const stat = fs.fstatSync(source);
    if (!stat.isFile()) return refused("it is not a regular file");
    if (stat.size > maxBytes) return refused(`it is larger than ${maxBytes} bytes`);
    return { kind: "copied", bytes: copyBytes(source, target, maxBytes) };
  } catch (error) {
    return explain(error);
  } finally {
    for (const fd of open) fs.closeSync(fd);
  }
}

/** Node has no openat(2); the link in /proc stands for the open directory itself, whatever its name is by now. */
function openBelow(directory: number | undefined, name: string, flags: number): number {
  return fs.openSync(`/proc/self/fd/${directory}/${name}`, O_RDONLY | O_NOFOLLOW | flags);
}

function copyBytes(source: number, target: string, maxBytes: number): number {
  const destination = fs.openSync(target, "wx", 0o600);
  try {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let total = 0;
    while (total < maxBytes) {
      const count = fs.readSync(source, buffer, 0, Math.min(CHUNK_BYTES, maxBytes - total), null);
      if (count === 0) break;
      fs.writeFileSync(destination, buffer.subarray(0, count));
      total += count;
    }
    return total;
  } finally {
    fs.closeSync(destination);
  }
}

function explain(error: unknown): CopyResult {
  const code = errnoOf(error);
  if (code === "ENOENT") return { kind: "absent" };
  if (code === "ELOOP" || code === "ENOTDIR") return refused("a part of its path is no plain directory or file");
  if (code === undefined) throw error;
  return refused(`the system says ${code}`);
}

function refused(reason: string): CopyResult {
  return { kind: "refused", reason };
}
