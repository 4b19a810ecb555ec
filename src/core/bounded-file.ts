import { createHash, type Hash } from "node:crypto";
import { errorMessage } from "./errors.ts";
import { closeDurably, storage, writeLines, writeSome } from "./storage.ts";

export interface BoundedFileStats {
  /** Bytes offered, kept or not. */
  bytesTotal: number;
  bytesKept: number;
  /** SHA-256 (hex) of everything offered, also of what was not kept. */
  sha256: string;
  truncated: boolean;
  /** Why bytes were lost other than by the limit, for example a full disk; set also when only their durability is in doubt. */
  failure: string | undefined;
}

/**
 * A file that takes any amount of bytes and keeps the first `maxBytes`: streams from an agent have no end of their own.
 * A failing disk does not throw, it is kept as `failure`: a capture must outlive it.
 */
export class BoundedFile {
  readonly #fd: number;
  readonly #maxBytes: number;
  readonly #wholeLines: boolean;
  readonly #hash: Hash = createHash("sha256");
  #bytesTotal = 0;
  #bytesKept = 0;
  #failure: string | undefined;
  #closed = false;

  private constructor(fd: number, maxBytes: number, wholeLines: boolean) {
    this.#fd = fd;
    this.#maxBytes = maxBytes;
    this.#wholeLines = wholeLines;
  }

  /**
   * Creates `file` (it must not exist) for at most `maxBytes`. With `wholeLines`, for writers that write nothing else, a
   * failing disk leaves no half line.
   */
  static create(file: string, maxBytes: number, options: { wholeLines?: boolean } = {}): BoundedFile {
    return new BoundedFile(storage().open(file, "wx", 0o644), maxBytes, options.wholeLines ?? false);
  }

  get bytesTotal(): number {
    return this.#bytesTotal;
  }

  /** Quiet after `close`: a stream whose end was not waited for may still bring something. */
  write(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#bytesTotal += chunk.length;
    this.#hash.update(chunk);
    const room = this.#maxBytes - this.#bytesKept;
    if (room <= 0 || this.#failure !== undefined) return;
    const part = chunk.length > room ? chunk.subarray(0, room) : chunk;
    const written = this.#wholeLines ? writeLines(this.#fd, this.#bytesKept, part) : writeSome(this.#fd, part);
    this.#bytesKept += written.bytes;
    if (written.error !== undefined) this.#failure = errorMessage(written.error);
  }

  /** Call once. The bytes are durable then, or `failure` says why not. */
  close(): BoundedFileStats {
    this.#closed = true;
    const failure = closeDurably(this.#fd);
    if (failure !== undefined) this.#failure ??= errorMessage(failure);
    return {
      bytesTotal: this.#bytesTotal,
      bytesKept: this.#bytesKept,
      sha256: this.#hash.digest("hex"),
      truncated: this.#bytesKept < this.#bytesTotal,
      failure: this.#failure,
    };
  }
}
