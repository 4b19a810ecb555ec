import type { CaptureEvent, EventOf } from "../../schema/event.ts";
import {
  isInstructions,
  isInWorkspace,
  isOnTheWay,
  isOwnHelper,
  isOwnPath,
  isRepositoryStore,
  isSearchProgram,
  SEARCH_TOOLS,
  shellCommand,
} from "./agent-machinery.ts";
import { CallMatcher } from "./call-matcher.ts";
import type { AgentCause, Cause } from "./cause.ts";
import type { GatewayCall } from "./gateway-calls.ts";
import { accessOf, isOwnLook, isUnheardOf, type ProcessEvent } from "./process-event.ts";
import { isLookUp } from "./refusal.ts";

/** One process of the container, as far as attribution needs it. */
interface Node {
  /** undefined: a child of the agent that has not run a program of its own yet, and the agent itself. */
  cause: Cause | undefined;
  /** MAS_CALL_ID at the last exec, its own or its parent's: a claim. */
  mark: string | undefined;
  /** It is the shell of its call. */
  isShell: boolean;
  /** What its children inherit; made once. */
  passedOn?: Cause | undefined;
}

/** A claim in a process's environment that the evidence does not bear out. */
export interface MarkConflict {
  kind: "other-call" | "no-such-call" | "unbacked" | "scrubbed";
  seq: number;
  process: string;
  /** What the environment says. */
  mark: string;
  cause: Cause;
}

/** An event with what caused it. `cause` undefined: it is no effect (a fork, an exit), or about the sensor. */
export interface AttributedEvent {
  event: CaptureEvent;
  atMs: number;
  cause: Cause | undefined;
  /** The event is about the very shell of a call: its exec or its exit. */
  isShell: boolean;
  conflict: MarkConflict | undefined;
  /** A process begins here: to what it was tied when it was made, or by its first program. */
  started?: Cause | undefined;
}

/** Most changed paths that are remembered; reads of later ones stay unattributed. */
const MOST_CHANGED = 50_000;

/**
 * Ties the events of a run to the tool calls that caused them, one after the other in the order of the file. Rests on the
 * gateway's record and the kernel's; what the agent's side says (MAS_CALL_ID) only decides between equally good answers,
 * and is compared. Memory grows with the number of living processes and of calls.
 */
export class Attributor {
  readonly #matcher: CallMatcher;
  readonly #callIds: ReadonlySet<string>;
  readonly #nodes = new Map<string, Node>();
  /** Sensitive files of the working copy that were changed: the agent's own index looks at them again. */
  readonly #changed = new Set<string>();
  #agent: string | undefined;
  #time = { text: "", ms: Number.NaN };

  /** @param failed keys of calls that failed by the agent's word: a claim, see `CallMatcher`. */
  constructor(calls: readonly GatewayCall[], failed: ReadonlySet<string> = new Set()) {
    this.#matcher = new CallMatcher(calls, SEARCH_TOOLS, failed);
    this.#callIds = new Set(calls.map((call) => call.callId).filter((id) => id !== null));
  }

  /** The process that runs OpenCode: the container's first. */
  get agentProcess(): string | undefined {
    return this.#agent;
  }

