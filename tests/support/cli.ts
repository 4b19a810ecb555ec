import { type ChildProcess, spawn } from "node:child_process";
import * as path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "..", "..");
const MAIN = path.join(ROOT, "src", "cli", "main.ts");

export interface CliResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunningCli {
  child: ChildProcess;
  /** Resolves once standard error holds `text`. */
  seen(text: string): Promise<void>;
  ended: Promise<CliResult>;
}

/** Starts the real command line program. */
export function startCli(args: readonly string[], env: Record<string, string> = {}, cwd = ROOT): RunningCli {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<CliResult>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const seen = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!stderr.includes(text)) return;
        child.stderr.off("data", look);
        resolve();
      };
      child.stderr.on("data", look);
      void ended.then(() => reject(new Error(`the program ended before it said ${JSON.stringify(text)}:\n${stderr}`)));
      look();
    });
  return { child, seen, ended };
}

export function runCli(args: readonly string[], env: Record<string, string> = {}, cwd = ROOT): Promise<CliResult> {
  return startCli(args, env, cwd).ended;
}

/** The last line of standard output: the capture directory. */
export function captureDirOf(result: CliResult): string {
  const line = result.stdout.trim().split("\n").at(-1) ?? "";
  if (!path.isAbsolute(line))
    throw new Error(`no capture directory on standard output:\n${result.stdout}\n${result.stderr}`);
  return line;
}
