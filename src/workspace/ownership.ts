import * as fs from "node:fs";

/** Who is to own the files of a working copy, and whether that can be arranged. */
export interface Ownership {
  uid: number;
  gid: number;
  /** Only root gives files away. Otherwise everybody may do what the owner may: the agent is another user. */
  canGive: boolean;
}

export function ownershipFor(uid: number, gid: number): Ownership {
  const own = process.getuid?.();
  return { uid, gid, canGive: own === 0 || (own === uid && process.getgid?.() === gid) };
}

/** Permission bits that a copy gets: never setuid, setgid or sticky. */
function modeFor(ownership: Ownership, mode: number): number {
  const bits = mode & 0o777;
  if (ownership.canGive) return bits;
  const owner = bits >> 6;
  return (owner << 6) | (owner << 3) | owner;
}

/** Settles owner and permissions of an open file or directory. */
export function give(ownership: Ownership, fd: number, mode: number): void {
  if (ownership.canGive) fs.fchownSync(fd, ownership.uid, ownership.gid);
  fs.fchmodSync(fd, modeFor(ownership, mode));
}

/** The same for a symbolic link itself. */
export function giveLink(ownership: Ownership, at: Buffer | string): void {
  if (ownership.canGive) fs.lchownSync(at, ownership.uid, ownership.gid);
}