  add(event: CaptureEvent): AttributedEvent {
    const atMs = this.#millisecondsOf(event.time);
    if (!("process" in event)) return { event, atMs, cause: undefined, isShell: false, conflict: undefined };
    switch (event.kind) {
      case "process.fork":
        return { ...this.#plain(event, atMs), started: this.#fork(event).cause };
      case "process.found":
        if (event.container_pid === 1) this.#agent ??= event.process;
        this.#nodes.set(event.process, this.#childOf(event.parent));
        return this.#plain(event, atMs);
      case "process.exec":
        return this.#exec(event, atMs);
      case "process.exit":
      case "process.survivor":
        return this.#end(event, atMs);
      default:
        this.#rememberChange(event);
        this.#learnAddress(event);
        return { event, atMs, cause: this.#causeOf(event, atMs), isShell: false, conflict: undefined };
    }
  }

  /** Events of one millisecond are many. */
  #millisecondsOf(time: string): number {
    if (time === this.#time.text) return this.#time.ms;
    const ms = Date.parse(time);
    this.#time = { text: time, ms };
    return ms;
  }

  #learnAddress(event: CaptureEvent): void {
    if (event.kind !== "net.dns-answer") return;
    const name = event.questions[0]?.name;
    if (name !== undefined) for (const { data } of event.answers) this.#matcher.hosts.learn(name, data);
  }

  #rememberChange(event: ProcessEvent): void {
    if (!("path" in event) || accessOf(event) === "read" || this.#changed.size >= MOST_CHANGED) return;
    // Of other files no read is recorded. What a file is renamed to is not looked at there.
    if (!("to" in event) && !("sensitive" in event && event.sensitive === true)) return;
    // What failed changed nothing.
    if ("errno" in event && event.errno !== undefined) return;
    for (const path of "to" in event ? [event.path, event.to] : [event.path]) {
      if (isInWorkspace(path)) this.#changed.add(path);
    }
  }

  #plain(event: ProcessEvent, atMs: number): AttributedEvent {
    return { event, atMs, cause: undefined, isShell: false, conflict: undefined };
  }

