import * as fs from "node:fs";
import { LAYOUT } from "../evidence/layout.ts";
import type { OpenCapture } from "../evidence/reader.ts";
import { openRegular } from "../evidence/reader-path.ts";
import type { PageLog } from "../schema/page.ts";

const EXCERPT_BYTES = 48 << 10;

const LOGS = [
  LAYOUT.stdoutLog,
  LAYOUT.stderrLog,
  LAYOUT.containerLog,
  LAYOUT.exportStdoutLog,
  LAYOUT.exportStderrLog,
] as const;

/** Beginning and end of every log that exists. */
export function loadLogs(capture: OpenCapture): PageLog[] {
  return LOGS.flatMap((file) => {
    const log = readExcerpt(capture.dir, file);
    return log === undefined ? [] : [log];
  });
}

function readExcerpt(dir: string, file: string): PageLog | undefined {
  const opened = openRegular(dir, file);
  if (!opened.ok) return undefined;
  try {
    const { fd, sizeBytes } = opened;
    const whole = sizeBytes <= 2 * EXCERPT_BYTES;
    const head = readRange(fd, 0, whole ? sizeBytes : EXCERPT_BYTES);
    const tail = whole ? null : readRange(fd, sizeBytes - EXCERPT_BYTES, EXCERPT_BYTES);
    return { file, sizeBytes, head: head.toString("utf8"), tail: tail === null ? null : tail.toString("utf8") };
  } finally {
    fs.closeSync(opened.fd);
  }
}

function readRange(fd: number, start: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const bytes = fs.readSync(fd, buffer, done, length - done, start + done);
    if (bytes === 0) break;
    done += bytes;
  }
  return buffer.subarray(0, done);
}
