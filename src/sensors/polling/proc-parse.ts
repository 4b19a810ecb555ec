/** What /proc/PID/stat tells. */
export interface ProcStat {
  /** Name of the program; up to 15 bytes that the process itself chooses. */
  comm: string;
  state: string;
  ppid: number;
  session: number;
  /** Clock ticks since boot. */
  startTime: string;
  /** Address of the arguments: another one after every exec. `0` without the right to see it. */
  argStart: string;
}

/** Field numbers as in proc(5), counted from 1; the second one, the name, may hold blanks and brackets. */
const FIELD = { state: 3, ppid: 4, session: 6, startTime: 22, argStart: 48 } as const;

/** Parses /proc/PID/stat; undefined when it is no such text. */
export function parseProcStat(content: Buffer): ProcStat | undefined {
  const open = content.indexOf(0x28);
  const close = content.lastIndexOf(0x29);
  if (open < 0 || close < open) return undefined;
  const fields = content
    .toString("latin1", close + 2)
    .trimEnd()
    .split(" ");
  const field = (number: number): string => fields[number - FIELD.state] ?? "0";
  return {
    comm: content.toString("utf8", open + 1, close),
    state: field(FIELD.state),
    ppid: Number(field(FIELD.ppid)),
    session: Number(field(FIELD.session)),
    startTime: field(FIELD.startTime),
    argStart: field(FIELD.argStart),
  };
}

/** Pid in the innermost namespace and real user id, from /proc/PID/status. The kernel escapes line breaks in the name there. */
export function parseProcStatus(content: Buffer): { containerPid: number | null; uid: number | null } {
  const text = content.toString("latin1");
  const pids = /^NSpid:\s+([\d\t ]+)$/m.exec(text)?.[1]?.trim().split(/\s+/) ?? [];
  const uid = /^Uid:\s+(\d+)/m.exec(text)?.[1];
  const innermost = pids.at(-1);
  return {
    containerPid: innermost === undefined || pids.length < 2 ? null : Number(innermost),
    uid: uid === undefined ? null : Number(uid),
  };
}

/** Arguments from /proc/PID/cmdline: each ends with a NUL, but a process may overwrite them with anything. */
export function parseCmdline(content: Buffer): string[] {
  if (content.length === 0) return [];
  const text = content.toString("utf8");
  return (text.endsWith("\0") ? text.slice(0, -1) : text).split("\0");
}

/** Pids, one a line. */
export function parsePids(content: Buffer): number[] {
  const pids: number[] = [];
  let value = 0;
  for (const byte of content) {
    if (byte >= 0x30 && byte <= 0x39) value = value * 10 + byte - 0x30;
    else {
      if (value > 0) pids.push(value);
      value = 0;
    }
  }
  if (value > 0) pids.push(value);
  return pids;
}

/** `[[dd-]hh:]mm:ss`, as ps writes it. */
export function formatElapsed(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  const clock = `${two(minutes)}:${two(whole % 60)}`;
  if (days > 0) return `${days}-${two(hours)}:${clock}`;
  return hours > 0 ? `${two(hours)}:${clock}` : clock;
}
