import type { ObservationRecord, PathText, RecordHead } from "../kernel/record.ts";
import type { CallLine, LineOf } from "./line.ts";

/** Longest name that the kernel keeps of a program, in bytes. */
const COMM_BYTES = 15;
const REGULAR_FILE = 0o100000;
const O_ACCMODE = 3;
const O_TRUNC = 0o1000;
const NOTHING = Buffer.alloc(0);
const NUL = Buffer.of(0);

/** The lines of which the same events can be made as of records of the kernel sensor. */
export type RecordLine = Exclude<CallLine, LineOf<"connect" | "bind">>;

/**
 * What a line says, as a record of the kernel sensor, so that both layers' events are made in one place. The call has not
 * been carried out yet: its result is what can be expected, and the events are marked as attempted.
 */
export function recordOf(line: RecordLine): ObservationRecord {
  const head = headOf(line);
  switch (line.k) {
    case "exec":
      return execRecord(line, head);
    case "exec-failed":
      return { kind: "exec-failed", ...head, path: pathText(line.path, line.path_base), errno: line.errno };
    case "open":
      return openRecord(line, head);
    case "path":
      return {
        kind: "path",
        ...head,
        operation: line.op,
        result: -(line.errno ?? 0),
        path: pathText(line.path, line.path_base),
        ...(line.target === undefined ? {} : { target: pathText(line.target, line.target_base) }),
        argument: line.arg,
        argument2: line.arg2,
        text: NOTHING,
      };
  }
}

/** What every record of the line's process carries. */
function headOf(line: CallLine): RecordHead {
  return {
    seq: 0,
    timeNs: line.t,
    process: { pid: line.pid, startNs: line.start },
    tid: line.tid ?? line.pid,
    parent: { pid: line.ppid, startNs: line.pstart },
    containerPid: line.cpid,
    uid: line.uid,
    comm: line.comm,
  };
}

function pathText(name: Buffer, base: Buffer | undefined): PathText {
  return { name, truncated: name.length >= 4095, ...(base === undefined ? {} : { base }) };
}

function execRecord(line: LineOf<"exec">, head: RecordHead): ObservationRecord {
  const isScript = line.interpreter !== undefined;
  const args = isScript ? scriptArguments(line) : line.args;
  const called = line.path.subarray(line.path.lastIndexOf("/") + 1);
  return {
    kind: "exec",
    ...head,
    // The name that the process will have.
    comm: called.length === 0 ? line.comm : called.subarray(0, COMM_BYTES),
    file: {
      path: { name: line.exe, truncated: false },
      inode: line.ino,
      device: line.major * 2 ** 20 + line.minor,
      mode: line.mode,
      size: line.size,
      links: line.links,
    },
    memfd: line.memfd === 1,
    filename: line.path,
    interpreter: line.interpreter ?? NOTHING,
    cwd: { name: line.cwd, truncated: false },
    args,
    argsBytes: line.args_bytes + args.length - line.args.length,
    env: line.env,
    envBytes: line.env_bytes,
    gid: line.gid,
  };
}

/** A script's arguments as its interpreter gets them: the kernel puts the first line's words and the script's name before them. */
function scriptArguments({ interpreter = NOTHING, option = NOTHING, path, args }: LineOf<"exec">): Buffer {
  const first = args.indexOf(0);
  const words = [interpreter, ...(option.length === 0 ? [] : [option]), path];
  return Buffer.concat([...words.flatMap((word) => [word, NUL]), first === -1 ? NOTHING : args.subarray(first + 1)]);
}

function openRecord(line: LineOf<"open">, head: RecordHead): ObservationRecord {
  const created = line.new_mode !== undefined;
  return {
    kind: "open",
    ...head,
    file: {
      path: pathText(line.path, line.path_base),
      inode: line.ino ?? 0,
      device: (line.major ?? 0) * 2 ** 20 + (line.minor ?? 0),
      mode: line.mode ?? REGULAR_FILE | (line.new_mode ?? 0),
      size: line.size ?? 0,
      links: line.links ?? 1,
    },
    flags: line.flags,
    created,
    writable: (line.flags & O_ACCMODE) !== 0 || (line.flags & O_TRUNC) !== 0,
  };
}
