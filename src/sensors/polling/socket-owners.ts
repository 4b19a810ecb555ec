import * as fs from "node:fs";
import { monotonicMs } from "../../core/clock.ts";
import type { SocketOwners } from "./connection-table.ts";
import { readProcLink } from "./proc-file.ts";

/** A search is given up after this time: a process may have very many open files. */
const MAX_SEARCH_MS = 3;

/** Looks through the open files of processes for sockets. `pids`: the container's processes. */
export function socketOwners(pids: () => readonly number[]): SocketOwners {
  return {
    find(inodes) {
      const found = new Map<string, string[]>();
      const deadline = monotonicMs() + MAX_SEARCH_MS;
      // The youngest first: a new socket is most likely theirs.
      for (const pid of [...pids()].reverse()) {
        if (monotonicMs() > deadline) break;
        for (const inode of socketsOf(pid, deadline)) {
          if (inodes.has(inode)) found.set(inode, [...(found.get(inode) ?? []), String(pid)]);
        }
      }
      return found;
    },
    isOurs(inode) {
      return new Set(socketsOf("self", Number.POSITIVE_INFINITY)).has(inode);
    },
  };
}

function socketsOf(pid: number | "self", deadlineMs: number): string[] {
  const dir = `/proc/${pid}/fd`;
  const sockets = new Set<string>();
  for (const name of listOrNone(dir)) {
    const inode = /^socket:\[(\d+)\]$/.exec(readProcLink(`${dir}/${name}`) ?? "")?.[1];
    if (inode !== undefined) sockets.add(inode);
    if (monotonicMs() > deadlineMs) break;
  }
  return [...sockets];
}

function listOrNone(dir: string): string[] {
  try {
    return fs.readdirSync(dir);
  } catch {
    return [];
  }
}
