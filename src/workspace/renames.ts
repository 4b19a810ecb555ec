import type { FileChange } from "../schema/observations.ts";
import { displayPath } from "./byte-path.ts";
import type { Manifest } from "./manifest.ts";

export interface CreatedFile {
  change: FileChange;
  ino: bigint;
  birthtimeNs: bigint;
  /** A regular file that has more names than this one. */
  hasOtherNames: boolean;
}

export interface DeletedFile {
  change: FileChange;
  /** Its entry in the baseline. */
  index: number;
}

/**
 * Marks each created path that is a deleted one under a new name with `renamed_from`.
 * Inode and time of birth together name one file; where the file system knows no birth, the content must be equal.
 * @returns the number of pairs.
 */
export function markRenames(
  manifest: Manifest,
  created: readonly CreatedFile[],
  deleted: readonly DeletedFile[],
): number {
  const byInode = new Map<bigint, DeletedFile[]>();
  for (const file of deleted) {
    const ino = manifest.ino(file.index);
    const others = byInode.get(ino);
    // Hard links: several names of one file.
    if (others === undefined) byInode.set(ino, [file]);
    else others.push(file);
  }
  let pairs = 0;
  for (const file of created) {
    const candidates = byInode.get(file.ino) ?? [];
    const at = candidates.findIndex((candidate) => isRename(manifest, candidate, file));
    const [source] = at < 0 ? [] : candidates.splice(at, 1);
    if (source === undefined) continue;
    file.change.renamed_from = source.change.path;
    if (source.change.path_b64 !== undefined) file.change.renamed_from_b64 = source.change.path_b64;
    pairs++;
  }
  return pairs;
}

/** Marks each created path that is another name of a file with `hard_link_of`: one that was there, or another created one. */
export function markHardLinks(manifest: Manifest, stillThere: Uint8Array, created: readonly CreatedFile[]): void {
  const linked = created.filter(({ hasOtherNames }) => hasOtherNames);
  if (linked.length === 0) return;
  const wanted = new Set(linked.map(({ ino }) => ino));
  const names = new Map<bigint, ShownPath>();
  for (let index = 0; index < manifest.size; index++) {
    const ino = manifest.ino(index);
    // The first name in the baseline that still stands.
    if (stillThere[index] === 1 && wanted.has(ino) && !names.has(ino))
      names.set(ino, displayPath(manifest.path(index)));
  }
  for (const { change, ino } of linked) {
    const other = names.get(ino);
    if (other === undefined) names.set(ino, change);
    else nameOther(change, other);
  }
}

type ShownPath = Pick<FileChange, "path" | "path_b64">;

function nameOther(change: FileChange, other: ShownPath): void {
  change.hard_link_of = other.path;
  if (other.path_b64 !== undefined) change.hard_link_of_b64 = other.path_b64;
}

function isRename(manifest: Manifest, from: DeletedFile, to: CreatedFile): boolean {
  if (from.change.before_type !== to.change.after_type) return false;
  if (to.birthtimeNs > 0n) return manifest.isSameFile(from.index, to.ino, to.birthtimeNs);
  return from.change.before_sha256 !== null && from.change.before_sha256 === to.change.after_sha256;
}
