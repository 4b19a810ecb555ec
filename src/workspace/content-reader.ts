import type { BigIntStats } from "node:fs";
import { type ContentRead, hashLarge, openRegular, readSmall, SMALL_FILE_BYTES } from "./read-content.ts";

export interface ReadLimits {
  /** Files larger than this are not read. A sparse file can claim any size. */
  fileBytes: number;
  /** Of all files together. */
  totalBytes: number;
}

const DEFAULT_READ_LIMITS: ReadLimits = { fileBytes: 1 << 30, totalBytes: 2 ** 33 };

export type NotRead = "too-large" | "budget" | "unreadable";

/** Reads and hashes files of a tree that is being walked, within limits. */
export class ContentReader {
  readonly #limits: ReadLimits;
  readonly #scratch = Buffer.allocUnsafe(SMALL_FILE_BYTES + 1);
  #total = 0;

  constructor(limits: Partial<ReadLimits> = {}) {
    this.#limits = { ...DEFAULT_READ_LIMITS, ...limits };
  }

  /**
   * Reads the regular file at `at` and hands the result to `use`. A content handed over is valid only during the call.
   * @returns a promise when the file is large; `use` was then not called yet.
   */
  read(at: Buffer, stat: BigIntStats, use: (content: ContentRead | NotRead) => void): Promise<void> | undefined {
    const size = Number(stat.size);
    if (size > this.#limits.fileBytes) return void use("too-large");
    if (this.#total + size > this.#limits.totalBytes) return void use("budget");
    this.#total += size;
    if (size <= SMALL_FILE_BYTES) return void use(attempt(() => readSmall(at, this.#scratch)));
    const opened = attempt(() => openRegular(at));
    if (opened === "unreadable") return void use(opened);
    return hashLarge(opened.fd, opened.stat, this.#limits.fileBytes).then(
      (content) => use(content ?? "too-large"),
      () => use("unreadable"),
    );
  }
}

function attempt<T>(work: () => T | undefined): T | "unreadable" {
  try {
    return work() ?? "unreadable";
  } catch {
    return "unreadable";
  }
}
