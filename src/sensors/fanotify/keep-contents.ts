import * as path from "node:path";
import { errnoOf, errorMessage } from "../../core/errors.ts";
import { closeDurably, storage, writeFully } from "../../core/storage.ts";
import { LAYOUT } from "../../evidence/layout.ts";
import type { ContentSpool } from "./content-spool.ts";

export interface KeepLimits {
  /** Of all kept contents together. */
  totalBytes: number;
  /** Number of files. */
  files: number;
}

/** Copies contents out of the spool into the capture, `observations/contents/<sha256>`, equal ones once. */
export class ContentKeeper {
  readonly #captureDir: string;
  readonly #spool: ContentSpool;
  readonly #limits: KeepLimits;
  readonly #kept = new Map<string, string>();
  #bytes = 0;
  #failure: string | undefined;

  constructor(captureDir: string, spool: ContentSpool, limits: KeepLimits) {
    this.#captureDir = captureDir;
    this.#spool = spool;
    this.#limits = limits;
  }

  /** Why contents were lost other than by a limit, for example a full disk. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** @returns its file, relative to the capture, or null where there is no room. Never throws. */
  keep(sha256: string): string | null {
    const known = this.#kept.get(sha256);
    if (known !== undefined) return known;
    const sizeBytes = this.#spool.sizeOf(sha256);
    if (sizeBytes === undefined || this.#failure !== undefined) return null;
    const { totalBytes, files } = this.#limits;
    if (this.#bytes + sizeBytes > totalBytes || this.#kept.size >= files) return null;
    try {
      const file = `${LAYOUT.contents}/${sha256}`;
      this.#write(path.join(this.#captureDir, file), sha256);
      this.#bytes += sizeBytes;
      this.#kept.set(sha256, file);
      return file;
    } catch (error) {
      this.#failure = errorMessage(error);
      return null;
    }
  }

  /** Under another name until it is whole: a file that has a hash for its name is that content. */
  #write(target: string, sha256: string): void {
    if (this.#kept.size === 0) makeUnlessThere(path.dirname(target));
    const part = `${target}.part`;
    const fd = storage().open(part, "w", 0o644);
    let failure: unknown;
    try {
      for (const piece of this.#spool.read(sha256)) writeFully(fd, piece);
    } finally {
      failure = closeDurably(fd);
    }
    if (failure !== undefined) throw new Error(errorMessage(failure), { cause: failure });
    storage().rename(part, target);
  }
}

function makeUnlessThere(dir: string): void {
  try {
    storage().makeDirectory(dir, 0o755);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}
