import { type ChildProcessByStdio, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Readable, Writable } from "node:stream";
import { sleepInBackground } from "../../core/clock.ts";
import { CaptureError } from "../../core/errors.ts";
import { exec } from "../../core/exec.ts";
import { explainFailure, MAX_STDERR_CHARS } from "../kernel/loader-failure.ts";

const START_TIMEOUT_MS = 30_000;
/** It hands over what it has and ends within a second; a busy machine may need longer. */
const STOP_TIMEOUT_MS = 15_000;
const CHECK_TIMEOUT_MS = 10_000;
const BUILD = "scripts/build-sensor.sh";

export interface PacketProcessOptions {
  /** The program that scripts/build-sensor.sh makes; see packetProgram(). */
  program: string;
  /** A process in the network namespace. */
  pid: number;
  /** Most bytes of a packet. */
  packetBytes: number;
  /** `address:port` of TCP connections of which only headers are recorded. */
  modelAddress?: string | undefined;
  /** Blocks of 256 KiB between kernel and recorder. Default 32. */
  ringBlocks?: number | undefined;
  onBytes(chunk: Buffer): void;
  /** It ended though nobody had asked it to. */
  onDeath(reason: string): void;
}

/** Where the program stands below the directory that this package came in. */
export function packetProgram(packageRoot: string): string {
  return path.join(packageRoot, "native", "packets", "build", "capture-packets");
}

/**
 * Tries whether packets could be recorded here, without recording any.
 * @returns why not, as a CaptureError `sensor-unavailable`; undefined: they could.
 */
export async function tryPackets(program: string): Promise<CaptureError | undefined> {
  if (!fs.existsSync(program)) return unavailable("the packet recorder is not built", BUILD);
  const { exitCode, stderr, failure } = await exec(program, ["--check"], { timeoutMs: CHECK_TIMEOUT_MS });
  if (exitCode === 0) return undefined;
  const { message, hint } = explainFailure(stderr);
  return unavailable(message || failure || `it ended with exit code ${exitCode}`, hint);
}

/** The recorder, from its first byte, which means that it sees, to its last. */
export class PacketProcess {
  readonly #options: PacketProcessOptions;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #sees = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<string | undefined>();
  #isReady = false;
  #stopping = false;
  #stderr = "";

  private constructor(options: PacketProcessOptions) {
    this.#options = options;
    const { program, pid, packetBytes, modelAddress, ringBlocks } = options;
    const args = ["--pid", String(pid), "--snap", String(packetBytes)];
    if (modelAddress !== undefined) args.push("--model", modelAddress);
    if (ringBlocks !== undefined) args.push("--ring-blocks", String(ringBlocks));
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#listen();
  }

  /** Resolves when it sees. @throws CaptureError `sensor-unavailable` when it can't be used here. */
  static async start(options: PacketProcessOptions): Promise<PacketProcess> {
    if (!fs.existsSync(options.program)) throw unavailable("the packet recorder is not built", BUILD);
    const started = new PacketProcess(options);
    const timer = setTimeout(() => started.#child.kill("SIGKILL"), START_TIMEOUT_MS);
    try {
      await started.#sees.promise;
    } finally {
      clearTimeout(timer);
    }
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Asks it to hand over what it has and to end. @returns why it did not end in order. Never rejects. */
  async stop(): Promise<string | undefined> {
    this.#stopping = true;
    this.#child.stdin.end();
    const late = sleepInBackground(STOP_TIMEOUT_MS).then(() => {
      this.#child.kill("SIGKILL");
      return `it did not end within ${STOP_TIMEOUT_MS / 1000} s`;
    });
    return Promise.race([this.#ended.promise, late]);
  }

  #listen(): void {
    const child = this.#child;
    child.stdin.on("error", () => {}); // it may be gone; its end is told below
    child.stdout.on("data", (chunk: Buffer) => {
      this.#isReady = true;
      this.#sees.resolve();
      this.#options.onBytes(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (this.#stderr.length < MAX_STDERR_CHARS) this.#stderr += text;
    });
    child.on("error", (error) => this.#end(error.message));
    child.on("close", (code, signal) =>
      this.#end(code === 0 ? undefined : `it ended with ${signal ?? `exit code ${code}`}`),
    );
  }

  #end(failure: string | undefined): void {
    const { message, hint } = explainFailure(this.#stderr);
    const reason = message || failure;
    this.#sees.reject(unavailable(reason ?? "it ended before it saw anything", hint));
    // Nobody may be waiting any more.
    this.#sees.promise.catch(() => {});
    this.#ended.resolve(reason);
    if (this.#isReady && !this.#stopping) this.#options.onDeath(reason ?? "it ended by itself");
    this.#stopping = true;
  }
}

function unavailable(message: string, hint: string | undefined): CaptureError {
  return new CaptureError("sensor-unavailable", `packets can't be recorded: ${message}`, { hint });
}
