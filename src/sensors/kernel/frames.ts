/**
 * Splits the sensor's byte stream into frames: a length (u32, little-endian), then that many bytes (native/sensor/record.h).
 * The sensor is ours, but what it carries is the agent's: nothing here trusts a length.
 */

/** Longest frame that the sensor makes, with room; more is no frame. */
const MAX_FRAME_BYTES = 512 << 10;
const LENGTH_BYTES = 4;

export class FrameSplitter {
  #pieces: Buffer[] = [];
  #pendingBytes = 0;
  #broken = false;

  /** A length was out of bounds: where the next frame begins can't be known, and nothing more is taken. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Bytes of a frame that has begun and not ended; above 0 at the end of the stream, the last frame is lost. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** The whole frames that `chunk` completes, as views: what is to be kept longer must be copied. */
  push(chunk: Buffer): Buffer[] {
    if (this.#broken) return [];
    this.#pieces.push(chunk);
    this.#pendingBytes += chunk.length;
    if (this.#pendingBytes < this.#wantedBytes()) return [];
    const bytes = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces, this.#pendingBytes);
    return this.#split(bytes);
  }

  /** How many bytes the frame at the front takes, as far as its length has arrived. */
  #wantedBytes(): number {
    const first = this.#pieces[0];
    if (first === undefined || first.length < LENGTH_BYTES) return LENGTH_BYTES;
    const length = first.readUInt32LE(0);
    return length > MAX_FRAME_BYTES ? LENGTH_BYTES : LENGTH_BYTES + length;
  }

  #split(bytes: Buffer): Buffer[] {
    const frames: Buffer[] = [];
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32LE(at);
      if (length === 0 || length > MAX_FRAME_BYTES) {
        this.#broken = true;
        break;
      }
      if (bytes.length - at - LENGTH_BYTES < length) break;
      frames.push(bytes.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length));
      at += LENGTH_BYTES + length;
    }
    this.#pendingBytes = this.#broken ? 0 : bytes.length - at;
    this.#pieces = this.#pendingBytes === 0 ? [] : [bytes.subarray(at)];
    return frames;
  }
}
