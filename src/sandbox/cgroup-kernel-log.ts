import * as fs from "node:fs";
import { errnoOf } from "../core/errors.ts";

const KERNEL_LOG = "/dev/kmsg";
/** One read gives one record; the kernel's own limit for it. */
const MAX_RECORD_BYTES = 8192;
const MAX_RECORDS = 200_000;

export interface LoggedLimits {
  /** Processes that were killed for want of memory; a lower bound, since the kernel limits the rate of its messages. */
  oomKills: number;
  /** The pids limit refused at least one fork; the kernel logs only the first. */
  forksRefused: boolean;
}

/** What the kernel's log tells of the control group called `group` (its last part); undefined when it can't be read. */
export function limitsInKernelLog(group: string): LoggedLimits | undefined {
  // Any other name could be somebody else's, too.
  if (!/[0-9a-f]{64}/.test(group)) return undefined;
  const records = readRecords();
  return records === undefined ? undefined : findLimits(records, group);
}

/** Parses records of /dev/kmsg. */
export function findLimits(records: Iterable<string>, group: string): LoggedLimits {
  const place = group.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const killed = new RegExp(String.raw`^[^;]*;oom-kill:.*\btask_memcg=[^,]*/${place}[/,]`);
  const refused = new RegExp(String.raw`^[^;]*;cgroup: fork rejected by pids controller in \S*/${place}(?:/|\s|$)`);
  const found: LoggedLimits = { oomKills: 0, forksRefused: false };
  for (const record of records) {
    if (killed.test(record)) found.oomKills++;
    if (refused.test(record)) found.forksRefused = true;
  }
  return found;
}

function readRecords(): string[] | undefined {
  let fd: number;
  try {
    fd = fs.openSync(KERNEL_LOG, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const buffer = Buffer.allocUnsafe(MAX_RECORD_BYTES);
    const records: string[] = [];
    for (let turn = 0; turn < MAX_RECORDS; turn++) {
      const record = readRecord(fd, buffer);
      if (record === undefined) break;
      if (record.includes("oom-kill:") || record.includes("fork rejected")) records.push(record);
    }
    return records;
  } finally {
    fs.closeSync(fd);
  }
}

/** The next record; empty when it was overwritten before we came to it; undefined at the end. */
function readRecord(fd: number, buffer: Buffer): string | undefined {
  try {
    return buffer.toString("latin1", 0, fs.readSync(fd, buffer, 0, buffer.length, null));
  } catch (error) {
    return errnoOf(error) === "EPIPE" ? "" : undefined;
  }
}
