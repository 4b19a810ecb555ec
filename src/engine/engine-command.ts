import { CaptureError } from "../core/errors.ts";
import { type ExecOptions, type ExecResult, exec } from "../core/exec.ts";
import type { EngineKind } from "./port.ts";

/** Enough for engine calls that only ask or change state; image work has no limit of its own. */
const CALL_TIMEOUT_MS = 120_000;

/** One engine's command line: program plus the arguments that stand before every sub-command. */
export interface EngineCommand {
  readonly kind: EngineKind;
  readonly bin: string;
  readonly globalArgs: readonly string[];
}

/** Runs an engine command to its end; never throws because of the engine. */
export function runEngine(
  command: EngineCommand,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  return exec(command.bin, [...command.globalArgs, ...args], { timeoutMs: CALL_TIMEOUT_MS, ...options });
}

/** Like `runEngine`, but anything except exit code 0 is a CaptureError; resolves to standard output. */
export async function mustRunEngine(
  command: EngineCommand,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<string> {
  const result = await runEngine(command, args, options);
  if (result.exitCode !== 0) throw engineFailure(command, args, result);
  return result.stdout;
}

/** The error of a failed engine command: which command, and the engine's own last words. */
export function engineFailure(command: EngineCommand, args: readonly string[], result: ExecResult): CaptureError {
  const words = failureWords(result);
  const hint = failureHint(command.kind, words);
  return new CaptureError(
    "engine-failed",
    `${command.kind} ${args[0] ?? ""} failed: ${words}`,
    hint === undefined ? {} : { hint },
  );
}

/** Why an engine command failed, on one printable line. */
export function failureWords(result: ExecResult): string {
  const said = lastLines(result.stderr) || lastLines(result.stdout);
  const how = result.exitCode === null ? (result.failure ?? "killed") : `exit code ${result.exitCode}`;
  return said === "" ? printable(how) : `${said} (${printable(how)})`;
}

function lastLines(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !/^time=".*level=warning/.test(line));
  return printable(lines.slice(-3).join(" | ")).slice(0, 1000);
}

/** Engine messages can repeat names out of an image: nothing in them may steer a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ").trim();
}

/** What mends the usual failures of an engine. */
export function failureHint(kind: EngineKind, words: string): string | undefined {
  if (/cannot connect to the docker daemon/i.test(words)) return "start the Docker daemon: sudo systemctl start docker";
  if (/permission denied/i.test(words) && kind === "docker")
    return "your user may not talk to the Docker daemon: sudo usermod -aG docker $USER, then log in again";
  if (/no space left on device/i.test(words)) return `free disk space, for example with: ${kind} image prune`;
  return undefined;
}
