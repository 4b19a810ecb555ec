import * as fs from "node:fs";
import * as path from "node:path";
import { errorMessage } from "../../core/errors.ts";
import { shorten, visible } from "../../schema/display.ts";
import { emptyResult, type ReaderOrder, type ReaderResult, WORK_FILES } from "./reader-result.ts";
import { type SessionRow, sessionInfo } from "./session-rows.ts";
import { SessionWriter } from "./session-writer.ts";
import { SessionStore } from "./store.ts";

const MAX_REASON_CHARS = 300;

/** Text about hostile content, safe to show. */
export function safeWords(text: string): string {
  return visible(shorten(text, MAX_REASON_CHARS));
}

/**
 * Exports every session of the store into files of their own; `say` gets a line about each step.
 * @throws Error in words when the store as a whole can't be read.
 */
export function exportStore(order: ReaderOrder, say: (line: string) => void): ReaderResult {
  const store = new SessionStore(path.join(order.workDir, WORK_FILES.database));
  try {
    return new StoreExport(store, order, say).run();
  } finally {
    store.close();
  }
}

class StoreExport {
  readonly #store: SessionStore;
  readonly #order: ReaderOrder;
  readonly #say: (line: string) => void;
  readonly #result = emptyResult();
  readonly #rejected: string[] = [];
  #bytesLeft: number;

  constructor(store: SessionStore, order: ReaderOrder, say: (line: string) => void) {
    this.#store = store;
    this.#order = order;
    this.#say = say;
    this.#bytesLeft = order.maxTotalBytes;
  }

  run(): ReaderResult {
    const { unknownColumns } = this.#store;
    if (unknownColumns.length > 0) this.#say(`columns that this reader does not know: ${unknownColumns.join(", ")}`);
    const { rows, more } = this.#store.sessions(this.#order.maxSessions);
    if (more > 0)
      this.#skip(`sessions beyond the limit of ${this.#order.maxSessions}, or with an id that is none`, more);
    const root = this.#chooseRoot(rows);
    if (root === undefined) return { ...this.#result, reason: "the store holds no session" };
    this.#result.root = root.id;
    this.#result.opencodeVersion = shorten(visible(root.version), 100);
    for (const row of [root, ...rows.filter((other) => other !== root)]) this.#exportSession(row);
    if (this.#result.outcome !== null) this.#result.outcome.rejectedPermissions = this.#rejected;
    return this.#result;
  }

  /** The session that the native events named, else the oldest one without a parent. */
  #chooseRoot(rows: readonly SessionRow[]): SessionRow | undefined {
    const wanted = this.#order.rootSessionId;
    const named = rows.find((row) => row.id === wanted && row.parent_id === null);
    if (named !== undefined) return named;
    if (wanted !== null) this.#say(`the native events name ${wanted}, which is no root session of the store`);
    return rows.find((row) => row.parent_id === null) ?? rows[0];
  }

  #exportSession(row: SessionRow): void {
    const file = path.join(this.#order.workDir, WORK_FILES.sessions, `${row.id}.json`);
    let writer: SessionWriter | undefined;
    try {
      writer = new SessionWriter(file, Math.min(this.#order.maxSessionBytes, this.#bytesLeft), sessionInfo(row));
      for (const message of this.#store.messages(row.id)) writer.add(message);
      this.#keep(row, writer);
    } catch (error) {
      fs.rmSync(file, { force: true });
      const reason = safeWords(errorMessage(error));
      this.#skip(`${row.id} (${reason})`, 1);
      if (row.id === this.#result.root) this.#result.reason = `session ${row.id}: ${reason}`;
    } finally {
      writer?.close();
    }
  }

  #keep(row: SessionRow, writer: SessionWriter): void {
    const bytes = writer.end();
    this.#bytesLeft -= bytes;
    const fault = writer.fault === undefined ? null : safeWords(writer.fault);
    this.#result.sessions.push({ id: row.id, bytes, fault });
    if (fault === null) this.#say(`${row.id}: ${bytes} bytes`);
    else this.#skip(`${row.id} as a valid export (${fault})`, 1);
    this.#rejected.push(...writer.outcome.rejectedPermissions);
    if (row.id === this.#result.root) this.#result.outcome = writer.outcome;
  }

  #skip(what: string, count: number): void {
    this.#result.skipped += count;
    this.#say(`not exported: ${what}`);
  }
}
