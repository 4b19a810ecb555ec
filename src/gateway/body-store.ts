import { createHash, randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { errnoOf, errorMessage } from "../core/errors.ts";
import { closeDurably, storage, writeSome } from "../core/storage.ts";
import type { ExchangeBody } from "../schema/exchange.ts";
import type { GatewayLimits } from "./limits.ts";

const BODIES = "bodies";
/** Ending of a body's file while it comes in. A supervisor that was killed leaves it so. */
const UNFINISHED = ".unfinished";

export interface BodyStoreLimits extends Pick<GatewayLimits, "inlineBytes" | "bodyBytes"> {}

/** Bytes that may still be written; the record itself draws from it too. */
export interface ByteBudget {
  left: number;
}

/**
 * Keeps bodies of requests and answers: small text in the record's line, all else in `bodies/<sha256>`, equal ones once.
 * A failing disk loses bodies (they are then marked truncated) and never the run.
 */
export class BodyStore {
  readonly #dir: string;
  readonly limits: BodyStoreLimits;
  readonly budget: ByteBudget;
  /** The first reason why bytes were not kept other than by a limit. */
  failure: string | undefined;
  truncatedCount = 0;

  /** `modelDir` is the capture's `model/`. */
  constructor(modelDir: string, limits: BodyStoreLimits, budget: ByteBudget) {
    this.#dir = path.join(modelDir, BODIES);
    this.limits = limits;
    this.budget = budget;
  }

  newBody(): BodySink {
    return new BodySink(this);
  }

  /** Opens a file to spool into; undefined when that fails. */
  openSpool(): { fd: number; file: string } | undefined {
    try {
      this.#makeDirectory();
      const file = path.join(this.#dir, `${randomUUID()}${UNFINISHED}`);
      return { fd: storage().open(file, "wx", 0o644), file };
    } catch (error) {
      this.failure ??= errorMessage(error);
      return undefined;
    }
  }

  #makeDirectory(): void {
    try {
      storage().makeDirectory(this.#dir, 0o755);
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    }
  }

  /** Gives a spooled file of `bytes` its name for ever. @returns its path below model/, or null when that failed. */
  adopt(spool: string, name: string, bytes: number): string | null {
    const target = path.join(this.#dir, name);
    try {
      if (fs.existsSync(target)) {
        fs.rmSync(spool);
        this.budget.left += bytes;
      } else {
        storage().rename(spool, target);
      }
      return path.posix.join(BODIES, name);
    } catch (error) {
      this.failure ??= errorMessage(error);
      return null;
    }
  }
}

/** Takes one body, piece by piece. Memory stays below `inlineBytes`. */
export class BodySink {
  readonly #store: BodyStore;
  readonly #hash = createHash("sha256");
  #bytes = 0;
  #kept = 0;
  #head: Uint8Array[] = [];
  #spool: { fd: number; file: string } | undefined;
  #lost = false;

  constructor(store: BodyStore) {
    this.#store = store;
  }

  get bytes(): number {
    return this.#bytes;
  }

  write(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    if (this.#spool === undefined && !this.#lost) {
      this.#head.push(chunk);
      if (this.#bytes > this.#store.limits.inlineBytes) this.#spoolHead();
    } else {
      this.#keep(chunk);
    }
  }

  /** Call once. What is known of the body, for the record. */
  finish(): ExchangeBody {
    const sha256 = this.#hash.digest("hex");
    const text = this.#spool === undefined && !this.#lost ? this.#inlineText() : null;
    // Few bytes, but not text: they stand in a file like large ones.
    if (text === null && this.#head.length > 0) this.#spoolHead();
    const file = this.#closeSpool(sha256);
    const truncated = text === null && (file === null || this.#kept < this.#bytes);
    if (truncated) this.#store.truncatedCount += 1;
    return { bytes: this.#bytes, sha256, text, file, truncated };
  }

  #inlineText(): string | null {
    const { budget } = this.#store;
    if (this.#bytes > budget.left) {
      this.#head = [];
      return null;
    }
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(this.#head));
      budget.left -= this.#bytes;
      return text;
    } catch {
      return null;
    }
  }

  #spoolHead(): void {
    const head = this.#head;
    this.#head = [];
    this.#spool = this.#store.openSpool();
    if (this.#spool === undefined) this.#lost = true;
    for (const chunk of head) this.#keep(chunk);
  }

  #keep(chunk: Uint8Array): void {
    const { limits, budget } = this.#store;
    if (this.#spool === undefined || this.#lost) return;
    const part = chunk.subarray(0, Math.max(0, Math.min(limits.bodyBytes - this.#kept, budget.left)));
    // A hole in the middle would be worse than an early end.
    if (part.length < chunk.length) this.#lost = true;
    const { bytes, error } = writeSome(this.#spool.fd, part);
    this.#kept += bytes;
    budget.left -= bytes;
    if (error !== undefined) {
      this.#store.failure ??= errorMessage(error);
      this.#lost = true;
    }
  }

  #closeSpool(sha256: string): string | null {
    const spool = this.#spool;
    if (spool === undefined) return null;
    const failure = closeDurably(spool.fd);
    if (failure !== undefined) this.#store.failure ??= errorMessage(failure);
    // The name is the hash of all bytes; a shortened file must not pass for the whole one of another exchange.
    return this.#store.adopt(spool.file, this.#kept < this.#bytes ? `${sha256}.part` : sha256, this.#kept);
  }
}
