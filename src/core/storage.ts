import * as fs from "node:fs";
import { errorMessage } from "./errors.ts";

/**
 * The calls by which evidence reaches the disk. They fail as the system's own do: `write` may take less than it is given
 * without an error when the disk fills up, every other one throws.
 */
export interface StorageCalls {
  open(file: string, flags: string | number, mode: number): number;
  /** @returns the number of bytes that were taken. */
  write(fd: number, data: Uint8Array, offset: number, length: number): number;
  sync(fd: number): void;
  truncate(fd: number, sizeBytes: number): void;
  close(fd: number): void;
  rename(from: string, to: string): void;
  makeDirectory(dir: string, mode: number): void;
  /** The whole file, as a clone that shares its blocks where the file system can do that. */
  copy(from: string, to: string): void;
}

const SYSTEM: StorageCalls = {
  open: (file, flags, mode) => fs.openSync(file, flags, mode),
  write: (fd, data, offset, length) => fs.writeSync(fd, data, offset, length),
  sync: (fd) => fs.fsyncSync(fd),
  truncate: (fd, sizeBytes) => fs.ftruncateSync(fd, sizeBytes),
  close: (fd) => fs.closeSync(fd),
  rename: (from, to) => fs.renameSync(from, to),
  makeDirectory: (dir, mode) => fs.mkdirSync(dir, { mode }),
  copy: (from, to) => fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE),
};

let calls = SYSTEM;

/** How everything that writes evidence gets at the disk. Ask anew each time: tests put faults in between. */
export function storage(): StorageCalls {
  return calls;
}

/** Puts other calls in place of the system's; for tests of faults. @returns what brings the ones before back. */
export function replaceStorage(wrap: (system: StorageCalls) => StorageCalls): Disposable {
  const before = calls;
  calls = wrap(before);
  return {
    [Symbol.dispose]: () => {
      calls = before;
    },
  };
}

/** How much of a write reached the file, and why not the rest. */
export interface Written {
  bytes: number;
  /** Undefined: all of it. */
  error: Error | undefined;
}

/** Writes as much of `data` as the disk takes. Never throws. */
export function writeSome(fd: number, data: Uint8Array): Written {
  let bytes = 0;
  try {
    while (bytes < data.length) {
      const taken = calls.write(fd, data, bytes, data.length - bytes);
      if (taken === 0) throw Object.assign(new Error("the file system took no more bytes"), { code: "ENOSPC" });
      bytes += taken;
    }
    return { bytes, error: undefined };
  } catch (error) {
    return { bytes, error: error instanceof Error ? error : new Error(errorMessage(error)) };
  }
}

/**
 * The same for lines, which `data` is made of: a line that the disk took only a part of is cut off again, so that nobody
 * meets half of one. `sizeBytes` is the file's length before.
 */
export function writeLines(fd: number, sizeBytes: number, data: Uint8Array): Written {
  const written = writeSome(fd, data);
  if (written.error === undefined) return written;
  const wholeBytes = Buffer.from(data.buffer, data.byteOffset, written.bytes).lastIndexOf("\n") + 1;
  try {
    calls.truncate(fd, sizeBytes + wholeBytes);
    return { bytes: wholeBytes, error: written.error };
  } catch (error) {
    const why = `${errorMessage(written.error)}; half a line stands at the end: ${errorMessage(error)}`;
    return { bytes: written.bytes, error: new Error(why, { cause: written.error }) };
  }
}

/** Writes all of `data`, or throws what the system says. */
export function writeFully(fd: number, data: Uint8Array): void {
  const { error } = writeSome(fd, data);
  if (error !== undefined) throw error;
}

/** Makes a file's bytes durable and closes it. @returns what the system says against it: bytes may be lost then. */
export function closeDurably(fd: number): unknown {
  let failure: unknown;
  for (const call of [calls.sync, calls.close]) {
    try {
      call(fd);
    } catch (error) {
      failure ??= error;
    }
  }
  return failure;
}
