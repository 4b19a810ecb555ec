import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

type Collector = (options: { type: "minor" }) => void;
let collector: Collector | undefined;

function collect(): void {
  if (collector === undefined) {
    setFlagsFromString("--expose-gc");
    collector = runInNewContext("gc") as Collector;
  }
  collector({ type: "minor" });
}

/** About 1 ms of work each time. */
const EVERY_BYTES = 4 << 20;

/**
 * Keeps a stream's memory small. Each chunk that Node reads is a buffer outside of V8's heap and garbage right after; V8
 * sees only the small objects before them and lets some 80 MB of such buffers pile up. Call with the size of each chunk.
 */
export class YoungGarbage {
  #bytes = 0;

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < EVERY_BYTES) return;
    this.#bytes = 0;
    collect();
  }
}

/** From so much traffic on, V8 is asked to save memory; a usual run has less, and is left alone. */
const HEAVY_BYTES = 16 << 20;
let savers = 0;

function saveMemory(change: 1 | -1): void {
  savers += change;
  if (savers === (change === 1 ? 1 : 0))
    setFlagsFromString(savers > 0 ? "--optimize-for-size" : "--no-optimize-for-size");
}

/**
 * Keeps the memory of many streams at a time small. What is parsed of them outlives a minor collection while it waits for
 * its stream's next piece, and V8 would let some 100 MB of that pile up before a major one. Call with the size of each
 * chunk, and `end` when no more come: until then this process's code is compiled for size.
 */
export class PassingStreams {
  readonly #garbage = new YoungGarbage();
  #bytes = 0;
  #saves = false;

  add(bytes: number): void {
    this.#garbage.add(bytes);
    this.#bytes += bytes;
    if (this.#saves || this.#bytes < HEAVY_BYTES) return;
    this.#saves = true;
    saveMemory(1);
  }

  end(): void {
    if (this.#saves) saveMemory(-1);
    this.#saves = false;
    this.#bytes = 0;
  }
}
