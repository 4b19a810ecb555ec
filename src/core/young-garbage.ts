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
