const NEWLINE = 0x0a;

export interface Line {
  /** The line without its newline; at most the first `maxLineBytes` of it. */
  bytes: Buffer;
  /** Bytes beyond the limit, thrown away. */
  cutBytes: number;
  /** False for the rest at the end of the stream. */
  ended: boolean;
}

/** Cuts a stream into lines. Holds at most one line of `maxLineBytes` in memory, however long the real one is. */
export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #onLine: (line: Line) => void;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #cutBytes = 0;

  constructor(maxLineBytes: number, onLine: (line: Line) => void) {
    this.#maxLineBytes = maxLineBytes;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#hold(chunk.subarray(start, end));
      this.#emit(true);
      start = end + 1;
    }
    this.#hold(chunk.subarray(start));
  }

  /** Hands out what is left without a newline. */
  end(): void {
    if (this.#heldBytes > 0 || this.#cutBytes > 0) this.#emit(false);
  }

  #hold(part: Buffer): void {
    const kept = part.subarray(0, Math.max(0, this.#maxLineBytes - this.#heldBytes));
    // A copy: the chunk's memory is used again for the next read.
    if (kept.length > 0) this.#held.push(Buffer.from(kept));
    this.#heldBytes += kept.length;
    this.#cutBytes += part.length - kept.length;
  }

  #emit(ended: boolean): void {
    const bytes = this.#held.length === 1 && this.#held[0] !== undefined ? this.#held[0] : Buffer.concat(this.#held);
    const line = { bytes, cutBytes: this.#cutBytes, ended };
    this.#held = [];
    this.#heldBytes = 0;
    this.#cutBytes = 0;
    this.#onLine(line);
  }
}
