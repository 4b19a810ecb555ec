import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setImmediate } from "node:timers/promises";
import { RUNS_DIRECTORY } from "../../src/evidence/layout.ts";
import { LABEL } from "../../src/sandbox/container-spec.ts";
import type { CaptureEvent } from "../../src/schema/event.ts";

/** After the first round the kernel gives no pid below 300: this leaves 200. */
const PID_MAX = "500";

/** Whether every pid namespace has its own highest pid (Linux 6.14): before, it would be the whole machine's. */
export function hasOwnPidMax(): boolean {
  const [major = 0, minor = 0] = os.release().split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 14);
}

/** Makes the pids of a run's container come round again after 200. */
export function lowerPidMax(runId: string): void {
  const filter = `label=${LABEL.run}=${runId}`;
  const id = execFileSync("podman", ["ps", "--quiet", "--filter", filter], { encoding: "utf8" }).trim();
  const pid = execFileSync("podman", ["inspect", "--format", "{{.State.Pid}}", id], { encoding: "utf8" }).trim();
  const write = `echo ${PID_MAX} > /proc/sys/kernel/pid_max`;
  execFileSync("nsenter", ["--target", pid, "--pid", "--", "/bin/sh", "-c", write]);
}

/** Makes a file in the /tmp of a run that goes on. */
export function touchInTmp(captureRoot: string, runId: string, name: string): void {
  fs.writeFileSync(path.join(captureRoot, RUNS_DIRECTORY, runId, "tmp", name), "");
}

/** How often a process opened this file for writing, as far as the capture has it. */
export function opensOf(events: readonly CaptureEvent[], file: string): number {
  return events.filter((event) => event.kind === "file.open" && event.path === file).length;
}

/** Looks at the descriptors of all processes of this name, over and over. @returns how many were found open. */
export async function readDescriptors(name: string, signal: AbortSignal): Promise<number> {
  let found = 0;
  while (!signal.aborted) {
    await setImmediate();
    for (const pid of fs.readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && commOf(entry) === name)) {
      for (let look = 0; look < 5000; look++) if (isOpen(`/proc/${pid}/fd/${3 + (look % 2)}`)) found++;
    }
  }
  return found;
}

function commOf(pid: string): string | undefined {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return undefined;
  }
}

function isOpen(link: string): boolean {
  try {
    fs.readlinkSync(link);
    return true;
  } catch {
    return false;
  }
}
