import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import type { FileChange } from "../schema/observations.ts";
import { isText } from "./text.ts";

export interface TextDiffLimits {
  /** A file above this size gets no diff. */
  fileBytes: number;
  /** Characters of one diff. */
  diffLength: number;
  /** Characters of all diffs together. */
  totalLength: number;
  /** Time for one diff, milliseconds; finding the shortest one can take for ever. */
  fileMs: number;
  /** Time for all diffs together, milliseconds. */
  totalMs: number;
}

const DEFAULT_LIMITS: TextDiffLimits = {
  fileBytes: 512 << 10,
  diffLength: 256 << 10,
  totalLength: 8 << 20,
  fileMs: 250,
  totalMs: 5000,
};

export type DiffResult = Pick<FileChange, "diff"> | Pick<FileChange, "diff_omitted">;

/** Makes unified diffs until one of the limits is used up. */
export class TextDiffs {
  readonly #limits: TextDiffLimits;
  #length = 0;
  #spentMs = 0;

  constructor(limits: Partial<TextDiffLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** `undefined` stands for a file that does not exist on that side. */
  make(path: string, before: Buffer | undefined, after: Buffer | undefined): DiffResult {
    const limits = this.#limits;
    if ([before, after].some((side) => side !== undefined && !isText(side))) return { diff_omitted: "binary" };
    if (Math.max(before?.length ?? 0, after?.length ?? 0) > limits.fileBytes) return { diff_omitted: "too-large" };
    if (this.#length >= limits.totalLength || this.#spentMs >= limits.totalMs) return { diff_omitted: "budget" };
    const startMs = performance.now();
    const diff = unifiedDiff(path, before, after, Math.min(limits.fileMs, limits.totalMs - this.#spentMs));
    this.#spentMs += performance.now() - startMs;
    if (diff === undefined) return { diff_omitted: "budget" };
    if (diff.length > limits.diffLength) return { diff_omitted: "too-large" };
    if (this.#length + diff.length > limits.totalLength) return { diff_omitted: "budget" };
    this.#length += diff.length;
    return { diff };
  }
}

function unifiedDiff(path: string, before: Buffer | undefined, after: Buffer | undefined, timeoutMs: number) {
  // Names with control characters or beyond ASCII are quoted by the library, as git does.
  return createTwoFilesPatch(`a/${path}`, `b/${path}`, toText(before), toText(after), undefined, undefined, {
    context: 3,
    timeout: Math.max(1, timeoutMs),
    headerOptions: FILE_HEADERS_ONLY,
  });
}

function toText(content: Buffer | undefined): string {
  return content?.toString("utf8") ?? "";
}
