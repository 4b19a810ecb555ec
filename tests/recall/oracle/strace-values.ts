/** One value among the arguments of a call, as `strace -y -xx` prints it. Texts have one character for each byte. */
export type Value =
  | { kind: "text"; text: string; abstract?: true }
  | { kind: "list"; items: Value[] }
  | { kind: "struct"; fields: Map<string, Value> }
  /** A number, a constant, flags joined by `|`, or a function of its own notation; `path`: what a descriptor stands for. */
  | { kind: "word"; word: string; path?: string; arguments?: Value[] };

/** Reads values from left to right; anything that is not understood is an error, never skipped. */
export class ValueReader {
  #at = 0;
  readonly #line: string;

  constructor(line: string) {
    this.#line = line;
  }

  get rest(): string {
    return this.#line.slice(this.#at);
  }

  /** Arguments up to the closing bracket, which is taken too. */
  arguments(close = ")"): Value[] {
    const values: Value[] = [];
    if (this.#takes(close)) return values;
    for (;;) {
      // clone tells names of its arguments: `flags=SIGCHLD`.
      this.#matches(/\w+=/y);
      values.push(this.#value());
      // What the kernel changed: `{before} => {after}`; the call was made with the first.
      if (this.#takes(" => ")) this.#value();
      this.#comment();
      if (this.#takes(close)) return values;
      if (!this.#takes(", ")) throw this.#fault(`"," or "${close}"`);
    }
  }

  /** A descriptor's path behind it: `3<\x2f>(deleted)`. */
  path(): string | undefined {
    if (!this.#takes("<")) return undefined;
    const path = this.#bytes();
    if (!this.#takes(">")) throw this.#fault('">"');
    this.#takes("(deleted)");
    return path;
  }

  #value(): Value {
    if (this.#takes('@"')) return { kind: "text", text: this.#text(), abstract: true };
    if (this.#takes('"')) return { kind: "text", text: this.#text() };
    if (this.#takes("[")) return { kind: "list", items: this.arguments("]") };
    if (this.#takes("{")) return { kind: "struct", fields: this.#fields() };
    const word = this.#matches(/[\w|&.*+-]+/y);
    if (word === undefined) throw this.#fault("a value");
    if (this.#takes("(")) return { kind: "word", word, arguments: this.arguments() };
    const path = this.path();
    this.#comment();
    return path === undefined ? { kind: "word", word } : { kind: "word", word, path };
  }

  #fields(): Map<string, Value> {
    const fields = new Map<string, Value>();
    if (this.#takes("}")) return fields;
    for (;;) {
      const name = this.#matches(/\w+(?==)/y);
      if (name !== undefined) this.#at++;
      const value = this.#value();
      // Addresses of IPv6 stand without a name: inet_pton(AF_INET6, "…", &sin6_addr).
      fields.set(name ?? (value.kind === "word" ? value.word : String(fields.size)), value);
      if (this.#takes("}")) return fields;
      if (!this.#takes(", ")) throw this.#fault('"," or "}"');
    }
  }

  #text(): string {
    const text = this.#bytes();
    if (!this.#takes('"')) throw this.#fault("the end of a text");
    if (this.#takes("...")) throw this.#fault("a whole text");
    return text;
  }

  #bytes(): string {
    const hex = this.#matches(/(?:\\x[0-9a-f]{2})*/y) ?? "";
    return Buffer.from(hex.replaceAll("\\x", ""), "hex").toString("latin1");
  }

  #comment(): void {
    this.#matches(/ \/\* [^*]* \*\//y);
  }

  #takes(text: string): boolean {
    if (!this.#line.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #matches(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#line)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fault(wanted: string): Error {
    return new Error(`strace: ${wanted} expected at character ${this.#at} of: ${this.#line.slice(0, 400)}`);
  }
}
