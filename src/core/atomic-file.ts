import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { CaptureError, errnoOf, errorMessage } from "./errors.ts";
import { storage, writeFully } from "./storage.ts";

/** What a writer that was killed leaves: `.name.12345678.tmp`. */
const TEMPORARY = /^\..+\.[0-9a-f]{8}\.tmp$/;

export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

function fsyncDirectory(dir: string): void {
  const fd = storage().open(dir, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY, 0);
  try {
    storage().sync(fd);
  } finally {
    storage().close(fd);
  }
}

/**
 * Replaces `file` in one step: a reader sees the old content or the new, never a part. Durable when it returns.
 * @throws CaptureError `disk-full` or `write-failed`; `file` is whole all the same, nearly always with the old content.
 */
export function writeFileAtomic(file: string, data: string | Uint8Array, mode = 0o644): void {
  replaceFile(file, (temporary) => {
    const fd = storage().open(temporary, "wx", mode);
    try {
      writeFully(fd, typeof data === "string" ? Buffer.from(data) : data);
      storage().sync(fd);
    } finally {
      storage().close(fd);
    }
  });
}

/** JSON with an indent of two and a newline at the end, written in one step. */
export function writeJsonAtomic(file: string, value: unknown): void {
  writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** Copies a regular file in one step: `to` is never seen half. @throws as `writeFileAtomic`. */
export function copyFileAtomic(from: string, to: string, mode = 0o644): void {
  replaceFile(to, (temporary) => {
    storage().copy(from, temporary);
    fs.chmodSync(temporary, mode);
  });
}

function replaceFile(file: string, make: (temporary: string) => void): void {
  const dir = path.dirname(file);
  const temporary = path.join(dir, `.${path.basename(file)}.${randomUUID().slice(0, 8)}.tmp`);
  try {
    make(temporary);
    storage().rename(temporary, file);
    fsyncDirectory(dir);
  } catch (error) {
    removeQuietly(temporary);
    throw writeError(file, error);
  }
}

/** The first error is the one to tell. */
function removeQuietly(file: string): void {
  try {
    fs.rmSync(file, { force: true });
  } catch {
    // A disk that can't write may not remove either.
  }
}

/** True when the disk, or somebody's share of it, is full. */
export function isDiskFull(error: unknown): boolean {
  if (error instanceof CaptureError) return error.code === "disk-full";
  return errnoOf(error) === "ENOSPC" || errnoOf(error) === "EDQUOT";
}

/** The CaptureError for a failed write to `file`. */
export function writeError(file: string, error: unknown): CaptureError {
  const full = isDiskFull(error);
  return new CaptureError(full ? "disk-full" : "write-failed", `cannot write ${file}: ${errorMessage(error)}`, {
    cause: error,
    hint: full ? `free some space on the file system of ${path.dirname(file)}, then run it again` : undefined,
  });
}
