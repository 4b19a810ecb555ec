import type { BigIntStats } from "node:fs";
import type { FileChange } from "../schema/observations.ts";
import type { Baseline } from "./baseline.ts";
import { displayPath } from "./byte-path.ts";
import type { ExtendedAttribute } from "./extended-attributes.ts";
import { fileTypeOf, permissionsOf } from "./file-type.ts";

/** What a change says, apart from where it happened. */
export type ChangeDetails = Omit<
  FileChange,
  | "path"
  | "path_b64"
  | "change_type"
  | "sensitive_path"
  | "renamed_from"
  | "renamed_from_b64"
  | "hard_link_of"
  | "hard_link_of_b64"
>;

/** A file as it was on one side of a change. */
export interface Side {
  mode: number;
  /** `uid:gid`. */
  owner: string;
  sizeBytes: number;
  /** Of regular files, where it is known. */
  sha256: string | null;
  /** Of symbolic links. */
  target: Buffer | undefined;
  /** Extended attributes; before the run there are none. */
  xattrs: readonly ExtendedAttribute[];
}

export function sideBefore({ manifest, base }: Baseline, index: number): Side {
  const mode = manifest.mode(index);
  const content = manifest.content(index);
  const type = fileTypeOf(mode);
  return {
    mode,
    owner: manifest.owner(index),
    sizeBytes: manifest.sizeBytes(index),
    sha256: type === "file" && content !== undefined ? base.sha256(content) : null,
    target: type === "symlink" && content !== undefined ? base.text(content) : undefined,
    xattrs: [],
  };
}

export function sideNow(
  stat: BigIntStats,
  sha256: string | null,
  target: Buffer | undefined,
  xattrs: readonly ExtendedAttribute[],
): Side {
  return {
    mode: Number(stat.mode),
    owner: `${stat.uid}:${stat.gid}`,
    sizeBytes: Number(stat.size),
    sha256,
    target,
    xattrs,
  };
}

/** Whether content (or link text), type, permissions, owner and extended attributes are the same. */
export function isSameState(before: Side, after: Side): boolean {
  const isSameMeta = before.mode === after.mode && before.owner === after.owner && after.xattrs.length === 0;
  return isSameMeta && isSameContent(before, after);
}

/** Whether content or link text are known to be the same. */
export function isSameContent(a: Side, b: Side): boolean {
  const type = fileTypeOf(a.mode);
  if (type !== fileTypeOf(b.mode)) return false;
  if (type === "file") return a.sha256 !== null && a.sha256 === b.sha256;
  if (type === "symlink") return a.target !== undefined && b.target?.equals(a.target) === true;
  return true;
}

/** The keys that every change has. `undefined`: there was nothing on that side. */
export function describeSides(before: Side | undefined, after: Side | undefined): ChangeDetails {
  const ownerChanged = before !== undefined && after !== undefined && before.owner !== after.owner;
  return {
    before_sha256: before?.sha256 ?? null,
    after_sha256: after?.sha256 ?? null,
    before_size: sizeOf(before),
    after_size: sizeOf(after),
    before_type: before === undefined ? null : fileTypeOf(before.mode),
    after_type: after === undefined ? null : fileTypeOf(after.mode),
    before_mode: before === undefined ? null : permissionsOf(before.mode),
    after_mode: after === undefined ? null : permissionsOf(after.mode),
    ...(ownerChanged ? { before_owner: before.owner, after_owner: after.owner } : {}),
    ...linkText("symlink_target", after),
    ...linkText("before_symlink_target", before),
    ...(after !== undefined && after.xattrs.length > 0 ? { xattrs: [...after.xattrs] } : {}),
  };
}

function sizeOf(side: Side | undefined): number | null {
  return side !== undefined && fileTypeOf(side.mode) === "file" ? side.sizeBytes : null;
}

function linkText(key: "symlink_target" | "before_symlink_target", side: Side | undefined) {
  if (side?.target === undefined) return {};
  const { path, path_b64 } = displayPath(side.target);
  return { [key]: path, ...(path_b64 === undefined ? {} : { [`${key}_b64`]: path_b64 }) };
}
