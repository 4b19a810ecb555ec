import * as fs from "node:fs";
import { promisify } from "node:util";
import type { ReadProblem } from "./reader-json.ts";
import { openRegular } from "./reader-path.ts";

const CHUNK_BYTES = 1 << 18;
const NEWLINE = 0x0a;

const readAsync = promisify(fs.read);

/** One line of a file: its number from 1, and its text, or `undefined` when it was longer than allowed. */
export interface Line {
  number: number;
  text: string | undefined;
  /** False for a last line without a newline: the writer may have died in the middle of it. */
  ended: boolean;
}

/**
 * Streams the lines of a capture's file. Memory stays below `maxLineBytes` plus one chunk, whatever the file holds.
 * @returns why the file can't be read, after which there are no lines; a missing file has none and that is no problem here.
 */
export async function readLines(
  root: string,
  file: string,
  maxLineBytes: number,
  onLine: (line: Line) => void,
): Promise<ReadProblem | undefined> {
  const opened = openRegular(root, file);
  if (!opened.ok) {
    const code = opened.failure === "outside" ? "not-regular" : opened.failure;
    return { file, code, message: opened.message };
  }
  try {
    await streamLines(opened.fd, new LineSplitter(maxLineBytes, onLine));
    return undefined;
  } finally {
    fs.closeSync(opened.fd);
  }
}

async function streamLines(fd: number, splitter: LineSplitter): Promise<void> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (;;) {
    const { bytesRead } = await readAsync(fd, chunk, 0, chunk.length, null);
    if (bytesRead === 0) break;
    splitter.push(chunk.subarray(0, bytesRead));
  }
  splitter.end();
}

/** Cuts chunks into lines. A chunk may be overwritten after `push` returns. */
class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #onLine: (line: Line) => void;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #tooLong = false;
  #number = 1;

  constructor(maxLineBytes: number, onLine: (line: Line) => void) {
    this.#maxLineBytes = maxLineBytes;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
      this.#finish(chunk.subarray(start, at), true);
      start = at + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  end(): void {
    if (this.#partBytes > 0 || this.#tooLong) this.#finish(Buffer.alloc(0), false);
  }

  #keep(rest: Buffer): void {
    if (this.#tooLong) return;
    this.#partBytes += rest.length;
    if (this.#partBytes > this.#maxLineBytes) {
      this.#tooLong = true;
      this.#parts = [];
      return;
    }
    this.#parts.push(Buffer.from(rest));
  }

  #finish(rest: Buffer, ended: boolean): void {
    const tooLong = this.#tooLong || this.#partBytes + rest.length > this.#maxLineBytes;
    const bytes = this.#parts.length === 0 ? rest : Buffer.concat([...this.#parts, rest]);
    const number = this.#number++;
    this.#parts = [];
    this.#partBytes = 0;
    this.#tooLong = false;
    this.#onLine({ number, text: tooLong ? undefined : bytes.toString("utf8"), ended });
  }
}
