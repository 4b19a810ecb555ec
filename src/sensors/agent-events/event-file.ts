import * as fs from "node:fs";
import { errorMessage } from "../../core/errors.ts";
import { storage, writeSome } from "../../core/storage.ts";
import type { Line } from "./line-splitter.ts";

const NEWLINE = Buffer.from("\n");

/**
 * The file of native events: whole lines, in the order of their arrival, up to a limit. A file system that takes no more
 * is no error here, it is a loss that is counted.
 */
export class EventFile {
  readonly #fd: number;
  readonly #maxBytes: number;
  #closedToMore = false;
  keptBytes = 0;
  lostBytes = 0;
  failure: string | undefined;

  /** Creates `file`, or continues it. Throws what the file system says when it can't be opened. */
  constructor(file: string, maxBytes: number) {
    const { O_CREAT, O_APPEND, O_WRONLY, O_NOFOLLOW } = fs.constants;
    this.#fd = storage().open(file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o644);
    this.#maxBytes = maxBytes;
  }

  /** Appends lines; returns how many of them, from the first on, stand in the file now. The others are lost. */
  append(lines: readonly Line[]): number {
    const fitting = this.#closedToMore ? 0 : this.#countFitting(lines);
    if (fitting < lines.length) this.#closedToMore = true;
    const kept = fitting === 0 ? 0 : this.#write(lines.slice(0, fitting));
    for (const line of lines.slice(kept)) this.lostBytes += sizeOf(line);
    return kept;
  }

  /** Makes the content durable. */
  close(): void {
    try {
      storage().sync(this.#fd);
    } catch (error) {
      // What can't be synced by its nature (a device) is no loss.
      if (this.#isRegular()) this.failure ??= errorMessage(error);
    }
    try {
      storage().close(this.#fd);
    } catch (error) {
      this.failure ??= errorMessage(error);
    }
  }

  #countFitting(lines: readonly Line[]): number {
    let end = this.keptBytes;
    const first = lines.findIndex((line) => {
      end += sizeOf(line);
      return end > this.#maxBytes;
    });
    return first === -1 ? lines.length : first;
  }

  #write(lines: readonly Line[]): number {
    const before = this.#size();
    const bytes = Buffer.concat(lines.flatMap((line) => (line.ended ? [line.bytes, NEWLINE] : [line.bytes])));
    const { bytes: taken, error } = writeSome(this.#fd, bytes);
    if (error === undefined) {
      this.keptBytes += taken;
      return lines.length;
    }
    this.failure = errorMessage(error);
    this.#closedToMore = true;
    return this.#keepWholeLines(lines, before, taken);
  }

  /** A full disk takes a part: what is left of a cut line is removed again. */
  #keepWholeLines(lines: readonly Line[], before: number, taken: number): number {
    if (!this.#isRegular()) return 0;
    let kept = 0;
    let end = 0;
    for (const line of lines) {
      if (end + sizeOf(line) > taken) break;
      end += sizeOf(line);
      kept++;
    }
    this.keptBytes += end;
    try {
      storage().truncate(this.#fd, before + end);
    } catch (error) {
      this.failure = `${this.failure}; half a line stands at the end: ${errorMessage(error)}`;
    }
    return kept;
  }

  #size(): number {
    return fs.fstatSync(this.#fd).size;
  }

  #isRegular(): boolean {
    return fs.fstatSync(this.#fd).isFile();
  }
}

function sizeOf(line: Line): number {
  return line.bytes.length + (line.ended ? 1 : 0);
}
