import { createHash, type Hash } from "node:crypto";
import * as fs from "node:fs";
import { writeFully } from "./atomic-file.ts";
import { errorMessage } from "./errors.ts";

export interface BoundedFileStats {
  /** Bytes offered, kept or not. */
  bytesTotal: number;
  bytesKept: number;
  /** SHA-256 (hex) of everything offered, also of what was not kept. */
  sha256: string;
  truncated: boolean;
  /** Why bytes were lost other than by the limit, for example a full disk. */
  failure: string | undefined;
}

/**
 * A file that takes any amount of bytes and keeps the first `maxBytes`: streams from an agent have no end of their own.
 * A failing disk does not throw, it is kept as `failure`: a capture must outlive it.
 */
export class BoundedFile {
  readonly #fd: number;
  readonly #maxBytes: number;
  readonly #hash: Hash = createHash("sha256");
  #bytesTotal = 0;
  #bytesKept = 0;
  #failure: string | undefined;

  private constructor(fd: number, maxBytes: number) {
    this.#fd = fd;
    this.#maxBytes = maxBytes;
  }

  /** Creates `file` (it must not exist) for at most `maxBytes`. */
  static create(file: string, maxBytes: number): BoundedFile {
    return new BoundedFile(fs.openSync(file, "wx", 0o644), maxBytes);
  }

  get bytesTotal(): number {
    return this.#bytesTotal;
  }

  write(chunk: Uint8Array): void {
    this.#bytesTotal += chunk.length;
    this.#hash.update(chunk);
    const room = this.#maxBytes - this.#bytesKept;
    if (room <= 0 || this.#failure !== undefined) return;
    const part = chunk.length > room ? chunk.subarray(0, room) : chunk;
    try {
      writeFully(this.#fd, part);
      this.#bytesKept += part.length;
    } catch (error) {
      this.#failure = errorMessage(error);
    }
  }

  close(): BoundedFileStats {
    fs.closeSync(this.#fd);
    return {
      bytesTotal: this.#bytesTotal,
      bytesKept: this.#bytesKept,
      sha256: this.#hash.digest("hex"),
      truncated: this.#bytesKept < this.#bytesTotal,
      failure: this.#failure,
    };
  }
}
