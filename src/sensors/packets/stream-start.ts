/** As much of a stream's beginning as is put together. */
export const STREAM_START_BYTES = 16 << 10;
const MOST_RANGES = 64;

/**
 * The beginning of one direction of a TCP connection, put together from segments that may come twice, out of order and
 * overlapping. Of bytes that come twice the first copy holds.
 */
export class StreamStart {
  readonly #base: number;
  #bytes = Buffer.alloc(0);
  /** What is there, sorted, not touching each other. */
  #ranges: [from: number, to: number][] = [];
  #segments = 0;

  /** `base`: sequence number of the first byte. */
  constructor(base: number) {
    this.#base = base;
  }

  /** Segments that brought something new. */
  get segments(): number {
    return this.#segments;
  }

  /** Memory that is held. */
  get heldBytes(): number {
    return this.#bytes.length;
  }

  /** What is there without a hole, from the first byte. Shares memory with this object. */
  get whole(): Buffer {
    const [first] = this.#ranges;
    return this.#bytes.subarray(0, first?.[0] === 0 ? first[1] : 0);
  }

  /** A segment that begins at sequence number `seq`. */
  add(seq: number, payload: Buffer): void {
    const from = (seq - this.#base) >>> 0;
    if (payload.length === 0 || from >= STREAM_START_BYTES) return;
    const to = Math.min(from + payload.length, STREAM_START_BYTES);
    if (this.#ranges.length >= MOST_RANGES) return;
    this.#reserve(to);
    let isNew = false;
    for (const [start, end] of this.#holes(from, to)) {
      payload.copy(this.#bytes, start, start - from, end - from);
      isNew = true;
    }
    if (!isNew) return;
    this.#segments++;
    this.#cover(from, to);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const grown = Buffer.alloc(Math.min(STREAM_START_BYTES, Math.max(bytes, 2 * this.#bytes.length)));
    this.#bytes.copy(grown);
    this.#bytes = grown;
  }

  /** What of `from` to `to` is not there yet. */
  #holes(from: number, to: number): [number, number][] {
    const holes: [number, number][] = [];
    let at = from;
    for (const [start, end] of this.#ranges) {
      if (end <= at) continue;
      if (start >= to) break;
      if (start > at) holes.push([at, start]);
      at = end;
    }
    if (at < to) holes.push([at, to]);
    return holes;
  }

  #cover(from: number, to: number): void {
    const kept = this.#ranges.filter(([start, end]) => end < from || start > to);
    const joined = this.#ranges.filter(([start, end]) => end >= from && start <= to);
    const range: [number, number] = [
      Math.min(from, ...joined.map(([start]) => start)),
      Math.max(to, ...joined.map(([, end]) => end)),
    ];
    this.#ranges = [...kept, range].sort(([a], [b]) => a - b);
  }
}
