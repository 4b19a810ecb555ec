import * as path from "node:path";
import type { Readable } from "node:stream";
import { BoundedFile, type BoundedFileStats } from "../core/bounded-file.ts";
import { monotonicMs, sleepInBackground } from "../core/clock.ts";
import { YoungGarbage } from "../core/young-garbage.ts";
import { LAYOUT } from "../evidence/layout.ts";
import type { CompletenessClass } from "../schema/observations.ts";
import { type RunLimits, runLimits } from "./run-limits.ts";

/** The rest of the streams of a dead container comes at once. */
const REST_MS = 10_000;

export type OutputLimits = Pick<RunLimits, "agent_stdout" | "agent_stderr" | "container_log">;

export interface AgentOutputStats {
  stdout: BoundedFileStats;
  stderr: BoundedFileStats;
  /** Bytes that the combined log lacks. */
  missing: number;
}

/** Writes what the agent prints: each stream to its own log, and both, as they arrived, to `combinedFile`. */
export class AgentOutput {
  readonly #stdout: BoundedFile;
  readonly #stderr: BoundedFile;
  readonly #combined: BoundedFile;
  readonly #garbage = new YoungGarbage();
  #lastActivityMs = monotonicMs();
  #ended: Promise<unknown> = Promise.resolve();

  constructor(captureDir: string, combinedFile: string, limits: OutputLimits = runLimits()) {
    this.#stdout = BoundedFile.create(path.join(captureDir, LAYOUT.stdoutLog), limits.agent_stdout);
    this.#stderr = BoundedFile.create(path.join(captureDir, LAYOUT.stderrLog), limits.agent_stderr);
    this.#combined = BoundedFile.create(combinedFile, limits.container_log);
  }

  follow(stdout: Readable, stderr: Readable): void {
    this.#ended = Promise.all([this.#copy(stdout, this.#stdout), this.#copy(stderr, this.#stderr)]);
  }

  /** Monotonic time of the last byte. */
  lastActivityMs(): number {
    return this.#lastActivityMs;
  }

  /** Call after the container's end: waits for the rest of the streams, but not for ever: an engine may have died. */
  async close(): Promise<AgentOutputStats> {
    await Promise.race([this.#ended, sleepInBackground(REST_MS)]);
    const combined = this.#combined.close();
    const missing = combined.bytesTotal - combined.bytesKept;
    return { stdout: this.#stdout.close(), stderr: this.#stderr.close(), missing };
  }

  #copy(stream: Readable, file: BoundedFile): Promise<void> {
    return new Promise((resolve) => {
      stream.on("data", (chunk: Buffer) => {
        this.#lastActivityMs = monotonicMs();
        file.write(chunk);
        this.#combined.write(chunk);
        this.#garbage.add(chunk.length);
      });
      stream.once("close", resolve);
      stream.once("error", () => resolve());
    });
  }
}

/** How well the agent's output was kept. */
export function outputCompleteness(stats: AgentOutputStats, from: string | null, to: string): CompletenessClass {
  const { stdout, stderr } = stats;
  const lost = stdout.bytesTotal - stdout.bytesKept + stderr.bytesTotal - stderr.bytesKept;
  const failure = stdout.failure ?? stderr.failure;
  return {
    class: "agent-output",
    level: lost === 0 && failure === undefined ? "complete" : "lossy",
    sensor: "supervisor",
    reason: outputReason(stats, lost, failure),
    lost,
    from,
    to,
    started_before_agent: true,
  };
}

function outputReason(stats: AgentOutputStats, lost: number, failure: string | undefined): string {
  if (failure !== undefined && lost === 0) return `every byte was written, but may not last: ${failure}`;
  if (failure !== undefined) return `${lost} bytes could not be written: ${failure}`;
  if (lost > 0) {
    const cut = (["stdout", "stderr"] as const).filter((name) => stats[name].truncated);
    const kept = cut.map((name) => `the first ${stats[name].bytesKept} bytes of ${name}`).join(" and ");
    return `${lost} bytes beyond the limit were counted and not kept: there are ${kept}`;
  }
  return "every byte of both streams stands in the logs";
}
