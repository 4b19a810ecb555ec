import { spawn } from "node:child_process";
import { PassThrough, type Readable, type Writable } from "node:stream";
import type { EngineCommand } from "./engine-command.ts";
import type { AttachedProcess } from "./port.ts";

/** How an attached engine client ended. */
export interface ClientEnd {
  /** `null` when it was killed or could not be started. */
  code: number | null;
  problem: string | undefined;
}

export interface Attached {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  ended: Promise<ClientEnd>;
}

/**
 * Starts `<engine> start --attach --interactive`. The client gets a process group of its own: a Ctrl-C on the terminal
 * is the supervisor's to handle and must not cut the streams.
 */
export function attach(command: EngineCommand, flags: readonly string[], container: string): Attached {
  const args = [...command.globalArgs, "start", "--attach", "--interactive", ...flags, container];
  const client = spawn(command.bin, args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
  // A program that ends without reading all of its input breaks the pipe; its exit code tells the story.
  client.stdin.on("error", () => {});
  // Node throws away what nobody has read from a child's pipes when the child exits: take it over at once.
  const [stdout, stderr] = [client.stdout.pipe(new PassThrough()), client.stderr.pipe(new PassThrough())];
  const ended = new Promise<ClientEnd>((resolve) => {
    client.once("error", (error) => {
      for (const stream of [stdout, stderr]) stream.end();
      resolve({ code: null, problem: error.message });
    });
    client.once("exit", (code, signal) => {
      resolve({ code, problem: signal === null ? undefined : `the ${command.kind} client was ended by ${signal}` });
    });
  });
  return { stdin: client.stdin, stdout, stderr, ended };
}

/** The streams of an attached container; `exited` asks the engine again where the client's code could be its own. */
export function attachedProcess(
  attached: Attached,
  readState: () => Promise<{ state: string; exitCode: number | null } | undefined>,
): AttachedProcess {
  const { stdin, stdout, stderr } = attached;
  return { stdin, stdout, stderr, exited: exitOf(attached, readState) };
}

async function exitOf(
  attached: Attached,
  readState: () => Promise<{ state: string; exitCode: number | null } | undefined>,
): Promise<{ exitCode: number | null; engineError: string | undefined }> {
  const end = await attached.ended;
  if (end.code === 0) return { exitCode: 0, engineError: undefined };
  // Any other code may be the client's own failure, for example a daemon that went away.
  const state = await readState().catch(() => undefined);
  if (state?.state === "exited" || state?.state === "stopped")
    return { exitCode: state.exitCode, engineError: undefined };
  if (state === undefined && end.code !== null && end.code > 127) return { exitCode: end.code, engineError: undefined };
  const where =
    state === undefined ? "the engine does not know the container any more" : `the container is ${state.state}`;
  const how = end.problem ?? `the client ended with exit code ${end.code}`;
  return { exitCode: null, engineError: `${how}; ${where}` };
}
