import { type ChildProcess, type ExecFileException, execFile } from "node:child_process";
import { errorMessage } from "./errors.ts";

export interface ExecOptions {
  cwd?: string;
  /** Added to our own environment; with `extendEnv: false` it is the whole environment. */
  env?: Record<string, string>;
  extendEnv?: boolean;
  input?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Most bytes kept of each output stream; default 8 MiB. */
  maxOutputBytes?: number;
}

export interface ExecResult {
  /** `null` when the program was killed or could not be started. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** Why it could not be started or ended early, in words. */
  failure: string | undefined;
}

/** A program that ignores being asked to end is killed after this time. */
const GRACE_MS = 5000;
const DEFAULT_OUTPUT_BYTES = 8 << 20;

/**
 * Runs a program to its end and returns what happened; never throws because of the program.
 * Arguments go to the program as they are: there is no shell. Node's own call and no library: every start of the command
 * line comes through here, and loading one takes longer (60 ms, measured) than the programs that are run.
 */
export function exec(file: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const { promise, resolve } = Promise.withResolvers<ExecResult>();
  const stop = new Stop();
  const settings = {
    encoding: "utf8" as const,
    maxBuffer: options.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES,
    ...(options.extendEnv === false ? { env: { ...options.env } } : {}),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  };
  const [program, allArgs] = options.extendEnv === false ? [file, args] : withVariables(file, args, options.env);
  const onEnd = (error: ExecFileException | null, stdout: string, stderr: string): void => {
    stop.dispose();
    const failure = stop.reason ?? (error === null ? undefined : failureOf(error));
    // A program that is asked to end may do so with 0, which must not pass for success.
    const exitCode = stop.reason === undefined ? exitCodeOf(error) : null;
    resolve({ exitCode, stdout, stderr, failure: failure === undefined ? undefined : `${file} ${failure}` });
  };
  let child: ChildProcess;
  try {
    child = execFile(program, [...allArgs], settings, onEnd);
  } catch (error) {
    // Node throws at once where the system refuses for other reasons than that there is no such program: no memory, for one.
    const failure = `${file} could not be started: ${errorMessage(error)}`;
    return Promise.resolve({ exitCode: null, stdout: "", stderr: "", failure });
  }
  stop.watch(child, options);
  // It may end without reading its input; its exit code tells the story.
  child.stdin?.on("error", () => {});
  child.stdin?.end(options.input);
  return promise;
}

/** The program with more variables than ours has, by way of `env`: this layer does not read the environment. */
function withVariables(file: string, args: readonly string[], env: Record<string, string> = {}) {
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? ([file, args] as const) : (["env", [...pairs, file, ...args]] as const);
}

/** Ends a program at its time limit, or when it is cancelled. */
class Stop {
  reason: string | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  #unlisten = (): void => {};

  watch(child: ChildProcess, { timeoutMs, signal }: ExecOptions): void {
    const end = (reason: string): void => {
      this.reason ??= reason;
      child.kill("SIGTERM");
      this.#timers.push(setTimeout(() => child.kill("SIGKILL"), GRACE_MS));
    };
    if (timeoutMs !== undefined) {
      this.#timers.push(setTimeout(() => end(`did not end within ${timeoutMs / 1000} s`), timeoutMs));
    }
    const cancel = (): void => end("was cancelled");
    if (signal?.aborted === true) return cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    this.#unlisten = () => signal?.removeEventListener("abort", cancel);
  }

  dispose(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#unlisten();
  }
}

function exitCodeOf(error: ExecFileException | null): number | null {
  if (error === null) return 0;
  return typeof error.code === "number" ? error.code : null;
}

function failureOf(error: ExecFileException): string {
  if (typeof error.code === "number") return `ended with exit code ${error.code}`;
  if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return "printed more than can be taken in";
  if (typeof error.signal === "string") return `was ended by ${error.signal}`;
  return `could not be started: ${error.message}`;
}
