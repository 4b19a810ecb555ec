import { execa } from "execa";
import { printable } from "./engine-command.ts";

const TAIL_LINES = 25;
const LINE_CHARS = 400;
const TERM_GRACE_MS = 30_000;

export interface ToolOptions {
  cwd?: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  /** Ends the tool, by default at once (SIGKILL): the caller removes what it leaves. */
  signal?: AbortSignal | undefined;
  /** SIGTERM lets it clean up first; it has 30 seconds. */
  killSignal?: "SIGKILL" | "SIGTERM";
  timeoutMs?: number;
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
  const tail: string[] = [];
  const child = execa(file, args, {
    reject: false,
    all: true,
    buffer: false,
    stdin: "ignore",
    killSignal: options.killSignal ?? "SIGKILL",
    forceKillAfterDelay: TERM_GRACE_MS,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
  });
  const reading = readLines(child.iterable({ from: "all" }), (line) => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    options.onLine?.(line);
  });
  const result = await child;
  await reading;
  return { ok: result.exitCode === 0, failure: result.failed ? printable(result.shortMessage ?? "") : "", tail };
}

/** A killed tool can break its streams off; what was read until then is enough. */
async function readLines(lines: AsyncIterable<string>, onLine: (line: string) => void): Promise<void> {
  try {
    for await (const raw of lines) {
      const line = printable(raw.slice(0, LINE_CHARS));
      if (line !== "") onLine(line);
    }
  } catch {
    // The end of the tool itself tells what happened.
  }
}
