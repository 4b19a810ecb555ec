import { execa } from "execa";

export interface ExecOptions {
  cwd?: string;
  /** Replaces the environment unless `extendEnv` is left at its default. */
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

/**
 * Runs a program to its end and returns what happened; never throws because of the program.
 * Arguments go to the program as they are: there is no shell.
 */
export async function exec(file: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const result = await execa(file, args, {
    reject: false,
    stripFinalNewline: false,
    maxBuffer: options.maxOutputBytes ?? 8 << 20,
    extendEnv: options.extendEnv ?? true,
    ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  return {
    // A program that is asked to end may do so with 0, which must not pass for success.
    exitCode: result.timedOut || result.isCanceled ? null : (result.exitCode ?? null),
    stdout: result.stdout ?? "",
    stderr: result.stderr ?? "",
    failure: result.failed ? result.shortMessage : undefined,
  };
}
