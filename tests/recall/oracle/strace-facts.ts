import { cleanPath, fact, isOnDisk, type OracleFact } from "./facts.ts";
import type { TracedCall } from "./strace-lines.ts";
import type { Value } from "./strace-values.ts";

/** Where the arguments of a call on names stand; `at`: position of the name, with the descriptor before it where `from` is set. */
interface NameCall {
  what: string;
  name: number;
  directory?: number;
  to?: number;
  toDirectory?: number;
}

const NAME_CALLS: Readonly<Record<string, NameCall>> = {
  unlink: { what: "unlink", name: 0 },
  unlinkat: { what: "unlink", directory: 0, name: 1 },
  rmdir: { what: "rmdir", name: 0 },
  mkdir: { what: "mkdir", name: 0 },
  mkdirat: { what: "mkdir", directory: 0, name: 1 },
  rename: { what: "rename", name: 0, to: 1 },
  renameat: { what: "rename", directory: 0, name: 1, toDirectory: 2, to: 3 },
  renameat2: { what: "rename", directory: 0, name: 1, toDirectory: 2, to: 3 },
  link: { what: "link", name: 0, to: 1 },
  linkat: { what: "link", directory: 0, name: 1, toDirectory: 2, to: 3 },
  symlink: { what: "symlink", name: 1 },
  symlinkat: { what: "symlink", directory: 1, name: 2 },
  truncate: { what: "truncate", name: 0 },
  chmod: { what: "chmod", name: 0 },
  fchmodat: { what: "chmod", directory: 0, name: 1 },
  fchmodat2: { what: "chmod", directory: 0, name: 1 },
};
const DESCRIPTOR_CALLS: Readonly<Record<string, string>> = { ftruncate: "truncate", fchmod: "chmod" };
const CLONES = ["clone", "clone3", "fork", "vfork"];

/** The calls that the comparison needs; strace is asked for these. */
export const TRACED_CALLS = [
  ...Object.keys(NAME_CALLS),
  ...Object.keys(DESCRIPTOR_CALLS),
  ...CLONES,
  ...["open", "openat", "openat2", "creat", "execve", "execveat", "connect", "chdir", "fchdir"],
];

/** Working directory; threads share one. */
interface Place {
  cwd: string;
}

/** Tells facts from traced calls. Follows the working directory of every process, which strace does not print. */
export class StraceFacts {
  readonly facts: OracleFact[] = [];
  /** Facts of programs that were run, by `exec` fact, with each first argument. */
  readonly firstArguments = new Map<OracleFact, string[]>();
  readonly #places = new Map<number, Place>();
  readonly #start: string;

