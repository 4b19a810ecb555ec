import * as fs from "node:fs";

/** Names one process for ever: a pid alone is used again by others. */
export interface ProcessIdentity {
  bootId: string | null;
  pid: number;
  /** Start in clock ticks since boot, as the kernel counts; `null` where /proc does not tell. */
  startTime: string | null;
}

/** The kernel's id of this boot; `null` on systems without one. */
export function bootId(): string | null {
  try {
    return fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return null;
  }
}

/** Field 22 of /proc/PID/stat. The name in field 2 may hold blanks and brackets, so count from its end. */
function processStartTime(pid: number): string | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

export function ownIdentity(): ProcessIdentity {
  return { bootId: bootId(), pid: process.pid, startTime: processStartTime(process.pid) };
}

/** Whether that very process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  return identity.startTime !== null && processStartTime(identity.pid) === identity.startTime;
}

/** `boot:pid:start`, for labels. */
export function formatIdentity(identity: ProcessIdentity): string {
  return `${identity.bootId ?? ""}:${identity.pid}:${identity.startTime ?? ""}`;
}

export function parseIdentity(text: string): ProcessIdentity | undefined {
  const match = /^([0-9a-f-]*):(\d+):(\d*)$/.exec(text);
  if (match === null) return undefined;
  return { bootId: match[1] || null, pid: Number(match[2]), startTime: match[3] || null };
}
