import { hash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { errorMessage } from "../core/errors.ts";
import { writeFully } from "../core/storage.ts";
import { isText } from "./text.ts";

export interface ContentBaseLimits {
  /** Texts up to this size are kept, so that a diff can be made later. */
  textBytes: number;
  /** Of all texts together. */
  totalBytes: number;
}

const DEFAULT_LIMITS: ContentBaseLimits = { textBytes: 1 << 20, totalBytes: 1 << 30 };
const BUFFER_BYTES = 1 << 20;
const SHA256_BYTES = 32;
/** In place of a length: why the text is not there. */
const NOT_TEXT = -1;
const TOO_LARGE = -2;
const NO_ROOM = -3;

/**
 * The contents that files had before the run: the hash of each, and the text of those that are texts of moderate size.
 * They stand one behind the other in a single file that has no name, so it is in nobody's reach and vanishes by itself.
 * Entries are named by small numbers; what a file system says of a file (inode, ctime, size) leads back to its entry.
 */
export class ContentBase {
  readonly #fd: number;
  readonly #limits: ContentBaseLimits;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #buffered = 0;
  #written = 0;
  #failure: string | undefined;
  #count = 0;
  #hashes = Buffer.alloc(SHA256_BYTES * 1024);
  #offsets = new Float64Array(1024);
  #lengths = new Int32Array(1024);
  readonly #byFile = new Map<bigint, { ref: number; ctimeNs: bigint; size: bigint }>();

  private constructor(fd: number, limits: ContentBaseLimits) {
    this.#fd = fd;
    this.#limits = limits;
  }

  /** `dir`: a private directory with room for the texts. */
  static create(dir: string, limits: Partial<ContentBaseLimits> = {}): ContentBase {
    const file = path.join(dir, "content-base");
    const fd = fs.openSync(file, "wx+", 0o600);
    fs.unlinkSync(file);
    return new ContentBase(fd, { ...DEFAULT_LIMITS, ...limits });
  }

  /** Why texts were lost, for example a full disk. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Adds a whole content. `keep`: texts, whatever it is, or the hash only. `sha256` saves hashing it again. */
  add(content: Buffer, keep: "text" | "any" | "hash", sha256: Buffer = hash("sha256", content, "buffer")): number {
    const ref = this.addHash(sha256);
    if (keep === "hash" || content.length > this.#limits.textBytes) return ref;
    if (keep === "text" && !isText(content)) this.#lengths[ref] = NOT_TEXT;
    else if (!this.#keep(ref, content)) this.#lengths[ref] = NO_ROOM;
    return ref;
  }

  /** Adds a content of which only the SHA-256 is known. */
  addHash(sha256: Buffer): number {
    const ref = this.#count++;
    if (ref >= this.#lengths.length) this.#grow();
    sha256.copy(this.#hashes, ref * SHA256_BYTES);
    this.#lengths[ref] = TOO_LARGE;
    return ref;
  }

  /** SHA-256, hex. */
  sha256(ref: number): string {
    return this.#hashes.toString("hex", ref * SHA256_BYTES, (ref + 1) * SHA256_BYTES);
  }

  /** The content as it was, or undefined when it was not kept. */
  text(ref: number): Buffer | undefined {
    const length = this.#lengths[ref] ?? NO_ROOM;
    if (length < 0) return undefined;
    this.#flush();
    const content = Buffer.alloc(length);
    const read = fs.readSync(this.#fd, content, 0, length, this.#offsets[ref] ?? 0);
    return read === length ? content : undefined;
  }

  /** Why `text` gives nothing. */
  whyNoText(ref: number): "binary" | "too-large" | "budget" {
    const length = this.#lengths[ref];
    if (length === NOT_TEXT) return "binary";
    return length === TOO_LARGE ? "too-large" : "budget";
  }

  /** Notes that the file with this status has the content `ref`. */
  remember(stat: fs.BigIntStats, ref: number): void {
    this.#byFile.set(stat.ino, { ref, ctimeNs: stat.ctimeNs, size: stat.size });
  }

  /** The content of a file that was not touched since `remember`, if it is known. */
  recall(stat: fs.BigIntStats): number | undefined {
    const known = this.#byFile.get(stat.ino);
    return known?.ctimeNs === stat.ctimeNs && known.size === stat.size ? known.ref : undefined;
  }

  /** Drops what `remember` has noted. */
  forget(): void {
    this.#byFile.clear();
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #keep(ref: number, content: Buffer): boolean {
    if (this.#buffered + content.length > BUFFER_BYTES) this.#flush();
    const offset = this.#written + this.#buffered;
    if (this.#failure !== undefined || offset + content.length > this.#limits.totalBytes) return false;
    this.#offsets[ref] = offset;
    this.#lengths[ref] = content.length;
    this.#buffered += content.copy(this.#buffer, this.#buffered);
    return true;
  }

  #flush(): void {
    if (this.#buffered === 0) return;
    try {
      writeFully(this.#fd, this.#buffer.subarray(0, this.#buffered));
    } catch (error) {
      this.#failure = errorMessage(error);
    }
    this.#written += this.#buffered;
    this.#buffered = 0;
  }

  #grow(): void {
    const capacity = this.#lengths.length * 2;
    this.#hashes = Buffer.concat([this.#hashes], capacity * SHA256_BYTES);
    this.#offsets = copyInto(new Float64Array(capacity), this.#offsets);
    this.#lengths = copyInto(new Int32Array(capacity), this.#lengths);
  }
}

function copyInto<T extends Float64Array | Int32Array>(target: T, source: T): T {
  target.set(source);
  return target;
}
