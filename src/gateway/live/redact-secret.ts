/** Shorter ones are no secrets of a provider (`none`, `public`), and common words must not vanish from answers. */
const MIN_SECRET_BYTES = 8;
const NOTHING = Buffer.alloc(0);
const MASK = "*".charCodeAt(0);

/**
 * Replaces a secret in a stream of bytes by as many `*`, wherever the stream is cut. Bytes are held back only while they
 * may be the secret's beginning.
 */
export class SecretRedactor {
  readonly #secret: Buffer;
  #held: Buffer = NOTHING;
  /** Places where it was found. */
  count = 0;

  constructor(secret: string | undefined) {
    const bytes = Buffer.from(secret ?? "");
    this.#secret = bytes.length < MIN_SECRET_BYTES ? Buffer.alloc(0) : bytes;
  }

  /** Takes a piece over: what it may replace, it replaces there. @returns what may go on; it can be empty. */
  push(chunk: Uint8Array): Buffer {
    const own = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    if (this.#secret.length === 0) return own;
    const bytes = this.#held.length === 0 ? own : Buffer.concat([this.#held, own]);
    for (let at = bytes.indexOf(this.#secret); at >= 0; at = bytes.indexOf(this.#secret, at)) {
      bytes.fill(MASK, at, at + this.#secret.length);
      this.count += 1;
    }
    const keep = this.#possibleStart(bytes);
    // A copy: a part of the piece would keep the whole of it in memory until the next one comes.
    this.#held = keep === 0 ? NOTHING : Buffer.from(bytes.subarray(bytes.length - keep));
    return bytes.subarray(0, bytes.length - keep);
  }

  /** What was held back, at the end of the stream. */
  end(): Buffer {
    return this.#held;
  }

  /** The same for a text that is whole. */
  redactText(text: string): string {
    if (this.#secret.length === 0 || !text.includes(this.#secret.toString())) return text;
    this.count += 1;
    return text.replaceAll(this.#secret.toString(), "*".repeat(this.#secret.length));
  }

  /** How many bytes at the end may be the beginning of the secret. */
  #possibleStart(bytes: Buffer): number {
    const most = Math.min(bytes.length, this.#secret.length - 1);
    for (let length = most; length > 0; length--) {
      if (this.#secret.subarray(0, length).equals(bytes.subarray(bytes.length - length))) return length;
    }
    return 0;
  }
}
