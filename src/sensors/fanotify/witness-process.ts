import { type ChildProcessByStdio, spawn } from "node:child_process";
import * as path from "node:path";
import type { Readable, Writable } from "node:stream";
import { CaptureError, errnoOf, errorMessage } from "../../core/errors.ts";
import { FrameSplitter } from "../kernel/frames.ts";
import { explainFailure, MAX_STDERR_CHARS } from "../kernel/loader-failure.ts";
import { decodeWitnessRecord, type WitnessRecord } from "./record.ts";

export interface WitnessOptions {
  /** The program that scripts/build-sensor.sh makes; see witnessProgram(). */
  program: string;
  /** Process whose mounts are watched, pid on the host. */
  pid: number;
  /** Directories as that process sees them; those that are not there are left out. */
  directories: readonly string[];
  /** Most bytes that are read of one file. */
  fileBytes: number;
  /** How long it may take until it sees. */
  startMs?: number;
  /** Records in their order. Buffers in them are views that hold until it returns. */
  onRecord(record: WitnessRecord): void;
}

type Ready = Extract<WitnessRecord, { kind: "ready" }>;

/** It begins in milliseconds; a busy machine may need much longer. */
const START_MS = 30_000;
/** What waits in the kernel's queue is read and hashed; beyond this the run does not wait for it. */
const STOP_MS = 60_000;

/** Where the program stands below the directory that this package came in. */
export function witnessProgram(packageRoot: string): string {
  return path.join(packageRoot, "native", "witness", "build", "capture-witness");
}

/** A running witness process. */
export class WitnessProcess {
  readonly #options: WitnessOptions;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #splitter = new FrameSplitter();
  readonly #ready = Promise.withResolvers<Ready>();
  readonly #ended = Promise.withResolvers<string | undefined>();
  #sawEnd = false;
  #stderr = "";
  #failure: string | undefined;

  private constructor(options: WitnessOptions) {
    const { program, fileBytes, pid, directories } = options;
    this.#options = options;
    this.#child = spawn(program, [String(fileBytes), String(pid), ...directories], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stdin.on("error", () => {}); // it may be gone; its end is told below
    this.#child.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (this.#stderr.length < MAX_STDERR_CHARS) this.#stderr += text;
    });
    this.#child.on("error", (error) =>
      this.#end(errnoOf(error) === "ENOENT" ? `it is not built: there is no ${program}` : error.message),
    );
    this.#child.on("close", (code, signal) => this.#end(signal === null ? `exit code ${code}` : `signal ${signal}`));
  }

  /** Resolves when it sees. @throws CaptureError `sensor-unavailable` when it can't be used here. */
  static async start(options: WitnessOptions): Promise<{ process: WitnessProcess; ready: Ready }> {
    const started = new WitnessProcess(options);
    const { startMs = START_MS } = options;
    const timer = setTimeout(() => started.#giveUp(`it was not ready within ${startMs / 1000} s`), startMs);
    try {
      return { process: started, ready: await started.#ready.promise };
    } finally {
      clearTimeout(timer);
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Why it ended, once it has ended other than in order and when it was asked to. */
  get ended(): Promise<string | undefined> {
    return this.#ended.promise;
  }

  /** Asks it to send what it has and to end. @returns why it did not, undefined when it did. Never rejects. */
  async stop(): Promise<string | undefined> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#giveUp(`it did not end within ${STOP_MS / 1000} s`), STOP_MS);
    try {
      return await this.#ended.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #take(chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    try {
      for (const frame of this.#splitter.push(chunk)) this.#pass(decodeWitnessRecord(frame));
      if (this.#splitter.broken) throw new Error("what it sent is no record");
    } catch (error) {
      this.#giveUp(errorMessage(error));
    }
  }

  #giveUp(why: string): void {
    this.#failure = why;
    this.#child.kill("SIGKILL");
  }

  #pass(record: WitnessRecord): void {
    if (record.kind === "ready") this.#ready.resolve(record);
    if (record.kind === "end") this.#sawEnd = true;
    this.#options.onRecord(record);
  }

  #end(how: string): void {
    const { message, hint } = explainFailure(this.#stderr);
    const why = this.#failure ?? (message || how);
    this.#ready.reject(unavailable(why, hint));
    // Who never asked whether it is ready must not bring the program down.
    this.#ready.promise.catch(() => {});
    this.#ended.resolve(this.#sawEnd ? undefined : `it ended too early: ${why}`);
  }
}

function unavailable(why: string, hint: string | undefined): CaptureError {
  const message = `the file witness can't be used: ${why}`;
  return new CaptureError("sensor-unavailable", message, { hint: hint ?? "scripts/build-sensor.sh" });
}
