import * as fs from "node:fs";
import { sleep } from "../core/clock.ts";
import { CaptureError } from "../core/errors.ts";
import type { ContentBase } from "./content-base.ts";
import { ContentReader } from "./content-reader.ts";
import { Manifest, ROOT } from "./manifest.ts";
import { runWalk, type TreeVisitor, walkTree } from "./walk-tree.ts";

export interface BaselineOptions {
  /** Where contents are kept; its texts are what a later diff starts from. */
  base: ContentBase;
  /** Keep the texts, not only the hashes. */
  keepTexts: boolean;
  signal?: AbortSignal | undefined;
  /** Most files; default one million. */
  maxEntries?: number;
}

export interface Baseline {
  root: string;
  manifest: Manifest;
  base: ContentBase;
  /** Files and directories that could not be read. */
  unreadable: number;
}

const DEFAULT_MAX_ENTRIES = 1_000_000;
/** Longer than the step in which kernels count file times (1–10 ms). */
const FILE_TIME_STEP_MS = 20;

/**
 * Takes the state of a tree before the run: status of every file, hashes, and texts for later diffs.
 * Resolves only when any later change must leave a later ctime than those on record.
 * @throws CaptureError `workspace` when there are too many files.
 */
export async function takeBaseline(root: string, options: BaselineOptions): Promise<Baseline> {
  const visitor = new BaselineVisitor(options);
  visitor.manifest.add(ROOT, Buffer.alloc(0), fs.lstatSync(root, { bigint: true }));
  await runWalk(walkTree(root, ROOT, visitor), options.signal);
  options.base.forget();
  const newestMs = Number(visitor.manifest.newestChangeNs / 1_000_000n);
  const remainingMs = newestMs + FILE_TIME_STEP_MS - Date.now();
  // A ctime in the future (the clock was set back) is not waited for.
  if (remainingMs > 0 && remainingMs <= FILE_TIME_STEP_MS) await sleep(remainingMs);
  return { root, manifest: visitor.manifest, base: options.base, unreadable: visitor.unreadable };
}

class BaselineVisitor implements TreeVisitor<number> {
  readonly manifest = new Manifest();
  unreadable = 0;
  readonly #reader = new ContentReader();
  readonly #options: BaselineOptions;
  readonly #maxEntries: number;

  constructor(options: BaselineOptions) {
    this.#options = options;
    this.#maxEntries = options.maxEntries ?? DEFAULT_MAX_ENTRIES;
  }

  entry(dir: number, name: Buffer, stat: fs.BigIntStats, at: Buffer): boolean | Promise<void> {
    if (this.manifest.size >= this.#maxEntries) throw tooMany(this.#maxEntries);
    const index = this.manifest.add(dir, name, stat);
    if (stat.isDirectory()) return true;
    if (stat.isSymbolicLink()) this.#addLink(index, at);
    return stat.isFile() ? this.#addFile(index, stat, at) : false;
  }

  enter(parent: number, name: Buffer): number {
    const index = this.manifest.find(parent, name);
    if (index === undefined) throw new Error("a directory is missing in the baseline");
    return index;
  }

  failed(): void {
    this.unreadable++;
  }

  #addLink(index: number, at: Buffer): void {
    const target = tryReadLink(at);
    if (target === undefined) this.unreadable++;
    else this.manifest.setContent(index, this.#options.base.add(target, "any"));
  }

  #addFile(index: number, stat: fs.BigIntStats, at: Buffer): false | Promise<void> {
    const { base, keepTexts } = this.#options;
    const known = base.recall(stat);
    if (known !== undefined) {
      this.manifest.setContent(index, known);
      return false;
    }
    const waiting = this.#reader.read(at, stat, (read) => {
      if (typeof read === "string") this.unreadable++;
      else if (read.content === undefined) this.manifest.setContent(index, base.addHash(read.sha256));
      else this.manifest.setContent(index, base.add(read.content, keepTexts ? "text" : "hash", read.sha256));
    });
    return waiting ?? false;
  }
}

/** Text of a link, or undefined. */
export function tryReadLink(at: Buffer): Buffer | undefined {
  try {
    return fs.readlinkSync(at, { encoding: "buffer" });
  } catch {
    return undefined;
  }
}

function tooMany(limit: number): CaptureError {
  return new CaptureError("workspace", `the working copy has more than ${limit} files`, {
    hint: "name the directories that the agent does not need in .captureignore, one pattern a line as in .gitignore",
  });
}
