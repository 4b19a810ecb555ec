import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import * as os from "node:os";

/** Facts about the machine that this process runs on. */
export interface MachineFacts {
  /** As Node names them: `linux`, `x64`. */
  platform: string;
  arch: string;
  /** Release of the kernel. */
  kernel: string;
  /** From /etc/os-release; undefined where there is none. */
  distribution: { id: string; versionId: string; name: string } | undefined;
  /** Effective user id; undefined where there are none. */
  uid: number | undefined;
  /** Cores that this process may use. */
  cores: number;
  memoryTotalBytes: number;
  /** What can be had without swapping; undefined where the kernel does not tell. */
  memoryAvailableBytes: number | undefined;
  cgroupVersion: "v1" | "v2" | "hybrid" | undefined;
}

/** Reads the facts anew. What cannot be read is undefined. */
export async function readMachineFacts(): Promise<MachineFacts> {
  return {
    platform: process.platform,
    arch: process.arch,
    kernel: os.release(),
    distribution: parseOsRelease(await textOf("/etc/os-release")),
    uid: process.geteuid?.(),
    cores: os.availableParallelism(),
    memoryTotalBytes: os.totalmem(),
    memoryAvailableBytes: parseMemAvailable(await textOf("/proc/meminfo")),
    cgroupVersion: cgroupVersion(),
  };
}

async function textOf(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}

/** The fields of an os-release file that we use; undefined when it names no distribution. */
export function parseOsRelease(text: string): MachineFacts["distribution"] {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^([A-Z_]+)=(?:"(.*)"|'(.*)'|(.*))$/.exec(line.trim());
    const key = match?.[1];
    if (key !== undefined) fields.set(key, match?.[2] ?? match?.[3] ?? match?.[4] ?? "");
  }
  const id = fields.get("ID");
  if (id === undefined) return undefined;
  return { id, versionId: fields.get("VERSION_ID") ?? "", name: fields.get("PRETTY_NAME") ?? id };
}

/** MemAvailable of a /proc/meminfo, in bytes. */
export function parseMemAvailable(meminfo: string): number | undefined {
  const kib = /^MemAvailable:\s*(\d+) kB$/m.exec(meminfo)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

function cgroupVersion(): MachineFacts["cgroupVersion"] {
  if (existsSync("/sys/fs/cgroup/cgroup.controllers")) return "v2";
  if (existsSync("/sys/fs/cgroup/unified/cgroup.controllers")) return "hybrid";
  try {
    return readFileSync("/proc/self/cgroup", "utf8").includes(":memory") ? "v1" : undefined;
  } catch {
    return undefined;
  }
}
