/** One server-sent event: its name where it has one, and its data. */
export interface ServerSentEvent {
  event: string | undefined;
  data: string;
}

const NEWLINE = 0x0a;

/**
 * Cuts a stream of bytes into server-sent events. An event longer than `maxChars` is left out and counted, so that an
 * endless line costs no memory.
 */
export class SseReader {
  readonly #maxChars: number;
  readonly #onEvent: (event: ServerSentEvent) => void;
  readonly #decoder = new TextDecoder();
  #line = "";
  #lineTooLong = false;
  #event: string | undefined;
  #data: string[] = [];
  #dataChars = 0;
  #eventTooLong = false;
  /** Events left out. */
  dropped = 0;

  constructor(maxChars: number, onEvent: (event: ServerSentEvent) => void) {
    this.#maxChars = maxChars;
    this.#onEvent = onEvent;
  }

  push(chunk: Uint8Array): void {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    this.#text(this.#decoder.decode(chunk.subarray(0, end), { stream: true }));
    // Apart: as a part of the whole piece's text, an unfinished line would keep all of it in memory until its end comes.
    this.#text(this.#decoder.decode(chunk.subarray(end), { stream: true }));
  }

  /** An event that nothing closed still counts: some servers leave the last empty line out. */
  end(): void {
    this.#text(this.#decoder.decode());
    this.#endLine();
    this.#dispatch();
  }

  #text(text: string): void {
    let start = 0;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", start)) {
      this.#append(text.slice(start, at));
      this.#endLine();
      start = at + 1;
    }
    this.#append(text.slice(start));
  }

  #append(part: string): void {
    if (this.#line.length + part.length > this.#maxChars) {
      this.#lineTooLong = true;
      this.#line = "";
    }
    if (!this.#lineTooLong) this.#line += part;
  }

  #endLine(): void {
    const line = this.#line.endsWith("\r") ? this.#line.slice(0, -1) : this.#line;
    const tooLong = this.#lineTooLong;
    this.#line = "";
    this.#lineTooLong = false;
    if (tooLong) this.#eventTooLong = true;
    else if (line === "") this.#dispatch();
    else this.#field(line);
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    if (name !== "data") return;
    this.#dataChars += value.length;
    if (this.#dataChars > this.#maxChars) this.#eventTooLong = true;
    else this.#data.push(value);
  }

  #dispatch(): void {
    if (this.#eventTooLong) this.dropped += 1;
    else if (this.#data.length > 0) this.#onEvent({ event: this.#event, data: this.#data.join("\n") });
    this.#event = undefined;
    this.#data = [];
    this.#dataChars = 0;
    this.#eventTooLong = false;
  }
}
