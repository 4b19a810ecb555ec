import * as fs from "node:fs";
import * as path from "node:path";
import type { FileChange } from "../schema/observations.ts";
import { type Baseline, tryReadLink } from "./baseline.ts";
import { ChangeList, type ChangeListLimits } from "./change-list.ts";
import { ContentReader, type NotRead, type ReadLimits } from "./content-reader.ts";
import { describeSides, isSameContent, isSameState, type Side, sideBefore, sideNow } from "./describe-change.ts";
import { type ExtendedAttribute, ExtendedAttributes } from "./extended-attributes.ts";
import { fileTypeOf } from "./file-type.ts";
import { ROOT } from "./manifest.ts";
import type { ContentRead } from "./read-content.ts";
import { type CreatedFile, type DeletedFile, markHardLinks, markRenames } from "./renames.ts";
import type { SensitivePaths } from "./sensitive-paths.ts";
import { type DiffResult, type TextDiffLimits, TextDiffs } from "./text-diff.ts";
import { WalkBudget, type WalkLimits } from "./walk-budget.ts";
import { runWalk, type TreeVisitor, walkTree } from "./walk-tree.ts";

export interface CompareOptions {
  isSensitive: SensitivePaths;
  /** Make unified diffs of texts. */
  textDiffs: boolean;
  /** Small regular files of these paths are not listed: what the agent's own machinery writes. See `excluded`. */
  excludedPaths?: readonly string[];
  limits?: Partial<ChangeListLimits & ReadLimits & TextDiffLimits & WalkLimits>;
  signal?: AbortSignal | undefined;
}

export interface TreeChanges {
  counts: { created: number; modified: number; deleted: number; total: number; renamed: number };
  /** Sorted by path. */
  changes: FileChange[];
  touchedSensitive: boolean;
  /** `changes` is cut; `counts` are not. */
  truncated: boolean;
  /** Places that could not be looked at: about what is below them nothing is known. At most 100 are named. */
  unreadable: string[];
  /** Files left out because of `excludedPaths`. */
  excluded: { path: string; size_bytes: number }[];
  /**
   * Why the walk ended before the end of the tree. Then `counts` are lower bounds and what was deleted is not known.
   */
  stopped: string | undefined;
  /** Why extended attributes could not be read. */
  noXattrs: string | undefined;
}

/** A directory of the tree as it is now. */
interface Here {
  parent: Here | undefined;
  name: Buffer;
  stat: fs.BigIntStats;
  /** Its entry in the baseline, when it was a directory then too. */
  before: number | undefined;
  /** Nothing of this name was there before. */
  isNew: boolean;
  isEmpty: boolean;
}

const MAX_UNREADABLE_LISTED = 100;
/** An excluded path holds an id or the like; anything larger is listed like every other file. */
const MAX_EXCLUDED_BYTES = 256n;

/**
 * Compares a tree with its baseline. Directories are listed when they are empty or have themselves changed; the others
 * follow from what is in them. A new time alone is no change.
 */
export async function compareTree(baseline: Baseline, options: CompareOptions): Promise<TreeChanges> {
  const comparison = new Comparison(baseline, options);
  const isWhole = await comparison.budget.run(() =>
    runWalk(walkTree(baseline.root, comparison.root(), comparison), options.signal),
  );
  // After half a walk, what was not met may well be there.
  if (isWhole) await runWalk(comparison.listDeleted(), options.signal);
  return comparison.result();
}

class Comparison implements TreeVisitor<Here> {
  readonly budget: WalkBudget;
  readonly #baseline: Baseline;
  readonly #options: CompareOptions;
  readonly #list: ChangeList;
  readonly #reader: ContentReader;
  readonly #diffs: TextDiffs;
  readonly #attributes: ExtendedAttributes;
  /** New directories that are in the list already, by inode. */
  readonly #listedNew = new Set<bigint>();
  readonly #seen: Uint8Array;
  /** Entries of the baseline of which it is not known what became of them and of what was below them. */
  readonly #unknown = new Set<number>();
  readonly #created: CreatedFile[] = [];
  readonly #deleted: DeletedFile[] = [];
  readonly #unreadable: string[] = [];
  readonly #excluded: TreeChanges["excluded"] = [];

