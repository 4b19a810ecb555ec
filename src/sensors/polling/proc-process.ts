import { readProc, readProcLink } from "./proc-text.ts";

/** Most bytes of a command line that are kept. */
const MAX_CMDLINE_BYTES = 64 << 10;

export interface ProcStat {
  ppid: number;
  session: number;
  /** Clock ticks since boot. */
  startTime: string;
  comm: string;
  state: string;
}

/** What changes when a process becomes another program. */
export interface ProgramText {
  argv: string[];
  cut: boolean;
}

export interface ProcDetails {
  exe: string | null;
  cwd: string | null;
  uid: number | null;
  containerPid: number | null;
}

/** `/proc/PID/stat`. The name stands in brackets and may hold blanks, brackets and newlines: count from the last bracket. */
export function parseStat(text: string): ProcStat | undefined {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open < 0 || close < open) return undefined;
  const [state, ppid, , session, ...rest] = text.slice(close + 2).split(" ");
  const startTime = rest[15];
  if (state === undefined || ppid === undefined || session === undefined || startTime === undefined) return undefined;
  return { state, ppid: Number(ppid), session: Number(session), startTime, comm: text.slice(open + 1, close) };
}

export function readStat(pid: number): ProcStat | undefined {
  const read = readProc(`/proc/${pid}/stat`, 4096);
  return read === undefined ? undefined : parseStat(read.text);
}

/** Arguments as the kernel has them: each ends with a NUL. A process may have written over its own. */
export function parseCmdline(text: string): string[] {
  if (text === "") return [];
  return (text.endsWith("\0") ? text.slice(0, -1) : text).split("\0");
}

export function readProgram(pid: number): ProgramText | undefined {
  const read = readProc(`/proc/${pid}/cmdline`, MAX_CMDLINE_BYTES);
  return read === undefined ? undefined : { argv: parseCmdline(read.text), cut: read.cut };
}

export function readDetails(pid: number): ProcDetails {
  const status = readProc(`/proc/${pid}/status`, 8192)?.text ?? "";
  return {
    exe: readProcLink(`/proc/${pid}/exe`) ?? null,
    cwd: readProcLink(`/proc/${pid}/cwd`) ?? null,
    uid: numberOf(/^Uid:\s+(\d+)/m.exec(status)?.[1]),
    // The innermost pid namespace stands last.
    containerPid: numberOf(/^NSpid:.*?(\d+)$/m.exec(status)?.[1]),
  };
}

function numberOf(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}
