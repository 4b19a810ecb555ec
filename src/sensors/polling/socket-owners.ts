import * as fs from "node:fs";
import { readProcLink } from "./proc-text.ts";

/** Most descriptors looked at in one process. */
const MAX_DESCRIPTORS = 4096;

/** Which of these processes hold which of these sockets, by inode. */
export function findSocketOwners(pids: readonly number[], inodes: ReadonlySet<string>): Map<string, string[]> {
  const owners = new Map<string, string[]>();
  for (const pid of pids) {
    for (const inode of socketsOf(pid)) {
      if (inodes.has(inode)) owners.set(inode, [...(owners.get(inode) ?? []), String(pid)]);
    }
  }
  return owners;
}

function socketsOf(pid: number): Set<string> {
  const found = new Set<string>();
  for (const name of listDescriptors(pid).slice(0, MAX_DESCRIPTORS)) {
    const inode = /^socket:\[(\d+)\]$/.exec(readProcLink(`/proc/${pid}/fd/${name}`) ?? "")?.[1];
    if (inode !== undefined) found.add(inode);
  }
  return found;
}

function listDescriptors(pid: number): string[] {
  try {
    return fs.readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
}
