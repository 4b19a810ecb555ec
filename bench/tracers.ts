import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { attachStrace } from "../tests/recall/oracle/watched-twice.ts";

/** Other programs that can tell what processes do, for comparison. */
export const TRACERS = ["strace", "bpftrace"] as const;
export type Tracer = (typeof TRACERS)[number];

const BPFTRACE_READY_MS = 60_000;
/** The sensor's main calls, of every process of the machine: bpftrace knows no containers. */
const BPFTRACE_PROGRAM = [
  'tracepoint:syscalls:sys_enter_openat { printf("%d open %s\\n", pid, str(args->filename)); }',
  'tracepoint:syscalls:sys_enter_execve { printf("%d exec %s\\n", pid, str(args->filename)); }',
  'tracepoint:syscalls:sys_enter_unlink, tracepoint:syscalls:sys_enter_unlinkat { printf("%d unlink\\n", pid); }',
  'tracepoint:syscalls:sys_enter_rename, tracepoint:syscalls:sys_enter_renameat2 { printf("%d rename\\n", pid); }',
  'tracepoint:syscalls:sys_enter_connect { printf("%d connect\\n", pid); }',
].join("\n");

/** Those of them that this machine has; says of the others that it has not. */
export function installedTracers(): Tracer[] {
  const isThere = (program: string): boolean => spawnSync(program, ["--version"]).status === 0;
  for (const tracer of TRACERS) if (!isThere(tracer)) console.log(`${tracer}: not installed`);
  return TRACERS.filter(isThere);
}

/**
 * Lets a tracer watch a process and its descendants.
 * @returns what takes it away again, once they have ended.
 */
export async function trace(tracer: Tracer, pid: number, outFile: string): Promise<() => Promise<void>> {
  if (tracer === "strace") {
    const { ended } = await attachStrace(pid, outFile);
    return async () => void (await ended);
  }
  const child = spawn("bpftrace", ["-e", BPFTRACE_PROGRAM], { stdio: ["ignore", "pipe", "ignore"] });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await firstOutput(child);
  return async () => {
    child.kill("SIGINT");
    await closed;
  };
}

/** bpftrace says how many probes it has attached, and begins. What it prints then is thrown away: only the cost counts. */
async function firstOutput(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    setTimeout(() => reject(new Error("bpftrace did not begin")), BPFTRACE_READY_MS).unref();
    child.once("error", reject);
    child.once("close", () => reject(new Error("bpftrace ended")));
    child.stdout?.once("data", () => resolve());
  });
  child.stdout?.resume();
}
