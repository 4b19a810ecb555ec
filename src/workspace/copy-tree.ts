import * as fs from "node:fs";
import { writeError } from "../core/atomic-file.ts";
import { CaptureError, errnoOf } from "../core/errors.ts";
import { writeFully } from "../core/storage.ts";
import type { FileType } from "../schema/observations.ts";
import { tryReadLink } from "./baseline.ts";
import { atPath, openDirectory } from "./beneath.ts";
import type { ContentBase } from "./content-base.ts";
import { copySparse, isSparse } from "./copy-sparse.ts";
import { fileTypeOf } from "./file-type.ts";
import type { LeftOut } from "./left-out.ts";
import { give, giveLink, type Ownership } from "./ownership.ts";
import { openRegular, readSmall, SMALL_FILE_BYTES } from "./read-content.ts";
import { runWalk, type TreeVisitor, walkTree } from "./walk-tree.ts";

export interface CopyOptions {
  ownership: Ownership;
  leftOut: LeftOut;
  /** Takes the contents of the copies, so that they need not be read again for the baseline. */
  base?: ContentBase | undefined;
  signal?: AbortSignal | undefined;
}

export interface SkippedFile {
  /** Relative to the project, for reading. */
  path: string;
  reason: FileType | "unreadable";
}

export interface CopyResult {
  files: number;
  bytes: number;
  /** What can't be copied: FIFOs, sockets, devices, files without read permission. At most 1000 are named. */
  skipped: SkippedFile[];
}

interface Place {
  /** Relative path of the source, for rules and messages. */
  relative: string;
  /** The open directory that it is copied to. */
  target: number;
  /** Status of the source directory. */
  stat: fs.BigIntStats | undefined;
  depth: number;
}

const MAX_DEPTH = 400;
const MAX_SKIPPED = 1000;
/** Room that must be left on the disk besides a large file. */
const SPARE_BYTES = 64 << 20;

/**
 * Copies the content of directory `source` into the open directory `target`; files that are there already are replaced.
 * Contents, holes, permissions, times and link texts are kept; nothing is followed. Shares blocks where the file system
 * can.
 * @throws CaptureError `disk-full`, `write-failed`, or `workspace` when the tree is too deep.
 */
export async function copyTree(source: string, target: number, options: CopyOptions): Promise<CopyResult> {
  const copier = new TreeCopier(options);
  const root: Place = { relative: "", target, stat: undefined, depth: 0 };
  try {
    await runWalk(walkTree(source, root, copier), options.signal);
    return copier.result;
  } catch (error) {
    throw asWriteError(copier.at, error);
  } finally {
    copier.close();
  }
}

/**
 * Copies the single file `source` (real path) to `target`, as copyTree would.
 * @throws CaptureError as copyTree; `workspace` when it is no regular file.
 */
export async function copyFile(source: string, target: Buffer, options: Omit<CopyOptions, "leftOut">): Promise<void> {
  const copier = new TreeCopier({ ...options, leftOut: () => false });
  copier.at = source;
  try {
    await copier.copy(source, Buffer.from(source), target, fs.lstatSync(source, { bigint: true }));
  } catch (error) {
    throw asWriteError(source, error);
  }
  const [skipped] = copier.result.skipped;
  if (skipped !== undefined) throw new CaptureError("workspace", `can't copy ${source}: ${skipped.reason}`);
}

