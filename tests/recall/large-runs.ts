import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
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
