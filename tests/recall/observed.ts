import type { CaptureEvent, EventOf } from "../../src/schema/event.ts";
import { exactBytes, type Fact, fact, factOf } from "./fact.ts";
import { joinsOf } from "./joined.ts";

/** What a case may be compared by: only these of the facts below its first process. */
export const FACT_CLASSES = ["process", "file", "network", "security"] as const;
/** `stdio`: only where a case asks for it, as every program has it. */
export type FactClass = (typeof FACT_CLASSES)[number] | "stdio";

export interface ObservedProcess {
  id: string;
  parent: string | undefined;
  execs: EventOf<"process.exec">[];
  failed: EventOf<"process.exec-failed">[];
  exit: EventOf<"process.exit"> | undefined;
  survived: boolean;
  /** Everything that it did beside being run and ending, in order. */
  acts: CaptureEvent[];
}

/** The events of a capture by process, with the lineage that the forks tell. */
export class ObservedProcesses {
  readonly #byId = new Map<string, ObservedProcess>();
  readonly #children = new Map<string, string[]>();

  constructor(events: readonly CaptureEvent[]) {
    for (const event of events) if ("process" in event) this.#take(event);
  }

  #take(event: Extract<CaptureEvent, { process: string }>): void {
    const entry = this.#entry(event.process);
    switch (event.kind) {
      case "process.fork":
      case "process.found":
        this.#adopt(entry, event.parent);
        break;
      case "process.exec":
        // A fork can be lost; its child still says whose it is.
        if (entry.parent === undefined) this.#adopt(entry, event.parent);
        entry.execs.push(event);
        break;
      case "process.exec-failed":
        entry.failed.push(event);
        break;
      case "process.exit":
        entry.exit = event;
        break;
      case "process.survivor":
        entry.survived = true;
        break;
      default:
        entry.acts.push(event);
    }
  }

  #adopt(entry: ObservedProcess, parent: string): void {
    entry.parent = parent;
    const siblings = this.#children.get(parent);
    if (siblings === undefined) this.#children.set(parent, [entry.id]);
    else siblings.push(entry.id);
  }

  #entry(id: string): ObservedProcess {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const made: ObservedProcess = {
      id,
      parent: undefined,
      execs: [],
      failed: [],
      exit: undefined,
      survived: false,
      acts: [],
    };
    this.#byId.set(id, made);
    return made;
  }

  /** Processes that have `word` as one whole argument of one of their programs. */
  withArgument(word: string): ObservedProcess[] {
    return [...this.#byId.values()].filter((entry) => entry.execs.some((exec) => exec.argv.includes(word)));
  }

  /** `root` and all that descends from it, each with its distance. */
  *below(root: ObservedProcess, depth = 0): Generator<{ entry: ObservedProcess; depth: number }> {
    yield { entry: root, depth };
    for (const id of this.#children.get(root.id) ?? []) yield* this.below(this.#entry(id), depth + 1);
  }
}

/** All facts of one case: of its first process what it did, of its descendants also their lives. */
export function factsBelow(processes: ObservedProcesses, root: ObservedProcess, classes: readonly FactClass[]): Fact[] {
  const facts: Fact[] = [];
  if (classes.includes("stdio")) facts.push(...joinsOf([...processes.below(root)].map(({ entry }) => entry)));
  for (const { entry, depth } of processes.below(root)) {
    if (depth > 0 && classes.includes("process")) facts.push(lifeOf(entry, depth));
    // One by one: as arguments of one call they could be too many.
    for (const act of actsOf(entry, classes)) facts.push(act);
  }
  return facts;
}

/** The events of a call that make this fact; none of a life, which is made of many. */
export function eventsBelow(processes: ObservedProcesses, root: ObservedProcess, one: Fact): CaptureEvent[] {
  return [...processes.below(root)].flatMap(({ entry }) => entry.acts.filter((act) => factOf(act) === one));
}

function actsOf(entry: ObservedProcess, classes: readonly FactClass[]): Fact[] {
  const facts: Fact[] = [];
  for (const act of entry.acts) {
    if (isOfLibrary(act)) continue;
    const said = classes.includes(classOf(act)) ? factOf(act) : undefined;
    if (said !== undefined) facts.push(said);
  }
  return facts;
}

/** The C library asks for a daemon that caches names of users, whoever uses it. */
function isOfLibrary(event: CaptureEvent): boolean {
  return event.kind === "net.connect" && event.remote === "/var/run/nscd/socket";
}

function classOf(event: CaptureEvent): FactClass {
  if (event.kind.startsWith("file.")) return "file";
  return event.kind.startsWith("net.") ? "network" : "security";
}

/** How an argument is told: long ones by their beginning. */
export const ARGUMENT_SHOWN = 64;

function lifeOf(entry: ObservedProcess, depth: number): Fact {
  return fact("process", {
    depth,
    execs: entry.execs.map(execOf),
    failed: entry.failed.map((event) => [exactBytes(event, "path") ?? event.path, event.errno]),
    end: endOf(entry),
  });
}

function execOf(event: EventOf<"process.exec">): Record<string, unknown> {
  const argv =
    event.argv_b64?.map((text) => Buffer.from(text, "base64")) ?? event.argv.map((text) => Buffer.from(text));
  return {
    exe: event.exe.replace(/^\/usr\/bin\/python3\.\d+$/, "/usr/bin/python3"),
    argv: argv.map((bytes) => bytes.subarray(0, ARGUMENT_SHOWN)),
    argv_bytes: event.argv_bytes,
    cwd: exactBytes(event, "cwd") ?? event.cwd,
    memfd: event.memfd,
    written_in_run: event.written_in_run,
    script: event.script,
    interpreter: event.interpreter,
  };
}

function endOf({ exit, survived }: ObservedProcess): string {
  if (survived) return "survivor";
  if (exit === undefined) return "not seen";
  return exit.signal === null ? `exit ${exit.code}` : `signal ${exit.signal}`;
}
