import { READING_TOOLS } from "./agent-machinery.ts";
import type { CallCause, Confidence, NoCause } from "./cause.ts";
import type { GatewayCall } from "./gateway-calls.ts";

/** Clocks of gateway and kernel are the same machine's; this is for the rounding of both. */
const SLACK_MS = 100;

/** Finds the call that explains what the agent's own process did: a program that it started, a file it wrote. */
export class CallMatcher {
  readonly #byCommand = new Map<string, GatewayCall[]>();
  readonly #byPath = new Map<string, GatewayCall[]>();
  readonly #searches: GatewayCall[] = [];
  readonly #fetches: GatewayCall[] = [];
  readonly #ran = new Set<string>();
  /** Call and path of writes that are over. */
  readonly #wrote = new Set<string>();
  readonly #first: GatewayCall | undefined;

  constructor(calls: readonly GatewayCall[], searchTools: ReadonlySet<string>) {
    this.#first = calls[0];
    for (const call of calls) {
      if (call.command !== undefined) push(this.#byCommand, call.command, call);
      for (const one of call.paths) push(this.#byPath, one, call);
      if (searchTools.has(call.tool)) this.#searches.push(call);
      if (call.host !== undefined) this.#fetches.push(call);
    }
  }

  /**
   * The shell tool's process. Each call explains one shell: a second one with the same command is tied to the next open
   * call that asks for it, or to none.
   * @param mark MAS_CALL_ID of the process. It decides only between calls that explain the shell equally well.
   */
  shell(command: string, atMs: number, mark: string | undefined): CallCause | NoCause {
    const open = (this.#byCommand.get(command) ?? []).filter((call) => isOpen(call, atMs));
    const free = open.filter((call) => !this.#ran.has(call.key));
    const call = free.find((one) => one.callId !== null && one.callId === mark) ?? free[0];
    if (call === undefined) return open.length > 0 ? { kind: "none", why: "command-ran-twice" } : this.none(atMs);
    this.#ran.add(call.key);
    // Equal commands of one answer change places without a trace, so without a mark it is a guess which is which.
    const confidence: Confidence = free.length === 1 || call.callId === mark ? "high" : "medium";
    return { kind: "call", call, method: "command", confidence };
  }

  /** A search program that the agent started. */
  search(argv: readonly string[], atMs: number): CallCause | NoCause {
    const open = this.#searches.filter((call) => isOpen(call, atMs));
    const fitting = open.filter((call) => call.pattern !== undefined && argv.includes(call.pattern));
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
      const named = (this.#byPath.get(one) ?? []).filter((call) => isOpen(call, atMs));
      // An edit reads first; what only reads never writes.
      const fitting = named.filter((call) => READING_TOOLS.has(call.tool) === (access === "read"));
      const left = fitting.filter((call) => !this.#wrote.has(`${call.key} ${one}`));
      const call = left[0] ?? fitting.at(-1) ?? (access === "read" ? named[0] : undefined);
      if (call === undefined) continue;
      if (access === "written") this.#wrote.add(`${call.key} ${one}`);
      return { kind: "call", call, method: "path", confidence: fitting.length === 1 ? "high" : "medium" };
    }
    return this.none(atMs);
  }

  /** A directory that the agent's own process made: one above a file that an open call names. */
  directory(dir: string, atMs: number): CallCause | NoCause {
    for (const [file, calls] of this.#byPath) {
      if (!file.startsWith(`${dir}/`)) continue;
      const call = calls.find((one) => isOpen(one, atMs));
      if (call !== undefined) return { kind: "call", call, method: "path", confidence: "high" };
    }
    return this.none(atMs);
  }

  /** A host that the agent's own process contacted or looked up. */
  host(remote: string, atMs: number): CallCause | NoCause {
    const open = this.#fetches.filter((call) => isOpen(call, atMs));
    const named = open.filter((call) => remote === call.host || remote.endsWith(`:${call.port}`));
    const call = named[0];
    if (call === undefined) return this.none(atMs);
    const exact = named.length === 1 && (remote === call.host || remote === `${call.host}:${call.port}`);
    return { kind: "call", call, method: "host", confidence: exact ? "high" : "medium" };
  }

  none(atMs: number): NoCause {
    const isBefore = this.#first === undefined || atMs + SLACK_MS < this.#first.fromMs;
    return { kind: "none", why: isBefore ? "before-any-call" : "no-call" };
  }

  /** The agent still looks around in the working copy: it does so beside its first call. */
  isStarting(atMs: number): boolean {
    return this.#first === undefined || atMs <= this.#first.untilMs + SLACK_MS;
  }
}

function isOpen(call: GatewayCall, atMs: number): boolean {
  return atMs >= call.fromMs - SLACK_MS && atMs <= call.untilMs + SLACK_MS;
}

function push(map: Map<string, GatewayCall[]>, key: string, call: GatewayCall): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [call]);
  else known.push(call);
}
