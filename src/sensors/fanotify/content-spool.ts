import { createHash, type Hash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { errorMessage } from "../../core/errors.ts";
import { storage, writeSome } from "../../core/storage.ts";

interface Place {
  offset: number;
  bytes: number;
}

const COPY_BYTES = 1 << 20;

/**
 * Contents that came by while the agent worked, equal ones once, one behind the other in a file without a name: it is in
 * nobody's reach and vanishes by itself. Which of them are kept is decided at the end.
 */
export class ContentSpool {
  readonly #fd: number;
  readonly #maxBytes: number;
  readonly #places = new Map<string, Place>();
  #sizeBytes = 0;
  #begun: { hash: Hash; bytes: number; whole: boolean } | undefined;
  #failure: string | undefined;

  private constructor(fd: number, maxBytes: number) {
    this.#fd = fd;
    this.#maxBytes = maxBytes;
  }

  /** `dir`: a private directory with room for `maxBytes`. Throws system errors. */
  static create(dir: string, maxBytes: number): ContentSpool {
    const file = path.join(dir, "content-spool");
    const fd = fs.openSync(file, "ax+", 0o600);
    fs.unlinkSync(file);
    return new ContentSpool(fd, maxBytes);
  }

  /** Why contents were lost other than by the limit, for example a full disk. */
  get failure(): string | undefined {
    return this.#failure;
  }

  begin(): void {
    this.#begun = { hash: createHash("sha256"), bytes: 0, whole: true };
  }

  add(piece: Buffer): void {
    const begun = this.#begun;
    if (begun === undefined) return;
    begun.hash.update(piece);
    begun.whole &&= this.#sizeBytes + begun.bytes + piece.length <= this.#maxBytes && this.#write(piece);
    begun.bytes += piece.length;
  }

  /** Ends the content that was begun. @returns its hash, hex. */
  finish(): string {
    const begun = this.#begun;
    this.#begun = undefined;
    const sha256 = (begun?.hash ?? createHash("sha256")).digest("hex");
    if (begun === undefined) return sha256;
    if (begun.whole && !this.#places.has(sha256)) {
      this.#places.set(sha256, { offset: this.#sizeBytes, bytes: begun.bytes });
      this.#sizeBytes += begun.bytes;
    } else {
      this.#takeBack();
    }
    return sha256;
  }

  /** Forgets the content that was begun. */
  abandon(): void {
    this.#begun = undefined;
    this.#takeBack();
  }

  /** Bytes of a content; undefined: it is not here. */
  sizeOf(sha256: string): number | undefined {
    return this.#places.get(sha256)?.bytes;
  }

  /** A content piece by piece; each piece holds until the next. Throws system errors. */
  *read(sha256: string): Generator<Buffer> {
    const place = this.#places.get(sha256);
    if (place === undefined) return;
    const piece = Buffer.allocUnsafe(Math.min(COPY_BYTES, Math.max(1, place.bytes)));
    for (let done = 0; done < place.bytes; ) {
      const want = Math.min(piece.length, place.bytes - done);
      const got = fs.readSync(this.#fd, piece, 0, want, place.offset + done);
      if (got === 0) throw new Error("the spool is shorter than what was written to it");
      done += got;
      yield piece.subarray(0, got);
    }
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #write(piece: Buffer): boolean {
    if (this.#failure !== undefined) return false;
    const { error } = writeSome(this.#fd, piece);
    if (error !== undefined) this.#failure = errorMessage(error);
    return error === undefined;
  }

  #takeBack(): void {
    try {
      storage().truncate(this.#fd, this.#sizeBytes);
    } catch (error) {
      // Offsets would no longer be true for what comes next.
      this.#failure ??= errorMessage(error);
    }
  }
}
