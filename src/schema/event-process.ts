import * as z from "zod";
import { count } from "./common.ts";
import { bytesText, callId, durationMs, errno, fileIdentity, processHead } from "./event-parts.ts";

const parent = z
  .string()
  .describe("Its parent, in the same form as `process`: the process that made it, but for `made_by`.");
const comm = z.string().describe("Name of the program (`comm`), up to 15 bytes; the process can set it.");
const containerPid = z.number().int().nullable().describe("Pid inside the container; null: it has none there.");
const userId = z.number().int().describe("User id.");

const argv = {
  argv: z.array(z.string()).describe("Exact arguments; bytes that are not UTF-8 are shown as U+FFFD."),
  argv_b64: z.array(z.string()).optional().describe("The exact bytes of each, base64, where one is not UTF-8."),
};

export const forkEvent = z
  .object({
    kind: z.literal("process.fork"),
    ...processHead,
    parent,
    made_by: z
      .string()
      .optional()
      .describe("Process that made it, where that is another than its parent (CLONE_PARENT)."),
    container_pid: containerPid,
    uid: userId,
    comm,
  })
  .describe("A new process began as a copy of its parent. Threads are no processes.");

export const foundEvent = z
  .object({
    kind: z.literal("process.found"),
    ...processHead,
    parent,
    container_pid: containerPid,
    uid: userId.nullable(),
    comm,
    exe: z.string().nullable().describe("Executable, from /proc."),
    cwd: z.string().nullable().describe("Working directory, from /proc."),
    ...argv,
  })
  .describe(
    "A process whose start was not seen: it ran already when the sensor came, or came back, or the sensor does not see forks; described from /proc, which it can change.",
  );

export const execEvent = z
  .object({
    kind: z.literal("process.exec"),
    ...processHead,
    parent,
    container_pid: containerPid,
    uid: userId,
    gid: z.number().int().describe("Group id."),
    comm,
    ...bytesText("exe", "File that was executed, as the kernel opened it; with a script its interpreter."),
    ...fileIdentity,
    memfd: z.literal(true).optional().describe("The file lives in memory only (memfd)."),
    written_in_run: z.literal(true).optional().describe("The file was opened for writing earlier in this run."),
    filename: z.string().optional().describe("Name that was passed to the call, where it is not `exe`."),
    script: z.string().optional().describe("Script that was executed by its first line."),
    interpreter: z.string().optional().describe("Interpreter that the script names."),
    ...bytesText("cwd", "Working directory."),
    stdio: z
      .array(z.string())
      .optional()
      .describe(
        "Standard input, output, error as the program finds them: `null`, `closed`, `terminal`, `pipe:<inode>` (equal numbers are one pipe), `connection:<number>` as in events about sockets, `file:<device>:<inode>`.",
      ),
    ...argv,
    argv_bytes: count.describe("Length of all arguments, also of what was not kept."),
    truncated: z.literal(true).optional().describe("The arguments were longer than what is kept; the last one is cut."),
    env: z
      .record(z.string(), z.string())
      .optional()
      .describe(
        "Environment: name → first 16 hex digits of HMAC-SHA-256 of the value, with a key that is never stored.",
      ),
    env_base: count.optional().describe("`seq` of the event whose `env` this one's is based on, when it has no own."),
    env_set: z.record(z.string(), z.string()).optional().describe("What differs from `env_base`: names and hashes."),
    env_unset: z.array(z.string()).optional().describe("Names in `env_base` that this one does not have."),
    env_bytes: count.describe("Length of the whole environment."),
    env_truncated: z.literal(true).optional().describe("The environment was longer than what was looked at."),
    call_id: callId,
  })
  .describe("A process began to run a program.");

export const execFailedEvent = z
  .object({
    kind: z.literal("process.exec-failed"),
    ...processHead,
    ...bytesText("path", "Program that was to be run."),
    errno: z.string().describe("Name of the error."),
  })
  .describe("A program could not be run. A search along PATH leaves one of these for each wrong place.");

export const exitEvent = z
  .object({
    kind: z.literal("process.exit"),
    ...processHead,
    comm,
    code: count.nullable().describe("Exit code; null when a signal ended it."),
    signal: z.string().nullable().describe("Signal that ended it."),
    core_dumped: z.literal(true).optional().describe("The kernel made a core dump."),
    duration_ms: durationMs.describe("From its start."),
  })
  .describe("A process ended.");

export const goneEvent = z
  .object({ kind: z.literal("process.gone"), ...processHead })
  .describe(
    "A process that does not run any more: its end was not seen, because the sensor was away or does not see ends.",
  );

export const survivorEvent = z
  .object({
    kind: z.literal("process.survivor"),
    ...processHead,
    comm,
    ...argv,
  })
  .describe("A process that still ran when the container's first process ended, or when the watch ended.");

export const credentialsEvent = z
  .object({
    kind: z.literal("process.credentials"),
    ...processHead,
    call: z.enum(["setuid", "setgid", "setgroups", "capset"]).describe("The call, or one of its family."),
    euid: z.number().int().describe("Effective user id after it."),
    egid: z.number().int().describe("Effective group id after it."),
    errno,
  })
  .describe("A process changed its user, groups or capabilities, or tried to.");

export const namespaceEvent = z
  .object({
    kind: z.literal("process.namespace"),
    ...processHead,
    call: z.enum(["unshare", "setns", "clone-namespace"]).describe("The call."),
    namespaces: z.array(z.string()).describe("Which: `mnt`, `uts`, `ipc`, `user`, `pid`, `net`, `cgroup`, `time`."),
    errno,
  })
  .describe("A process made or entered a namespace, or tried to.");

export const reachEvent = z
  .object({
    kind: z.literal("process.reach"),
    ...processHead,
    call: z.enum(["ptrace", "process_vm_readv", "process_vm_writev", "kill", "pidfd_getfd"]).describe("The call."),
    request: z.string().describe("Signal, or request of ptrace."),
    target_pid: z.number().int().describe("Pid as the caller named it, in its own namespace; 0 and below: groups."),
    errno,
  })
  .describe("A process reached into another one, or signalled it.");

export const blindSpotEvent = z
  .object({
    kind: z.literal("blind-spot"),
    ...processHead,
    interface: z
      .enum(["io_uring", "compat-call", "bpf", "perf", "userfaultfd", "memfd", "open-by-handle", "aio"])
      .describe("What was used."),
    stage: z.enum(["attempt", "submit"]).describe("`attempt`: the call. `submit`: an operation of io_uring."),
    number: z.number().int().describe("Number of the system call; of the operation for `submit`."),
    errno,
  })
  .describe("Use of an interface whose effects a sensor of system calls may not see. Refused ones are told too.");
