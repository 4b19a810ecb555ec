import * as fs from "node:fs";
import { writeFully } from "../../core/storage.ts";
import { sessionExport, sessionMessage } from "../../schema/session-export.ts";
import { OutcomeTally } from "./agent-outcome.ts";

/** A message as it stands in an export, of unchecked content. */
export interface RawMessage {
  info: Record<string, unknown>;
  parts: readonly Record<string, unknown>[];
}

const emptySession = sessionExport.pick({ info: true });

/**
 * Writes one session as `opencode export` prints it: JSON with an indent of two and a newline at the end. One message at a
 * time, so that memory depends on the longest message and not on the session.
 */
export class SessionWriter {
  readonly #fd: number;
  readonly #maxBytes: number;
  readonly #tally = new OutcomeTally();
  #bytes = 0;
  #messages = 0;
  /** First thing that is not as an export must be; the file is written all the same. */
  fault: string | undefined;

  constructor(file: string, maxBytes: number, info: Record<string, unknown>) {
    this.#fd = fs.openSync(file, "wx", 0o600);
    this.#maxBytes = maxBytes;
    this.#check(emptySession.safeParse({ info }), "info");
    this.#write(`{\n  "info": ${indented(info, "  ")},\n  "messages": [`);
  }

  get outcome(): OutcomeTally["outcome"] {
    return this.#tally.outcome;
  }

  /** @throws Error when the session is larger than it may be. */
  add(message: RawMessage): void {
    const parsed = sessionMessage.safeParse(message);
    this.#check(parsed, `message ${this.#messages}`);
    if (parsed.success) this.#tally.add(parsed.data);
    this.#write(`${this.#messages === 0 ? "" : ","}\n    ${indented(message, "    ")}`);
    this.#messages++;
  }

  /** @returns the length of the file. */
  end(): number {
    this.#write(this.#messages === 0 ? "]\n}\n" : "\n  ]\n}\n");
    return this.#bytes;
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #check(
    parsed: { success: boolean; error?: { issues: { path: PropertyKey[]; message: string }[] } },
    where: string,
  ): void {
    const issue = parsed.success ? undefined : parsed.error?.issues[0];
    if (issue !== undefined) this.fault ??= `${where}: ${issue.path.map(String).join(".")}: ${issue.message}`;
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) throw new Error(`the session is larger than ${this.#maxBytes} bytes`);
    writeFully(this.#fd, bytes);
  }
}

/** The text that JSON.stringify would give at this depth. Strings hold no raw newline, so the replacement is exact. */
function indented(value: unknown, indent: string): string {
  return JSON.stringify(value, null, 2).replaceAll("\n", `\n${indent}`);
}