  constructor(baseline: Baseline, options: CompareOptions) {
    this.#baseline = baseline;
    this.#options = options;
    this.#list = new ChangeList(options.isSensitive, options.limits);
    this.#reader = new ContentReader(options.limits);
    this.#diffs = new TextDiffs(options.limits);
    this.#attributes = new ExtendedAttributes(path.dirname(baseline.root));
    this.budget = new WalkBudget(options.limits);
    this.#seen = new Uint8Array(baseline.manifest.size);
  }

  root(): Here {
    const stat = fs.lstatSync(this.#baseline.root, { bigint: true });
    this.#seen[ROOT] = 1;
    const xattrs = this.#attributes.of(Buffer.from(this.#baseline.root));
    this.#settle(Buffer.from("."), ROOT, stat, sideNow(stat, null, undefined, xattrs));
    return { parent: undefined, name: Buffer.alloc(0), stat, before: ROOT, isNew: false, isEmpty: true };
  }

  entry(dir: Here, name: Buffer, stat: fs.BigIntStats, at: Buffer): boolean | Promise<void> {
    this.budget.spend();
    dir.isEmpty = false;
    if (this.#isExcluded(dir, name, stat)) return false;
    const before = this.#find(dir, name);
    if (before !== undefined) {
      this.#seen[before] = 1;
      if (this.#baseline.manifest.isUntouched(before, stat)) return stat.isDirectory();
    }
    if (stat.isFile()) return this.#readAndSettle(pathOf(dir, name), before, stat, at) ?? false;
    const xattrs = this.#attributes.of(at);
    // A new directory follows from what is in it, unless it says something itself.
    const isNewDirectory = stat.isDirectory() && before === undefined;
    if (isNewDirectory && xattrs.length > 0) this.#listedNew.add(stat.ino);
    if (!isNewDirectory || xattrs.length > 0) {
      const target = stat.isSymbolicLink() ? tryReadLink(at) : undefined;
      this.#settle(pathOf(dir, name), before, stat, sideNow(stat, null, target, xattrs));
    }
    return stat.isDirectory();
  }

  enter(parent: Here, name: Buffer, stat: fs.BigIntStats): Here {
    const found = this.#find(parent, name);
    const wasDirectory = found !== undefined && fileTypeOf(this.#baseline.manifest.mode(found)) === "directory";
    return { parent, name, stat, before: wasDirectory ? found : undefined, isNew: found === undefined, isEmpty: true };
  }

  leave(dir: Here): void {
    if (!dir.isNew || !dir.isEmpty || this.#listedNew.has(dir.stat.ino)) return;
    this.#settle(pathOf(dir), undefined, dir.stat, sideNow(dir.stat, null, undefined, []));
  }

  failed(dir: Here, name: Buffer | undefined): void {
    if (this.#unreadable.length < MAX_UNREADABLE_LISTED) this.#unreadable.push(pathOf(dir, name).toString("utf8"));
    dir.isEmpty = false;
    const found = name === undefined ? dir.before : this.#find(dir, name);
    if (found === undefined) return;
    this.#seen[found] = 1;
    this.#unknown.add(found);
  }

  /** Everything that was there and was not met any more. */
  *listDeleted(): Generator<undefined, void, undefined> {
    const { manifest } = this.#baseline;
    for (let index = ROOT + 1; index < manifest.size; index++) {
      if (index % 256 === 0) yield undefined;
      if (this.#seen[index] === 1 || manifest.hasEntries(index) || this.#isUnknown(index)) continue;
      const before = sideBefore(this.#baseline, index);
      const change = this.#list.add("deleted", manifest.path(index), (path) => ({
        ...describeSides(before, undefined),
        ...this.#diffFor(path, before, index, undefined, undefined),
      }));
      if (change !== undefined) this.#deleted.push({ change, index });
    }
  }

  result(): TreeChanges {
    const renamed = markRenames(this.#baseline.manifest, this.#created, this.#deleted);
    markHardLinks(this.#baseline.manifest, this.#seen, this.#created);
    const { counts, changes, touchedSensitive } = this.#list;
    const truncated = this.#list.truncated || this.budget.stopped !== undefined;
    changes.sort((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
    return {
      counts: { ...counts, total: counts.created + counts.modified + counts.deleted, renamed },
      changes,
      touchedSensitive,
      truncated,
      unreadable: this.#unreadable,
      excluded: this.#excluded,
      stopped: this.budget.stopped,
      noXattrs: this.#attributes.failure,
    };
  }

  #find(dir: Here, name: Buffer): number | undefined {
    return dir.before === undefined ? undefined : this.#baseline.manifest.find(dir.before, name);
  }

  #isUnknown(index: number): boolean {
    if (this.#unknown.size === 0) return false;
    const { manifest } = this.#baseline;
    for (let at = index; at !== ROOT; at = manifest.parent(at)) if (this.#unknown.has(at)) return true;
    return this.#unknown.has(ROOT);
  }

  #isExcluded(dir: Here, name: Buffer, stat: fs.BigIntStats): boolean {
    const candidates = this.#options.excludedPaths ?? [];
    if (candidates.length === 0 || !stat.isFile() || stat.size > MAX_EXCLUDED_BYTES) return false;
    const text = name.toString("latin1");
    if (!candidates.some((path) => path.endsWith(text))) return false;
    const path = pathOf(dir, name).toString("utf8");
    if (!candidates.includes(path)) return false;
    this.#excluded.push({ path, size_bytes: Number(stat.size) });
    return true;
  }

  #readAndSettle(
    path: Buffer,
    before: number | undefined,
    stat: fs.BigIntStats,
    at: Buffer,
  ): Promise<void> | undefined {
    const hasRoom = before !== undefined || this.#list.hasRoomFor(path);
    const xattrs: readonly ExtendedAttribute[] = hasRoom ? this.#attributes.of(at) : [];
    // What can't be described any more need not be read; whether a known file was modified only its content tells.
    if (!hasRoom) return void this.#settle(path, before, stat, sideNow(stat, null, undefined, xattrs), "budget");
    return this.#reader.read(at, stat, (read) => {
      const sha256 = typeof read === "string" ? null : read.sha256.toString("hex");
      this.#settle(path, before, stat, sideNow(stat, sha256, undefined, xattrs), read);
    });
  }

  /** Lists the file at `path` as created or modified, if it is. */
  #settle(
    path: Buffer,
    index: number | undefined,
    stat: fs.BigIntStats,
    after: Side,
    read?: ContentRead | NotRead,
  ): void {
    const before = index === undefined ? undefined : sideBefore(this.#baseline, index);
    if (before !== undefined && isSameState(before, after)) return;
    const unstable = typeof read === "object" && read.unstable;
    const change = this.#list.add(before === undefined ? "created" : "modified", path, (shown) => ({
      ...describeSides(before, after),
      ...this.#diffFor(shown, before, index, after, read),
      ...(unstable ? { unstable } : {}),
    }));
    if (change !== undefined && before === undefined) {
      const { ino, birthtimeNs, nlink } = stat;
      this.#created.push({ change, ino, birthtimeNs, hasOtherNames: after.sha256 !== null && nlink > 1n });
    }
  }

  /** The diff of a change, or the reason why there is none. */
  #diffFor(
    path: string,
    before: Side | undefined,
    index: number | undefined,
    after: Side | undefined,
    read: ContentRead | NotRead | undefined,
  ): DiffResult | Record<never, never> {
    if (before !== undefined && after !== undefined && isSameContent(before, after)) {
      return { diff_omitted: "metadata-only" };
    }
    if (!isFile(after ?? before)) return { diff_omitted: "not-a-file" };
    if (typeof read === "string") return { diff_omitted: read };
    if (!this.#options.textDiffs) return {};
    const contentAfter = after === undefined ? undefined : read?.content;
    if (after !== undefined && contentAfter === undefined) return { diff_omitted: "too-large" };
    if (!isFile(before)) return this.#diffs.make(path, undefined, contentAfter);
    const content = index === undefined ? undefined : this.#baseline.manifest.content(index);
    if (content === undefined) return { diff_omitted: "unreadable" };
    const contentBefore = this.#baseline.base.text(content);
    if (contentBefore === undefined) return { diff_omitted: this.#baseline.base.whyNoText(content) };
    return this.#diffs.make(path, contentBefore, contentAfter);
  }
}

function isFile(side: Side | undefined): boolean {
  return side !== undefined && fileTypeOf(side.mode) === "file";
}

/** Bytes of the path relative to the root. */
function pathOf(dir: Here, name?: Buffer): Buffer {
  const parts: Buffer[] = name === undefined ? [] : [name];
  for (let at: Here | undefined = dir; at?.parent !== undefined; at = at.parent) {
    if (parts.length > 0) parts.push(SLASH);
    parts.push(at.name);
  }
  return Buffer.concat(parts.reverse());
}

const SLASH = Buffer.from("/");