class TreeCopier implements TreeVisitor<Place> {
  readonly result: CopyResult = { files: 0, bytes: 0, skipped: [] };
  /** What is being copied, for messages. */
  at = "";
  readonly #options: CopyOptions;
  readonly #scratch = Buffer.allocUnsafe(SMALL_FILE_BYTES + 1);
  /** Directories open for writing; all but the root's are ours to close. */
  readonly #open = new Set<number>();

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  entry(dir: Place, name: Buffer, stat: fs.BigIntStats, at: Buffer): boolean | Promise<void> {
    const relative = below(dir.relative, name);
    this.at = relative;
    if (this.#options.leftOut(relative, stat.isDirectory())) return false;
    if (stat.isDirectory()) return true;
    return this.copy(relative, at, atPath(dir.target, name), stat) ?? false;
  }

  /** Copies what is no directory. */
  copy(relative: string, at: Buffer, target: Buffer, stat: fs.BigIntStats): Promise<void> | undefined {
    if (stat.isSymbolicLink()) this.#copyLink(relative, at, target, stat);
    else if (!stat.isFile()) this.#skip(relative, fileTypeOf(Number(stat.mode)));
    else if (stat.size > SMALL_FILE_BYTES) return this.#copyLarge(Buffer.from(at), target, stat);
    else this.#copySmall(relative, at, target, stat);
    return undefined;
  }

  enter(parent: Place, name: Buffer, stat: fs.BigIntStats): Place {
    const relative = below(parent.relative, name);
    if (parent.depth >= MAX_DEPTH) throw tooDeep(relative);
    const at = atPath(parent.target, name);
    makeDirectory(at);
    const target = openDirectory(at);
    this.#open.add(target);
    return { relative, target, stat, depth: parent.depth + 1 };
  }

  leave(dir: Place): void {
    if (dir.stat === undefined) return;
    give(this.#options.ownership, dir.target, Number(dir.stat.mode) | 0o700);
    fs.futimesSync(dir.target, seconds(dir.stat.atimeNs), seconds(dir.stat.mtimeNs));
    fs.closeSync(dir.target);
    this.#open.delete(dir.target);
  }

  failed(dir: Place, name: Buffer | undefined, error: unknown): void {
    // Only reading the source may fail for one file alone.
    if (error instanceof CaptureError || !["EACCES", "EPERM", "ENOENT"].includes(errnoOf(error) ?? "")) throw error;
    this.#skip(name === undefined ? dir.relative : below(dir.relative, name), "unreadable");
  }

  close(): void {
    for (const fd of this.#open) fs.closeSync(fd);
  }

  #skip(path: string, reason: SkippedFile["reason"]): void {
    if (this.result.skipped.length < MAX_SKIPPED) this.result.skipped.push({ path, reason });
  }

  #copyLink(relative: string, at: Buffer, target: Buffer, stat: fs.BigIntStats): void {
    const text = tryReadLink(at);
    if (text === undefined) return this.#skip(relative, "unreadable");
    replacing(target, () => fs.symlinkSync(text, target));
    giveLink(this.#options.ownership, target);
    fs.lutimesSync(target, seconds(stat.atimeNs), seconds(stat.mtimeNs));
    this.result.files++;
  }

  #copySmall(relative: string, at: Buffer, target: Buffer, stat: fs.BigIntStats): void {
    const read = tryReadSmall(at, this.#scratch);
    if (read?.content === undefined) return this.#skip(relative, "unreadable");
    const fd = replacing(target, () => fs.openSync(target, "wx", 0o600));
    try {
      writeFully(fd, read.content);
      this.#settle(fd, stat);
      const { base } = this.#options;
      if (base !== undefined)
        base.remember(fs.fstatSync(fd, { bigint: true }), base.add(read.content, "text", read.sha256));
    } finally {
      fs.closeSync(fd);
    }
    this.#count(read.content.length);
  }

  async #copyLarge(at: Buffer, target: Buffer, stat: fs.BigIntStats): Promise<void> {
    const size = Number(stat.size);
    const wanted = isSparse(stat) ? Number(stat.blocks) * 512 : size;
    const { bavail, bsize } = fs.statfsSync(target.subarray(0, target.lastIndexOf(0x2f)));
    if (bavail * bsize < wanted + SPARE_BYTES) throw noRoom(this.at, wanted);
    removeFile(target);
    const { O_RDWR, O_NOFOLLOW } = fs.constants;
    await copyContent(at, target, stat);
    const fd = fs.openSync(target, O_RDWR | O_NOFOLLOW);
    try {
      this.#settle(fd, stat);
    } finally {
      fs.closeSync(fd);
    }
    this.#count(size);
  }

  #settle(fd: number, stat: fs.BigIntStats): void {
    give(this.#options.ownership, fd, Number(stat.mode));
    fs.futimesSync(fd, seconds(stat.atimeNs), seconds(stat.mtimeNs));
  }

  #count(bytes: number): void {
    this.result.files++;
    this.result.bytes += bytes;
  }
}

/** Shares blocks where the file system can; else a file's holes stay holes, so that it takes no more room than before. */
async function copyContent(at: Buffer, target: Buffer, stat: fs.BigIntStats): Promise<void> {
  const { COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE, COPYFILE_EXCL } = fs.constants;
  if (!isSparse(stat)) return fs.promises.copyFile(at, target, COPYFILE_FICLONE | COPYFILE_EXCL);
  try {
    return await fs.promises.copyFile(at, target, COPYFILE_FICLONE_FORCE | COPYFILE_EXCL);
  } catch (error) {
    if (["EACCES", "EPERM", "ENOENT", "EEXIST"].includes(errnoOf(error) ?? "")) throw error;
    removeFile(target);
  }
  const source = openRegular(at);
  if (source === undefined) return;
  const to = fs.openSync(target, "wx", 0o600);
  try {
    await copySparse(source.fd, to, Number(source.stat.size));
  } finally {
    fs.closeSync(source.fd);
    fs.closeSync(to);
  }
}

function asWriteError(file: string, error: unknown): unknown {
  return error instanceof CaptureError || errnoOf(error) === undefined ? error : writeError(file, error);
}

function below(dir: string, name: Buffer): string {
  const text = name.toString("utf8");
  return dir === "" ? text : `${dir}/${text}`;
}

function seconds(ns: bigint): number {
  return Number(ns) / 1e9;
}

function makeDirectory(at: Buffer): void {
  try {
    fs.mkdirSync(at, 0o700);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}

function removeFile(target: Buffer): void {
  try {
    fs.unlinkSync(target);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

/** Makes a file; one that stands there already is removed first, a link instead of what it leads to. */
function replacing<T>(target: Buffer, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    fs.unlinkSync(target);
    return make();
  }
}

function tryReadSmall(at: Buffer, scratch: Buffer) {
  try {
    return readSmall(at, scratch);
  } catch (error) {
    if (errnoOf(error) === "EACCES" || errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function tooDeep(relative: string): CaptureError {
  return new CaptureError(
    "workspace",
    `the project has directories more than ${MAX_DEPTH} levels deep: ${relative.slice(0, 80)}…`,
    {
      hint: "name the directory in .captureignore",
    },
  );
}

function noRoom(relative: string, sizeBytes: number): CaptureError {
  return new CaptureError("disk-full", `no room for a copy of ${relative} (${Math.ceil(sizeBytes / 2 ** 20)} MiB)`, {
    hint: "free some space, choose another --capture-root, or name the file in .captureignore",
  });
}
