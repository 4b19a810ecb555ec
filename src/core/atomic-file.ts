import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { CaptureError, errnoOf, errorMessage } from "./errors.ts";

/** Writes all of `data`: Node's own calls may write less without an error when the disk fills up. */
export function writeFully(fd: number, data: Uint8Array): void {
  let offset = 0;
  while (offset < data.length) {
    const written = fs.writeSync(fd, data, offset, data.length - offset);
    if (written === 0) throw Object.assign(new Error("the file system took no more bytes"), { code: "ENOSPC" });
    offset += written;
  }
}

function fsyncDirectory(dir: string): void {
  const fd = fs.openSync(dir, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Replaces `file` in one step: a reader sees the old content or the new, never a part. Durable when it returns.
 * @throws CaptureError `disk-full` or `write-failed`; the old content then still stands.
 */
export function writeFileAtomic(file: string, data: string | Uint8Array, mode = 0o644): void {
  const dir = path.dirname(file);
  const temporary = path.join(dir, `.${path.basename(file)}.${randomUUID().slice(0, 8)}.tmp`);
  try {
    const fd = fs.openSync(temporary, "wx", mode);
    try {
      writeFully(fd, typeof data === "string" ? Buffer.from(data) : data);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
    fsyncDirectory(dir);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw writeError(file, error);
  }
}

/** JSON with an indent of two and a newline at the end, written in one step. */
export function writeJsonAtomic(file: string, value: unknown): void {
  writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** The CaptureError for a failed write to `file`. */
export function writeError(file: string, error: unknown): CaptureError {
  const full = errnoOf(error) === "ENOSPC" || errnoOf(error) === "EDQUOT";
  return new CaptureError(full ? "disk-full" : "write-failed", `cannot write ${file}: ${errorMessage(error)}`, {
    cause: error,
    hint: full ? `free some space on the file system of ${path.dirname(file)}, then run it again` : undefined,
  });
}
