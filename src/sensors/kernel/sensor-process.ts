import { type ChildProcessByStdio, spawn } from "node:child_process";
import * as path from "node:path";
import type { Readable, Writable } from "node:stream";
import { CaptureError } from "../../core/errors.ts";
import { type DecodedRecord, decodeRecord } from "./decode.ts";
import { RecordFault } from "./decode-frame.ts";
import { FrameSplitter } from "./frames.ts";
import { explainFailure, MAX_STDERR_CHARS } from "./loader-failure.ts";
import type { KernelRecord, ReadyRecord, WatchingRecord } from "./record.ts";
import type { KernelSource, SourceEnd, SourceEvents, StartSource } from "./source.ts";

export interface SensorProcessOptions {
  /** The program that scripts/build-sensor.sh makes; see sensorProgram(). */
  program: string;
  /** What starts it with the rights it needs, with its arguments; the program's path and options follow. */
  wrapper?: readonly string[];
  /** Room between kernel and reader; rounded up to a power of two. Default 16 MiB, which takes some 60,000 records. */
  ringBytes?: number;
  /** Most processes that are followed at a time. Default 32,768. */
  processes?: number;
  /** How long loading may take. */
  startTimeoutMs?: number;
}

type Loader = ChildProcessByStdio<Writable, Readable, Readable>;

/** Loading takes 0.2 s; a machine that is busy with many runs may need much longer. */
const START_TIMEOUT_MS = 60_000;
const WATCH_TIMEOUT_MS = 30_000;

/** Where the program stands below the directory that this package came in. */
export function sensorProgram(packageRoot: string): string {
  return path.join(packageRoot, "native", "sensor", "build", "capture-sensor");
}

/** How to start sensor processes with these options. */
export function sensorProcesses(options: SensorProcessOptions): StartSource {
  return async (events) => {
    const source = new SensorProcess(options, events);
    await source.whenReady;
    return source;
  };
}

class SensorProcess implements KernelSource {
  readonly whenReady: Promise<void>;
  readonly #options: SensorProcessOptions;
  readonly #events: SourceEvents;
  readonly #loader: Loader;
  readonly #splitter = new FrameSplitter();
  readonly #ended = Promise.withResolvers<SourceEnd>();
  readonly #readiness = Promise.withResolvers<void>();
  /** Who waits for `watching`, by pid, in order. */
  readonly #watchers: { pid: number; settle: (answer: WatchingRecord | Error) => void }[] = [];
  #ready: ReadyRecord | undefined;
  #faults = 0;
  #lastSeq: number | undefined;
  #sawFinal = false;
  #stopping = false;
  #stderr = "";

  constructor(options: SensorProcessOptions, events: SourceEvents) {
    this.#options = options;
    this.#events = events;
    const [file = options.program, ...rest] = [
      ...(options.wrapper ?? []),
      options.program,
      ...loaderArguments(options),
    ];
    this.#loader = spawn(file, rest, { stdio: ["pipe", "pipe", "pipe"] });
    this.whenReady = this.#readiness.promise;
    const timer = setTimeout(() => {
      this.#stderr ||= `it was not ready within ${(options.startTimeoutMs ?? START_TIMEOUT_MS) / 1000} s`;
      this.#loader.kill("SIGKILL");
    }, options.startTimeoutMs ?? START_TIMEOUT_MS);
    void this.whenReady.then(
      () => clearTimeout(timer),
      () => clearTimeout(timer),
    );
    this.#listen();
  }

  get pid(): number {
    return this.#loader.pid ?? 0;
  }

