import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { RUNS_DIRECTORY } from "../../src/evidence/layout.ts";
import { LABEL } from "../../src/sandbox/container-spec.ts";

const PROGRAM = path.join(import.meta.dirname, "library", "name-server.mjs");
const LOOK_EVERY_MS = 500;
const run = promisify(execFile);

/**
 * A name server in the network namespace of a run's container, put there from outside once the container runs: no process
 * of the container, and nothing that the agent could start itself.
 */
export class NameServer implements AsyncDisposable {
  readonly #ending = new AbortController();
  readonly #started: Promise<ChildProcess | undefined>;

  private constructor(captureRoot: string) {
    this.#started = this.#start(captureRoot);
  }

  /** For the only run of a capture root, which may not have begun yet. */
  static beside(captureRoot: string): NameServer {
    return new NameServer(captureRoot);
  }

  async #start(captureRoot: string): Promise<ChildProcess | undefined> {
    while (!this.#ending.signal.aborted) {
      const pid = await containerPid(captureRoot);
      if (pid !== undefined) {
        const args = ["-t", pid, "-n", process.execPath, PROGRAM];
        return spawn("nsenter", args, { stdio: ["pipe", "ignore", "inherit"] });
      }
      await sleep(LOOK_EVERY_MS);
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    const child = await this.#started;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, "close");
    child.stdin?.end();
    await ended;
  }
}

async function containerPid(captureRoot: string): Promise<string | undefined> {
  const runs = path.join(captureRoot, RUNS_DIRECTORY);
  const [runId] = fs.existsSync(runs) ? fs.readdirSync(runs) : [];
  if (runId === undefined) return undefined;
  const { stdout: id } = await run("podman", ["ps", "--quiet", "--filter", `label=${LABEL.run}=${runId}`]);
  if (id.trim() === "") return undefined;
  const { stdout: pid } = await run("podman", ["inspect", "--format", "{{.State.Pid}}", id.trim()]);
  return pid.trim() === "0" ? undefined : pid.trim();
}
