import * as fs from "node:fs";
import type { FileType } from "../schema/observations.ts";

const { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK } = fs.constants;

const TYPES: ReadonlyMap<number, FileType> = new Map([
  [S_IFREG, "file"],
  [S_IFDIR, "directory"],
  [S_IFLNK, "symlink"],
  [S_IFIFO, "fifo"],
  [S_IFSOCK, "socket"],
  [S_IFCHR, "character-device"],
  [S_IFBLK, "block-device"],
]);

/** What kind of file a mode (`st_mode`) speaks of. */
export function fileTypeOf(mode: number): FileType {
  return TYPES.get(mode & S_IFMT) ?? "unknown";
}

/** Permission bits with setuid, setgid and sticky, octal, for example `0644`. */
export function permissionsOf(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
