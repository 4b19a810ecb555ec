import { type ChildProcessByStdio, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Readable, Writable } from "node:stream";
import { CaptureError } from "../../core/errors.ts";
import { readProc } from "../polling/proc-file.ts";
import { type ListenerLine, listenerLine } from "./line.ts";

/** Where the program stands below the directory that this package came in. */
export function listenerProgram(packageRoot: string): string {
  return path.join(packageRoot, "native", "seccomp-listener", "build", "capture-seccomp-listener");
}

export interface ListenerEvents {
  onLine(line: ListenerLine): void;
}

const MAX_STDERR_CHARS = 2000;
/** Longest line: arguments and environment of a call, in hex. */
const MAX_LINE_BYTES = 1 << 20;
const NEWLINE = 0x0a;

/** The listener and its guardian: they stay until the container is gone, whatever becomes of this process. */
export class ListenerProcess {
  /** Pid of the guardian that was started first. */
  readonly pid: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #events: ListenerEvents;
  readonly #closed = Promise.withResolvers<void>();
  readonly #listening = Promise.withResolvers<void>();
  readonly #taken = Promise.withResolvers<void>();
  #rest: Buffer = Buffer.alloc(0);
  #guardian = 0;
  #stderr = "";
  #faults = 0;
  #lines = 0;

  constructor(program: string, socket: string, events: ListenerEvents) {
    this.#events = events;
    // In a session of its own: a signal to the terminal must not reach it, for the agent waits for its answers.
    this.#child = spawn(program, [socket], { stdio: ["pipe", "pipe", "pipe"], detached: true });
    this.pid = this.#child.pid ?? 0;
    this.#child.unref();
    this.#child.stdin.on("error", () => {}); // it may be gone; its end is told below
    this.#child.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (this.#stderr.length < MAX_STDERR_CHARS) this.#stderr += text;
    });
    this.#child.on("error", (error) => this.#close(error.message));
    // Not `exit`: when the guardian is killed the worker takes its place, with the same pipes.
    this.#child.on("close", () => this.#close("it ended"));
    for (const { promise } of [this.#listening, this.#taken]) promise.catch(() => {});
  }

  /** Resolves when a runtime can connect. Rejects with CaptureError when it can't be used here. */
  get listening(): Promise<void> {
    return this.#listening.promise;
  }

  /** Resolves when the runtime has handed the notifications over. */
  get taken(): Promise<void> {
    return this.#taken.promise;
  }

  /** Resolves when guardian and worker are gone, after their last line. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Lines that could not be read. */
  get faults(): number {
    return this.#faults;
  }

  /** Lines that came, those that could not be read included. */
  get lines(): number {
    return this.#lines;
  }

  /** Lets the guardian go on where something has stopped it; it looks after the rest. */
  wake(): void {
    const known = stateOf(this.#guardian);
    if (known?.isStopped === true) resume(this.#guardian);
    if (known !== undefined) return;
    // Another one has taken its place and may have been stopped before it could say so.
    for (const name of fs.readdirSync("/proc")) {
      const state = stateOf(Number(name));
      if (state?.session === this.pid && state.isStopped) resume(Number(name));
    }
  }

  /** Says that nobody will listen any more. It ends when the container does. */
  release(): void {
    this.#child.stdin.end();
  }

  /** Takes nothing more from it; it goes on answering. */
  abandon(): void {
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  #take(chunk: Buffer): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let at = data.indexOf(NEWLINE); at !== -1; at = data.indexOf(NEWLINE)) {
      this.#lines++;
      this.#read(data.toString("latin1", 0, at));
      data = data.subarray(at + 1);
    }
    if (data.length > MAX_LINE_BYTES) {
      this.#faults++;
      data = Buffer.alloc(0);
    }
    this.#rest = data;
  }

  /** A line that can't be used is counted as missing: it must not end the run. */
  #read(text: string): void {
    try {
      const line: ListenerLine = listenerLine.parse(JSON.parse(text));
      if (line.k === "listening") this.#listening.resolve();
      if (line.k === "taken") this.#taken.resolve();
      if (line.k === "guard") this.#guardian = line.pid;
      this.#events.onLine(line);
    } catch {
      this.#faults++;
    }
  }

  #close(what: string): void {
    const reason = this.#stderr.trim() || what;
    const error = new CaptureError("sensor-unavailable", `the seccomp listener can't be used: ${reason}`, {
      hint: "build it again: scripts/build-sensor.sh; or leave --sensor out to use what works here",
    });
    this.#listening.reject(error);
    this.#taken.reject(error);
    this.#closed.resolve();
  }
}

/** Undefined: there is no such process of the listener's program. */
function stateOf(pid: number): { isStopped: boolean; session: number } | undefined {
  const stat = pid > 0 ? (readProc(`/proc/${pid}/stat`)?.toString("latin1") ?? "") : "";
  if (!stat.includes("(capture-seccomp")) return undefined;
  const [state = "", , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" || state === "X" ? undefined : { isStopped: /[Tt]/.test(state), session: Number(session) };
}

function resume(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch {
    // It has ended meanwhile.
  }
}
