import type { FileChange } from "../schema/observations.ts";
import type { Manifest } from "./manifest.ts";

export interface CreatedFile {
  change: FileChange;
  ino: bigint;
  birthtimeNs: bigint;
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
    pairs++;
  }
  return pairs;
}

function isRename(manifest: Manifest, from: DeletedFile, to: CreatedFile): boolean {
  if (from.change.before_type !== to.change.after_type) return false;
  if (to.birthtimeNs > 0n) return manifest.isSameFile(from.index, to.ino, to.birthtimeNs);
  return from.change.before_sha256 !== null && from.change.before_sha256 === to.change.after_sha256;
}
