import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { getCompileCacheDir } from "node:module";
import type { Socket } from "node:net";
import * as path from "node:path";
import { errorMessage } from "../../core/errors.ts";
import { type ReaderOrder, type ReaderResult, readerResult, WORK_FILES } from "./reader-result.ts";

/** The program beside this file, compiled or not. */
const READER = path.join(import.meta.dirname, `reader${path.extname(import.meta.filename)}`);
const HEAP_MIB = 768;
const LOG_BYTES = 64 << 10;
const RESULT_BYTES = 1 << 20;

export interface ReaderRun {
  exitCode: number | null;
  log: string[];
  result: ReaderResult | undefined;
  /** Why there is no result. */
  failure: string;
}

/**
 * The process that reads a session store. Loading its code takes most of its time, so it can be started ahead: it then
 * waits for its order, takes no CPU, and ends by itself when this process ends.
 */
export class SessionReader {
  /** Undefined when the machine could not even start it. */
  readonly #child: ChildProcess | undefined;
  readonly #closed: Promise<number | null>;
  #stderr = "";
  #failure = "the reader died";

  constructor() {
    this.#child = this.#spawn();
    this.#child?.stderr?.on("data", (chunk: Buffer) => {
      if (this.#stderr.length < LOG_BYTES) this.#stderr += chunk.toString("utf8");
    });
    this.#child?.on("error", (error) => {
      this.#failure = errorMessage(error);
    });
    this.#child?.stdin?.on("error", () => undefined);
    const closed = this.#child === undefined ? Promise.resolve([null]) : once(this.#child, "close");
    this.#closed = closed.then(
      ([code]) => code as number | null,
      () => null,
    );
    this.#hold(false);
  }

  /** Node throws at once where the system refuses for other reasons than that there is no such program: no memory, for one. */
  #spawn(): ChildProcess | undefined {
    const cache = getCompileCacheDir();
    try {
      return spawn(process.execPath, [`--max-old-space-size=${HEAP_MIB}`, READER], {
        stdio: ["pipe", "ignore", "pipe"],
        // Nothing of our own environment, which may hold keys, is for a process that looks at hostile input.
        env: cache === undefined ? {} : { NODE_COMPILE_CACHE: path.dirname(cache) },
      });
    } catch (error) {
      this.#failure = `the reader could not be started: ${errorMessage(error)}`;
      return undefined;
    }
  }

  /** Gives it its one order and waits for the end, at most `timeMs`. Never throws because of what it does. */
  async run(order: ReaderOrder, timeMs: number, signal?: AbortSignal): Promise<ReaderRun> {
    this.#hold(true);
    const limit = AbortSignal.timeout(timeMs);
    const stop = signal === undefined ? limit : AbortSignal.any([limit, signal]);
    const kill = (): void => {
      this.#failure = limit.aborted ? `reading took longer than ${timeMs} ms` : "interrupted";
      this.stop();
    };
    if (stop.aborted) kill();
    stop.addEventListener("abort", kill, { once: true });
    this.#child?.stdin?.end(`${JSON.stringify(order)}\n`);
    const exitCode = await this.#closed;
    stop.removeEventListener("abort", kill);
    const log = this.#stderr.split("\n").filter(Boolean);
    return { exitCode, log, result: stop.aborted ? undefined : readResult(order.workDir), failure: this.#failure };
  }

  /** For one that is not needed after all. */
  stop(): void {
    this.#child?.kill("SIGKILL");
  }

  /** While it waits it must not keep this process from ending. */
  #hold(on: boolean): void {
    const parts = [this.#child, this.#child?.stdin as Socket | null, this.#child?.stderr as Socket | null];
    for (const part of parts) {
      if (on) part?.ref();
      else part?.unref();
    }
  }
}

function readResult(workDir: string): ReaderResult | undefined {
  const file = path.join(workDir, WORK_FILES.result);
  try {
    if (fs.statSync(file).size > RESULT_BYTES) return undefined;
    return readerResult.safeParse(JSON.parse(fs.readFileSync(file, "utf8"))).data;
  } catch {
    return undefined;
  }
}
