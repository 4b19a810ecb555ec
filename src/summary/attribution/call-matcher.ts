import { READING_TOOLS } from "./agent-machinery.ts";
import type { CallCause, Confidence, NoCause } from "./cause.ts";
import { FetchedHosts } from "./fetched-hosts.ts";
import { type GatewayCall, openAt, SLACK_MS } from "./gateway-calls.ts";

const MOST_ABOVE = 32;

/** Finds the call that explains what the agent's own process did: a program that it started, a file it wrote. */
export class CallMatcher {
  readonly #byCommand = new Map<string, GatewayCall[]>();
  readonly #byPath = new Map<string, GatewayCall[]>();
  /** Directories above files that calls write. */
  readonly #byDirectory = new Map<string, GatewayCall[]>();
  readonly #searches: GatewayCall[] = [];
  readonly #ran = new Set<string>();
  /** Calls that were tied to a shell by a guess: what is left of their equals is a guess too. */
  readonly #guessed = new Set<string>();
  /** Call and path of writes that are over. */
  readonly #wrote = new Set<string>();
  readonly #failed: ReadonlySet<string>;
  readonly #first: GatewayCall | undefined;
  readonly hosts: FetchedHosts;

  /** @param failed keys of calls that failed by the agent's word. It decides only between calls that explain a write equally well. */
  constructor(calls: readonly GatewayCall[], searchTools: ReadonlySet<string>, failed: ReadonlySet<string>) {
    this.#first = calls[0];
    this.#failed = failed;
    this.hosts = new FetchedHosts(calls);
    for (const call of calls) {
      if (call.command !== undefined) push(this.#byCommand, call.command, call);
      for (const one of call.paths) push(this.#byPath, one, call);
      if (!READING_TOOLS.has(call.tool)) {
        for (const dir of new Set(call.paths.flatMap(directoriesAbove))) push(this.#byDirectory, dir, call);
      }
      if (searchTools.has(call.tool)) this.#searches.push(call);
    }
  }

  /**
   * The shell tool's process. Each call explains one shell: a second one with the same command is tied to the next open
   * call that asks for it, or to none.
   * @param mark MAS_CALL_ID of the process. It decides only between calls that explain the shell equally well.
   */
  shell(command: string, atMs: number, mark: string | undefined): CallCause | NoCause {
    const open = openAt(this.#byCommand.get(command) ?? [], atMs);
    const free = open.filter((call) => !this.#ran.has(call.key));
    const call = free.find((one) => one.callId !== null && one.callId === mark) ?? free[0];
    if (call === undefined) return open.length > 0 ? { kind: "none", why: "command-ran-twice" } : this.none(atMs);
    this.#ran.add(call.key);
    // Equal commands of one answer change places without a trace. A mark is a claim: it is sure where the order agrees.
    const isClear = free.length === 1 || (call.callId === mark && call === free[0]);
    const isSure = isClear && !open.some((one) => this.#guessed.has(one.key));
    if (!isSure) this.#guessed.add(call.key);
    return { kind: "call", call, method: "command", confidence: isSure ? "high" : "medium" };
  }

  /** A search program that the agent started. */
  search(argv: readonly string[], atMs: number): CallCause | NoCause {
    const open = openAt(this.#searches, atMs);
    const fitting = open.filter(({ pattern }) => pattern !== undefined && argv.some((arg) => holds(arg, pattern)));
    const call = fitting[0] ?? open[0];
    if (call === undefined) return this.none(atMs);
    return { kind: "call", call, method: "helper", confidence: fitting.length === 1 ? "high" : "medium" };
  }

  /**
   * A file that the agent's own process touched. Two open calls that write the same file do it one after the other: the
   * first is done when the file is closed.
   * @param access `read`; `write`: also the beginning of it; `written`: that write is over.
   */
  file(paths: readonly string[], atMs: number, access: "read" | "write" | "written"): CallCause | NoCause {
    for (const one of paths) {
      const named = openAt(this.#byPath.get(one) ?? [], atMs);
      // An edit reads first; what only reads never writes.
      const able = named.filter((call) => READING_TOOLS.has(call.tool) === (access === "read"));
      const succeeded = able.filter((call) => !this.#failed.has(call.key));
      const fitting = succeeded.length > 0 ? succeeded : able;
      const left = fitting.filter((call) => !this.#wrote.has(`${call.key} ${one}`));
      const call = left[0] ?? fitting.at(-1) ?? (access === "read" ? named[0] : undefined);
      if (call === undefined) continue;
      if (access === "written") this.#wrote.add(`${call.key} ${one}`);
      const confidence: Confidence = able.length === 1 ? "high" : "medium";
      return { kind: "call", call, method: "path", confidence };
    }
    return this.none(atMs);
  }

  /** A directory that the agent's own process made: one above a file that an open call writes. */
  directory(dir: string, atMs: number): CallCause | NoCause {
    const able = openAt(this.#byDirectory.get(dir) ?? [], atMs);
    const [call] = able;
    if (call === undefined) return this.none(atMs);
    return { kind: "call", call, method: "path", confidence: able.length === 1 ? "high" : "medium" };
  }

  /** A host that the agent's own process contacted or looked up. */
  host(remote: string, atMs: number): CallCause | NoCause {
    return this.hosts.match(remote, atMs) ?? this.none(atMs);
  }

  none(atMs: number): NoCause {
    return { kind: "none", why: this.hasBegun(atMs) ? "no-call" : "before-any-call" };
  }

  /** The model has asked for a first call. */
  hasBegun(atMs: number): boolean {
    return this.#first !== undefined && atMs + SLACK_MS >= this.#first.fromMs;
  }

  /** The agent still looks around in the working copy: it does so beside its first call. */
  isStarting(atMs: number): boolean {
    return this.#first === undefined || atMs <= this.#first.untilMs + SLACK_MS;
  }
}

/** The nearest ones; no tool makes more of them. */
function directoriesAbove(file: string): string[] {
  const parts = file.split("/").slice(0, -1);
  const depths = Array.from({ length: Math.min(MOST_ABOVE, parts.length - 1) }, (_, up) => parts.length - up);
  return depths.map((depth) => parts.slice(0, depth).join("/"));
}

/** The pattern itself, or as the value of an option. */
function holds(arg: string, pattern: string): boolean {
  return arg === pattern || (arg.startsWith("-") && arg.endsWith(`=${pattern}`));
}

function push(map: Map<string, GatewayCall[]>, key: string, call: GatewayCall): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [call]);
  else known.push(call);
}
