import * as path from "node:path";
import { isoNow } from "../../core/clock.ts";
import { ClaimTally } from "./claim-tally.ts";
import { EventFile } from "./event-file.ts";
import type { EventSinkResult } from "./event-sink-result.ts";
import { EventsPipe } from "./events-pipe.ts";
import { type Line, LineSplitter } from "./line-splitter.ts";
import { nativeEventsCompleteness } from "./native-events-completeness.ts";

export type { EventSinkResult } from "./event-sink-result.ts";

/** Name of the pipe in its directory, which is `/capture` inside the container. */
export const EVENTS_PIPE_NAME = "opencode_events.fifo";

export interface EventSinkLimits {
  /** Longest line that is kept whole; the plugin's own limit is half of it. */
  recordBytes: number;
  /** Most bytes and lines in the file. */
  totalBytes: number;
  lines: number;
}

export const DEFAULT_EVENT_SINK_LIMITS: EventSinkLimits = {
  recordBytes: 2 << 20,
  totalBytes: 256 << 20,
  lines: 1_000_000,
};
/** More than any pipe holds: beyond it somebody is still writing. */
const DRAIN_BYTES = 16 << 20;

export interface EventSink {
  /** Path of the pipe on this side. */
  readonly pipe: string;
  /** Call after the agent's last process is dead: takes what still stands in the pipe. A second call gives the same. */
  close(): Promise<EventSinkResult>;
}

export interface EventSinkOptions {
  /** Directory for the pipe; it is what the container sees, read-only. Not sticky, not writable for everybody. */
  dir: string;
  outFile: string;
  limits?: Partial<EventSinkLimits>;
}

/**
 * Receives the plugin's records: makes the pipe, appends every line byte for byte to `outFile`, and counts. Memory does
 * not depend on what the agent sends. A file system that fails does not stop it: the loss is reported.
 * @throws CaptureError `write-failed` when the pipe can't be made.
 */
export function createEventSink(options: EventSinkOptions): EventSink {
  const receiver = new Receiver(options);
  let result: EventSinkResult | undefined;
  return {
    pipe: path.join(options.dir, EVENTS_PIPE_NAME),
    close: async () => {
      result ??= receiver.close();
      return result;
    },
  };
}

class Receiver {
  readonly #limits: EventSinkLimits;
  readonly #tally = new ClaimTally();
  readonly #splitter: LineSplitter;
  readonly #file: EventFile;
  readonly #pipe: EventsPipe;
  readonly #startedAt = isoNow();
  #batch: Line[] = [];
  #lineCount = 0;
  #bytes = 0;
  /** Bytes thrown away before the file: ends of too long lines, and lines beyond the limit. */
  #cutBytes = 0;

  constructor(options: EventSinkOptions) {
    this.#limits = { ...DEFAULT_EVENT_SINK_LIMITS, ...options.limits };
    this.#splitter = new LineSplitter(this.#limits.recordBytes, (line) => this.#batch.push(line));
    this.#file = new EventFile(options.outFile, this.#limits.totalBytes);
    try {
      this.#pipe = new EventsPipe(path.join(options.dir, EVENTS_PIPE_NAME), options.dir, (chunk) => this.#take(chunk));
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  close(): EventSinkResult {
    const drained = this.#pipe.close(DRAIN_BYTES);
    this.#splitter.end();
    this.#keepBatch();
    this.#file.close();
    return this.#result(drained);
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#lineCount >= this.#limits.lines) {
      this.#cutBytes += chunk.length;
      return;
    }
    this.#splitter.push(chunk);
    this.#keepBatch();
  }

  #keepBatch(): void {
    const lines = this.#batch;
    this.#batch = [];
    const kept = this.#file.append(lines);
    for (const line of lines) this.#cutBytes += line.cutBytes;
    for (const line of lines.slice(0, kept)) this.#tally.add(line.bytes, line.cutBytes === 0);
    this.#lineCount += lines.length;
  }

  #result(drained: boolean): EventSinkResult {
    const tally = this.#tally;
    const lostBytes = this.#cutBytes + this.#file.lostBytes;
    const failure =
      this.#file.failure ?? this.#pipe.failure ?? (drained ? undefined : "somebody still wrote at the end");
    const lines = tally.validCount + tally.invalidCount;
    const result = {
      status: lines === 0 ? ("missing" as const) : tally.validCount > 0 ? ("present" as const) : ("invalid" as const),
      eventCount: tally.validCount,
      validCount: tally.validCount,
      invalidCount: tally.invalidCount,
      bytes: this.#bytes,
      truncated: lostBytes > 0 || !drained,
      lostBytes,
      failure,
      dropped: tally.dropped,
      sequenceGaps: tally.sequenceGaps,
      sequenceRepeats: tally.sequenceRepeats,
      pluginAlive: tally.pluginAlive,
      pluginDisposed: tally.pluginDisposed,
      sessionId: tally.rootSessionId,
      childSessionIds: [...tally.childSessionIds],
    };
    return { ...result, completeness: nativeEventsCompleteness(result, this.#startedAt, isoNow()) };
  }
}