  get ready(): ReadyRecord {
    if (this.#ready === undefined) throw new CaptureError("internal", "the sensor is not ready yet");
    return this.#ready;
  }

  get faults(): number {
    return this.#faults;
  }

  async watch(pid: number): Promise<void> {
    const answer = await new Promise<WatchingRecord>((resolve, reject) => {
      const settle = (end: WatchingRecord | Error): void => {
        clearTimeout(timer);
        if (end instanceof Error) reject(end);
        else resolve(end);
      };
      const timer = setTimeout(() => settle(unavailable("the sensor did not answer", undefined)), WATCH_TIMEOUT_MS);
      this.#watchers.push({ pid, settle });
      if (this.#loader.exitCode !== null || this.#loader.signalCode !== null) {
        settle(unavailable("the sensor has ended", undefined));
      } else {
        this.#loader.stdin.write(`watch ${pid}\n`);
      }
    });
    if (answer.processes === 0) throw unavailable(`there is no process ${pid} to watch`, undefined);
  }

  stop(): Promise<SourceEnd> {
    this.#stopping = true;
    // The end of its input asks it to send what it has and to end.
    this.#loader.stdin.end();
    return this.#ended.promise;
  }

  #listen(): void {
    this.#loader.stdin.on("error", () => {}); // it may be gone; its end is told below
    this.#loader.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#loader.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (this.#stderr.length < MAX_STDERR_CHARS) this.#stderr += text;
    });
    this.#loader.on("error", (error) => this.#end(error.message));
    this.#loader.on("close", (code, signal) => this.#end(this.#howItEnded(code, signal)));
  }

  /** A chunk of the pipe. Nothing is held back here: while this works, the pipe and then the ring fill up. */
  #take(chunk: Buffer): void {
    const records: KernelRecord[] = [];
    for (const frame of this.#splitter.push(chunk)) {
      const record = this.#decode(frame);
      if (record === undefined) continue;
      if (record.kind === "watching") this.#answer(record);
      else records.push(record);
    }
    if (records.length > 0) this.#note(records);
    if (this.#splitter.broken && this.#loader.exitCode === null) {
      // Where the next record begins is unknown; a new start of the sensor is the way on.
      this.#faults++;
      this.#loader.kill("SIGKILL");
    }
  }

  #decode(frame: Buffer): DecodedRecord | undefined {
    try {
      return decodeRecord(frame);
    } catch (thrown) {
      if (!(thrown instanceof RecordFault)) throw thrown;
      this.#faults++;
      return undefined;
    }
  }

  #note(records: readonly KernelRecord[]): void {
    for (const record of records) {
      if (record.kind === "ready") this.#ready = record;
      else if (record.kind === "counters") this.#sawFinal ||= record.final;
      else this.#lastSeq = Math.max(this.#lastSeq ?? 0, record.seq);
    }
    this.#events.onRecords(records);
    if (this.#ready !== undefined) this.#readiness.resolve();
  }

  #answer(record: WatchingRecord): void {
    const at = this.#watchers.findIndex(({ pid }) => pid === record.pid);
    for (const watcher of this.#watchers.splice(at, at === -1 ? 0 : 1)) watcher.settle(record);
  }

  #howItEnded(code: number | null, signal: NodeJS.Signals | null): string | undefined {
    if (code === 0 && this.#sawFinal) return undefined;
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    const last = this.#lastSeq === undefined ? "before its first record" : `after record ${this.#lastSeq}`;
    const { message } = explainFailure(this.#stderr);
    return `the sensor ended with ${how} ${last}${message === "" ? "" : `: ${message}`}`;
  }

  #end(failure: string | undefined): void {
    const { message, hint } = explainFailure(this.#stderr);
    const what = message || failure || "it ended before it was ready";
    this.#readiness.reject(unavailable(`the kernel sensor (${this.#options.program}) can't be used: ${what}`, hint));
    // Who never asked whether it is ready must not bring the program down.
    this.#readiness.promise.catch(() => {});
    for (const { settle } of this.#watchers.splice(0)) settle(unavailable(failure ?? "the sensor has ended", hint));
    const cut = this.#splitter.pendingBytes > 0 ? 1 : 0;
    this.#faults += cut;
    this.#ended.resolve({ faults: this.#faults, failure });
    if (!this.#stopping && this.#ready !== undefined) this.#events.onDeath(failure ?? "the sensor ended by itself");
    this.#stopping = true;
  }
}

function loaderArguments({ ringBytes, processes }: SensorProcessOptions): string[] {
  return [
    ...(ringBytes === undefined ? [] : ["--ring-bytes", String(ringBytes)]),
    ...(processes === undefined ? [] : ["--processes", String(processes)]),
  ];
}

function unavailable(message: string, hint: string | undefined): CaptureError {
  return new CaptureError("sensor-unavailable", message, { hint: hint ?? "scripts/build-sensor.sh" });
}
