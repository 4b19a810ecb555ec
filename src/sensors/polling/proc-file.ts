import * as fs from "node:fs";

const BUFFER_BYTES = 64 << 10;
const MAX_BYTES = 8 << 20;
let shared = Buffer.allocUnsafe(BUFFER_BYTES);

/**
 * Reads a file of /proc or of a control group, at most `maxBytes`; undefined when it can't be read, which is normal for
 * a process that has just ended. What is returned is valid until the next call. Synchronous: such a read takes 5–20 µs.
 */
export function readProc(file: string, maxBytes = MAX_BYTES): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY);
    return readAll(fd, maxBytes);
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** The text of a link of /proc, or null. */
export function readProcLink(file: string): string | null {
  try {
    return fs.readlinkSync(file);
  } catch {
    return null;
  }
}

/** A file that is read again and again; it stays open, so it can't turn into that of another process with the same pid. */
export class ProcFile {
  readonly #fd: number;
  #isClosed = false;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  static open(file: string): ProcFile | undefined {
    try {
      return new ProcFile(fs.openSync(file, fs.constants.O_RDONLY));
    } catch {
      return undefined;
    }
  }

  /** The content now; undefined when what it belongs to is gone. Valid until the next read of any such file. */
  read(maxBytes = MAX_BYTES): Buffer | undefined {
    if (this.#isClosed) return undefined;
    try {
      return readAll(this.#fd, maxBytes);
    } catch {
      return undefined;
    }
  }

  close(): void {
    if (!this.#isClosed) fs.closeSync(this.#fd);
    this.#isClosed = true;
  }
}

function readAll(fd: number, maxBytes: number): Buffer {
  let length = 0;
  while (length < maxBytes) {
    if (length === shared.length) shared = Buffer.concat([shared], shared.length * 2);
    const read = fs.readSync(fd, shared, length, Math.min(shared.length, maxBytes) - length, length);
    if (read === 0) break;
    length += read;
  }
  return shared.subarray(0, length);
}
