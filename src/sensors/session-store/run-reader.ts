import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { errorMessage } from "../../core/errors.ts";
import { type ReaderOrder, type ReaderResult, readerResult, WORK_FILES } from "./reader-result.ts";

/** The reader beside this file, compiled or not. */
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

/** Runs the reader in a process of its own, for at most `timeMs`. Never throws because of what it does. */
export async function runReader(order: ReaderOrder, timeMs: number, signal?: AbortSignal): Promise<ReaderRun> {
  const limit = AbortSignal.timeout(timeMs);
  const args = [`--max-old-space-size=${HEAP_MIB}`, READER, JSON.stringify(order)];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: {},
    signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
    killSignal: "SIGKILL",
  });
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    if (stderr.length < LOG_BYTES) stderr += chunk.toString("utf8");
  });
  let failure = "the reader died";
  child.on("error", (error) => {
    failure = limit.aborted ? `reading took longer than ${timeMs} ms` : errorMessage(error);
  });
  const [exitCode] = (await once(child, "close").catch(() => [null])) as [number | null];
  return { exitCode, log: stderr.split("\n").filter(Boolean), result: readResult(order.workDir), failure };
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
