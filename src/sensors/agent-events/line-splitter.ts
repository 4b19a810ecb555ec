const NEWLINE = 0x0a;
const FIRST_CAPACITY_BYTES = 4096;

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
  /** Start of a line that waits for its newline: one buffer that grows, since a chunk may be a single byte. */
  #held = Buffer.alloc(0);
  #heldBytes = 0;
  #cutBytes = 0;

  constructor(maxLineBytes: number, onLine: (line: Line) => void) {
    this.#maxLineBytes = maxLineBytes;
    this.#onLine = onLine;
  }

  /** The lines handed out are valid until `push` is called again: those within one chunk are not copied. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#finish(chunk.subarray(start, end), true);
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
  }

  /** Hands out what is left without a newline. */
  end(): void {
    if (this.#heldBytes > 0 || this.#cutBytes > 0) this.#finish(Buffer.alloc(0), false);
  }

  #finish(part: Buffer, ended: boolean): void {
    const isWhole = this.#heldBytes === 0 && this.#cutBytes === 0 && part.length <= this.#maxLineBytes;
    if (!isWhole) this.#hold(part);
    const bytes = isWhole ? part : this.#held.subarray(0, this.#heldBytes);
    const cutBytes = this.#cutBytes;
    if (!isWhole) this.#held = Buffer.alloc(0);
    this.#heldBytes = 0;
    this.#cutBytes = 0;
    this.#onLine({ bytes, cutBytes, ended });
  }

  #hold(part: Buffer): void {
    const kept = part.subarray(0, this.#maxLineBytes - this.#heldBytes);
    const needed = this.#heldBytes + kept.length;
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(FIRST_CAPACITY_BYTES, needed, this.#held.length * 2));
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    kept.copy(this.#held, this.#heldBytes);
    this.#heldBytes = needed;
    this.#cutBytes += part.length - kept.length;
  }
}
