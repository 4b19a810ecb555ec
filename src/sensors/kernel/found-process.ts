import { readProc, readProcLink } from "../polling/proc-file.ts";
import { parseProcStat, parseProcStatus } from "../polling/proc-parse.ts";
import type { ProcessKey } from "./record.ts";
import { splitBlock } from "./text.ts";

/** A process as /proc describes it. */
export interface FoundProcess {
  /** When it was looked at, nanoseconds since boot. */
  foundNs: number;
  key: ProcessKey;
  parent: ProcessKey | undefined;
  containerPid: number | null;
  uid: number | null;
  comm: string;
  exe: string | null;
  cwd: string | null;
  argv: Buffer[];
}

const NS_PER_TICK = 1e7;
const MAX_CMDLINE_BYTES = 8191;

/** Whether an id is that of a process found: start times in /proc are in ticks of 10 ms. */
export function isSameProcess(id: string, found: ProcessKey): boolean {
  const [pid, startNs] = id.split("-").map(Number);
  return pid === found.pid && Math.floor((startNs ?? Number.NaN) / NS_PER_TICK) * NS_PER_TICK === found.startNs;
}

/** Reads a process that runs; undefined when it is gone. Its `startNs` is exact to 10 ms only. `nowNs`: since boot. */
export function findProcess(pid: number, nowNs: number): FoundProcess | undefined {
  const stat = parseProcStat(readProc(`/proc/${pid}/stat`) ?? Buffer.alloc(0));
  if (stat === undefined) return undefined;
  const status = readProc(`/proc/${pid}/status`);
  const { containerPid, uid } = status === undefined ? { containerPid: null, uid: null } : parseProcStatus(status);
  const parent = parseProcStat(readProc(`/proc/${stat.ppid}/stat`) ?? Buffer.alloc(0));
  // What is read next lies in the same memory.
  const cmdline = Buffer.from(readProc(`/proc/${pid}/cmdline`, MAX_CMDLINE_BYTES) ?? Buffer.alloc(0));
  return {
    foundNs: nowNs,
    key: { pid, startNs: Number(stat.startTime) * NS_PER_TICK },
    parent: parent === undefined ? undefined : { pid: stat.ppid, startNs: Number(parent.startTime) * NS_PER_TICK },
    containerPid,
    uid,
    comm: stat.comm,
    exe: readProcLink(`/proc/${pid}/exe`),
    cwd: readProcLink(`/proc/${pid}/cwd`),
    argv: splitBlock(cmdline),
  };
}
