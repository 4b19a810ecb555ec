import * as fs from "node:fs";

/** Enough for everything below /proc/PID that is kept; a longer command line is cut and marked. */
const BUFFER = Buffer.alloc(256 << 10);

export interface ProcText {
  text: string;
  /** True when there was more than is kept. */
  cut: boolean;
}

/**
 * Content of a file below /proc, at most `maxBytes`; undefined when the process is gone. One descriptor and one buffer for
 * all: these calls are made thousands of times in a run. Bytes that are not UTF-8 become U+FFFD.
 */
export function readProc(file: string, maxBytes = 64 << 10): ProcText | undefined {
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY);
    const limit = Math.min(maxBytes, BUFFER.length);
    let length = 0;
    while (length < limit) {
      const read = fs.readSync(fd, BUFFER, length, limit - length, null);
      if (read === 0) break;
      length += read;
    }
    return { text: BUFFER.toString("utf8", 0, length), cut: length === limit };
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Target of a link below /proc; undefined when the process is gone or it can't be read. */
export function readProcLink(file: string): string | undefined {
  try {
    return fs.readlinkSync(file);
  } catch {
    return undefined;
  }
}
