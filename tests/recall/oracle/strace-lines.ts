import { type Value, ValueReader } from "./strace-values.ts";

export interface TracedCall {
  pid: number;
  name: string;
  args: Value[];
  /** Number that it returned; undefined: it did not return. */
  result: number | undefined;
  /** What the returned descriptor stands for. */
  resultPath: string | undefined;
  errno: string | undefined;
  /** Numbers of the lines on which it began and ended. */
  began: number;
  ended: number;
}

const LINE = /^(\d+) +(.*)$/s;
const SIGNAL = /^--- .* ---$/s;
const ENDED = /^\+\+\+ (?:exited with \d+|killed by \w+(?: \(core dumped\))?) \+\+\+$/;
const SUPERSEDED = /^\+\+\+ superseded by execve in pid (\d+) \+\+\+$/;
const UNFINISHED = / <unfinished \.\.\.>$/;
const RESUMED = /^<\.\.\. (\w+) resumed>/;
const RESULT = /^ *= (?:(-?\d+|\?)|(0x[0-9a-f]+))/;
const TRANSLATED = /^ \/\* (\d+) in strace's PID NS \*\//;
const ERROR = /^ (E\w+) \(/;

/** Reads the output of `strace -f -y -xx --pidns-translation -o`: every line, or it throws. */
export function parseTrace(text: string): TracedCall[] {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Error("strace: the last line has no end");
  const trace = new TraceReader();
  for (const [number, line] of lines.entries()) trace.read(line, number);
  return trace.calls;
}

/** Puts the two halves of a call together where another process came between. */
class TraceReader {
  readonly calls: TracedCall[] = [];
  readonly #pending = new Map<number, { text: string; began: number }>();

  read(line: string, number: number): void {
    const [, pidText = "", rest = ""] = LINE.exec(line) ?? [];
    if (pidText === "") throw new Error(`strace: no process in line ${number + 1}: ${line.slice(0, 200)}`);
    const pid = Number(pidText);
    if (SIGNAL.test(rest) || ENDED.test(rest)) return;
    const replaced = SUPERSEDED.exec(rest)?.[1];
    if (replaced !== undefined) return this.#replace(Number(replaced), pid);
    if (UNFINISHED.test(rest)) {
      this.#pending.set(pid, { text: rest.replace(UNFINISHED, ""), began: number });
      return;
    }
    const resumed = RESUMED.exec(rest)?.[0];
    const first = this.#pending.get(pid);
    this.#pending.delete(pid);
    if (resumed === undefined) this.calls.push(parseCall(pid, rest, number, number));
    else if (first === undefined) throw new Error(`strace: nothing to resume in: ${line.slice(0, 200)}`);
    else this.calls.push(parseCall(pid, `${first.text}${rest.slice(resumed.length)}`, first.began, number));
  }

  /** The thread that called execve goes on as the first one. */
  #replace(from: number, to: number): void {
    const call = this.#pending.get(from);
    this.#pending.delete(from);
    if (call !== undefined) this.#pending.set(to, call);
  }
}

function parseCall(pid: number, text: string, began: number, ended: number): TracedCall {
  const name = /^\w+(?=\()/.exec(text)?.[0];
  if (name === undefined) throw new Error(`strace: no call in: ${text.slice(0, 200)}`);
  const reader = new ValueReader(text.slice(name.length + 1));
  const args = reader.arguments();
  const [whole, decimal, hex] = RESULT.exec(reader.rest) ?? [];
  if (whole === undefined) throw new Error(`strace: no result in: ${text.slice(0, 400)}`);
  const after = reader.rest.slice(whole.length);
  const resultPath = new ValueReader(after).path();
  const errno = ERROR.exec(after)?.[1];
  if (decimal === "-1" && errno === undefined)
    throw new Error(`strace: no name of the error in: ${text.slice(0, 400)}`);
  // Processes are known by their pid in strace's own namespace.
  const translated = TRANSLATED.exec(after)?.[1];
  const result = decimal === "?" ? undefined : Number(translated ?? decimal ?? hex);
  return { pid, name, args, result, resultPath, errno, began, ended };
}
