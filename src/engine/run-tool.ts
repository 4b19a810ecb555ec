import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { printable } from "./engine-command.ts";

const TAIL_LINES = 25;
const LINE_CHARS = 400;
const TERM_GRACE_MS = 30_000;
/** A child that outlives a killed tool may hold its output open; nobody waits longer for it. */
const DRAIN_MS = 1_000;

export interface ToolOptions {
  cwd?: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  /** Ends the tool and its process group, by default at once (SIGKILL): the caller removes what it leaves. */
  signal?: AbortSignal | undefined;
  /** SIGTERM lets it clean up first; it has 30 seconds. */
  killSignal?: "SIGKILL" | "SIGTERM";
  /** Every line of both output streams, made printable. */
  onLine?: ((line: string) => void) | undefined;
}

export interface ToolResult {
  ok: boolean;
  /** How it ended, in words, when not ok. */
  failure: string;
  /** The last lines of its output. */
  tail: readonly string[];
}

/** Runs a long tool to its end, passing its output on line by line; never throws because of the tool. */
export async function runTool(file: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
  if (options.signal?.aborted) return { ok: false, failure: "interrupted", tail: [] };
  const tail: string[] = [];
  const [program = file, ...rest] = withEnvironment(file, args, options.env);
  const child = spawn(program, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, to be ended as a whole.
    detached: true,
    cwd: options.cwd,
  });
  const stop = endGroupOn(options.signal, child.pid, options.killSignal ?? "SIGKILL");
  const onLine = (raw: string): void => {
    const line = printable(raw.slice(0, LINE_CHARS));
    if (line === "") return;
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    options.onLine?.(line);
  };
  const streams = [child.stdout, child.stderr];
  const reading = Promise.all(streams.map((stream) => readLines(stream, onLine)));
  const failure = await ending(child);
  stop();
  const drain = setTimeout(() => streams.map((stream) => stream.destroy()), DRAIN_MS);
  await reading;
  clearTimeout(drain);
  return { ok: failure === "", failure, tail };
}

function withEnvironment(file: string, args: readonly string[], env: Record<string, string> | undefined): string[] {
  if (env === undefined) return [file, ...args];
  return ["env", ...Object.entries(env).map(([key, value]) => `${key}=${value}`), file, ...args];
}

/** How the process ended, in words; empty for exit code 0. */
function ending(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(printable(error.message)));
    child.once("exit", (code, signal) => {
      if (signal !== null) resolve(`ended by ${signal}`);
      else resolve(code === 0 ? "" : `exit code ${code}`);
    });
  });
}

/** Ends a whole process group when `signal` fires; the returned function takes that back. */
function endGroupOn(signal: AbortSignal | undefined, pid: number | undefined, how: NodeJS.Signals): () => void {
  if (signal === undefined || pid === undefined) return () => {};
  let forced: NodeJS.Timeout | undefined;
  const send = (name: NodeJS.Signals): void => {
    try {
      process.kill(-pid, name);
    } catch {
      // It is gone already.
    }
  };
  const onAbort = (): void => {
    send(how);
    forced = setTimeout(() => send("SIGKILL"), TERM_GRACE_MS);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return () => {
    signal.removeEventListener("abort", onAbort);
    clearTimeout(forced);
  };
}

/**
 * The same command in a mount and process namespace of its own: killed at any moment, also together with this process,
 * it leaves no process and no mount. Needs root; util-linux is on every Linux system.
 */
export function inOwnNamespaces(file: string, args: readonly string[]): { file: string; args: readonly string[] } {
  const own = ["unshare", "--mount-proc", "--pid", "--fork", "--kill-child", "--", file, ...args];
  return { file: "setpriv", args: ["--pdeathsig", "KILL", "--", ...own] };
}

/** Splits into lines, of which only the beginning is kept. */
async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  let line = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const parts = chunk.split(/\r\n|\r|\n/);
    for (const [index, part] of parts.entries()) {
      if (index > 0) {
        onLine(line);
        line = "";
      }
      if (line.length < LINE_CHARS) line += part.slice(0, LINE_CHARS);
    }
  });
  await new Promise((resolve) => stream.once("close", resolve));
  onLine(line);
}