  #fork(event: EventOf<"process.fork">): Node {
    if (event.container_pid === 1) this.#agent ??= event.process;
    // Whoever made it, not whom the kernel calls its parent: CLONE_PARENT gives a child to the maker's parent, which may be the agent.
    const node = this.#childOf(event.made_by ?? event.parent);
    this.#nodes.set(event.process, node);
    return node;
  }

  #childOf(parent: string): Node {
    if (parent === this.#agent) return { cause: undefined, mark: undefined, isShell: false };
    const known = this.#nodes.get(parent);
    if (known === undefined) return { cause: { kind: "none", why: "unknown-parent" }, mark: undefined, isShell: false };
    known.passedOn ??= inherited(known.cause);
    return { cause: known.passedOn, mark: known.mark, isShell: false };
  }

  #exec(event: EventOf<"process.exec">, atMs: number): AttributedEvent {
    if (event.container_pid === 1) this.#agent ??= event.process;
    if (event.process === this.#agent) {
      // Its start. Later it runs no other program in its own place.
      const cause: Cause = this.#matcher.hasBegun(atMs) ? this.#matcher.none(atMs) : { kind: "agent", what: "program" };
      return { event, atMs, cause, isShell: false, conflict: undefined };
    }
    const node = this.#nodes.get(event.process) ?? this.#childOf(event.parent);
    this.#nodes.set(event.process, node);
    const isStart = node.cause === undefined;
    node.cause ??= this.#startedByAgent(event, atMs);
    // A look at the repository that runs another program, as the repository's configuration can make it, is a look no more.
    if (node.cause.kind === "agent" && !isOwnHelper(event)) node.cause = this.#matcher.none(atMs);
    node.isShell ||= isStart && node.cause.kind === "call" && node.cause.method === "command";
    const conflict = this.#conflict(event, node.cause, node.mark);
    node.mark = event.call_id;
    const started = isStart ? node.cause : undefined;
    return { event, atMs, cause: node.cause, isShell: isStart && node.isShell, conflict, started };
  }

  /** A program that the agent's own process started: the shell of a call, a helper, or something that no call asked for. */
  #startedByAgent(event: EventOf<"process.exec">, atMs: number): Cause {
    const command = shellCommand(event);
    if (command !== undefined) return this.#matcher.shell(command, atMs, event.call_id);
    if (isSearchProgram(event)) return this.#matcher.search(event.argv, atMs);
    if (isOwnHelper(event)) return { kind: "agent", what: "repository" };
    return this.#matcher.none(atMs);
  }

  #end(event: EventOf<"process.exit"> | EventOf<"process.survivor">, atMs: number): AttributedEvent {
    const node = this.#nodes.get(event.process);
    this.#nodes.delete(event.process);
    const isEffect = event.kind === "process.survivor";
    const cause = isEffect || node?.isShell === true ? node?.cause : undefined;
    return { event, atMs, cause, isShell: node?.isShell ?? false, conflict: undefined };
  }

  /** What caused an effect of a process that already runs. */
  #causeOf(event: ProcessEvent, atMs: number): Cause {
    if (event.process !== this.#agent) {
      const node = this.#nodes.get(event.process);
      if (node === undefined) return { kind: "none", why: "unknown-parent" };
      if (node.cause?.kind === "agent") return isOwnLook(event) ? node.cause : this.#matcher.none(atMs);
      if (node.cause !== undefined) return node.cause;
    }
    return this.#byAgent(event, atMs);
  }

  /** Something the agent's own process did, by itself or for a tool that runs inside it. */
  #byAgent(event: ProcessEvent, atMs: number): Cause {
    if ("role" in event && event.role === "model-gateway") return { kind: "agent", what: "model" };
    if (event.kind.startsWith("net.")) return this.#contact(event, atMs);
    if (!("path" in event)) return isUnheardOf(event) ? this.#matcher.none(atMs) : { kind: "agent", what: "program" };
    const found = this.#matcher.file("to" in event ? [event.to, event.path] : [event.path], atMs, accessOf(event));
    if (found.kind === "call") return found;
    const made = event.kind === "file.mkdir" ? this.#matcher.directory(event.path, atMs) : found;
    return made.kind === "call" ? made : (this.#ownDoing(event, atMs) ?? found);
  }

  /** What the agent's own process does to files of its own accord. */
  #ownDoing(event: Extract<ProcessEvent, { path: string }>, atMs: number): AgentCause | undefined {
    const { kind, path } = event;
    if (isOwnPath(path)) return { kind: "agent", what: "own-files" };
    // A file of the kernel's that has no name in the container: shared memory.
    if ("path_foreign" in event) return { kind: "agent", what: "program" };
    if (isLookUp(event)) return { kind: "agent", what: "program" };
    if (kind === "file.mkdir") return isOnTheWay(path) ? { kind: "agent", what: "own-files" } : undefined;
    if (kind !== "file.open" || event.access !== "read") return undefined;
    if (isRepositoryStore(path)) return { kind: "agent", what: "repository" };
    if (isInstructions(path)) return { kind: "agent", what: "program" };
    const looksAround = isInWorkspace(path) && this.#matcher.isStarting(atMs);
    return looksAround || this.#changed.has(path) ? { kind: "agent", what: "program" } : undefined;
  }

  #contact(event: ProcessEvent, atMs: number): Cause {
    if ("questions" in event) return this.#matcher.host(event.questions[0]?.name ?? "", atMs);
    return this.#matcher.host("remote" in event ? event.remote : "", atMs);
  }

  #conflict(event: EventOf<"process.exec">, cause: Cause, before: string | undefined): MarkConflict | undefined {
    const { call_id: mark, seq, process } = event;
    if (mark === undefined)
      return before === undefined ? undefined : { kind: "scrubbed", seq, process, mark: before, cause };
    const about = { seq, process, mark, cause };
    if (!this.#callIds.has(mark)) return { kind: "no-such-call", ...about };
    if (cause.kind !== "call") return { kind: "unbacked", ...about };
    return cause.call.callId === null || cause.call.callId === mark ? undefined : { kind: "other-call", ...about };
  }
}

/** A child's cause is its parent's, and the way to know it is the line of descent. */
function inherited(cause: Cause | undefined): Cause | undefined {
  return cause?.kind === "call" ? { ...cause, method: "ancestry" } : cause;
}