  /** `start`: working directory of the traced processes at the beginning. */
  constructor(calls: readonly TracedCall[], start: string) {
    this.#start = start;
    // A child may do something on a line before its parent's call has ended: the line of the beginning counts.
    const births = calls.filter((call) => CLONES.includes(call.name) && (call.result ?? -1) > 0);
    const steps = [
      ...births.map((call) => ({ line: call.began, run: () => this.#birth(call) })),
      ...calls
        .filter((call) => !CLONES.includes(call.name))
        .map((call) => ({ line: call.ended, run: () => this.#take(call) })),
    ];
    for (const step of steps.sort((a, b) => a.line - b.line)) step.run();
  }

  #place(pid: number): Place {
    let place = this.#places.get(pid);
    if (place === undefined) {
      place = { cwd: this.#start };
      this.#places.set(pid, place);
    }
    return place;
  }

  #birth(call: TracedCall): void {
    const place = this.#place(call.pid);
    const shares = JSON.stringify(call.args, (_, value: unknown) =>
      value instanceof Map ? [...value] : value,
    ).includes("CLONE_FS");
    this.#places.set(call.result ?? 0, shares ? place : { ...place });
  }

  #take(call: TracedCall): void {
    if (call.result === undefined) return;
    const named = NAME_CALLS[call.name];
    const withDescriptor = DESCRIPTOR_CALLS[call.name];
    if (named !== undefined) this.#name(call, named);
    else if (withDescriptor !== undefined) this.#descriptor(call, withDescriptor);
    else if (call.name.startsWith("open") || call.name === "creat") this.#open(call);
    else if (call.name.startsWith("exec")) this.#exec(call);
    else if (call.name === "connect") this.#connect(call);
    else this.#chdir(call);
  }

  #name(call: TracedCall, { what, name, directory, to, toDirectory }: NameCall): void {
    const removesDirectory = call.name === "unlinkat" && wordOf(call.args[2]).includes("AT_REMOVEDIR");
    const parts = [this.#path(call, directory, name)];
    if (to !== undefined) parts.push(this.#path(call, toDirectory, to));
    this.facts.push(fact(removesDirectory ? "rmdir" : what, ...parts, call.errno ?? "ok"));
  }

  #descriptor(call: TracedCall, what: string): void {
    const [descriptor] = call.args;
    const path = descriptor?.kind === "word" ? (descriptor.path ?? "") : "";
    if (call.errno === undefined && isOnDisk(path)) this.facts.push(fact(what, path, "ok"));
  }

  #open(call: TracedCall): void {
    const flags =
      call.name === "creat" ? "O_WRONLY" : JSON.stringify(call.args[call.name === "open" ? 1 : 2], replacer);
    const path = call.resultPath ?? "";
    if (!/O_WRONLY|O_RDWR/.test(flags) || call.errno !== undefined || !isOnDisk(path)) return;
    this.facts.push(fact("write", path.replace(/\/#\d+$/, "/#")));
  }

  #exec(call: TracedCall): void {
    const [directory, name, list] = call.name === "execveat" ? [0, 1, 2] : [undefined, 0, 1];
    const path = this.#path(call, directory, name);
    if (call.errno !== undefined) {
      this.facts.push(fact("exec-failed", path, call.errno));
      return;
    }
    const value = call.args[list];
    const argv = value?.kind === "list" ? value.items.map(textOf) : [];
    const told = fact("exec", path, argv.slice(1));
    this.facts.push(told);
    const firsts = this.firstArguments.get(told) ?? [];
    this.firstArguments.set(told, [...firsts, argv[0] ?? ""]);
  }

  #connect(call: TracedCall): void {
    const address = call.args[1];
    if (address?.kind !== "struct") return;
    const remote = remoteOf(address.fields);
    if (remote !== undefined) this.facts.push(fact("connect", remote));
  }

  #chdir(call: TracedCall): void {
    if (call.errno !== undefined) return;
    const [target] = call.args;
    const path = target?.kind === "word" ? (target.path ?? "/") : this.#path(call, undefined, 0);
    this.#place(call.pid).cwd = path;
  }

  #path(call: TracedCall, directory: number | undefined, name: number): string {
    const start = directory === undefined ? undefined : call.args[directory];
    const base = start?.kind === "word" ? start.path : undefined;
    return cleanPath(base ?? this.#place(call.pid).cwd, textOf(call.args[name]));
  }
}

function replacer(_: string, value: unknown): unknown {
  return value instanceof Map ? [...value] : value;
}

function textOf(value: Value | undefined): string {
  if (value?.kind === "text") return value.text;
  if (value?.kind === "word" && value.word === "NULL") return "";
  throw new Error(`strace: a text expected, not ${JSON.stringify(value)}`);
}

function wordOf(value: Value | undefined): string {
  return value?.kind === "word" ? value.word : "";
}

function remoteOf(fields: ReadonlyMap<string, Value>): string | undefined {
  const inner = (name: string, index: number): string => {
    const value = fields.get(name);
    const argument = value?.kind === "word" ? value.arguments?.[index] : undefined;
    return argument?.kind === "word" ? argument.word : textOf(argument);
  };
  switch (wordOf(fields.get("sa_family"))) {
    case "AF_INET":
      return `${inner("sin_addr", 0)}:${inner("sin_port", 0)}`;
    case "AF_INET6":
      return `[${inner("inet_pton", 1)}]:${inner("sin6_port", 0)}`;
    case "AF_UNIX": {
      const path = fields.get("sun_path");
      return path?.kind === "text" ? `${path.abstract === true ? "@" : ""}${path.text}` : "";
    }
    default:
      return undefined;
  }
}
