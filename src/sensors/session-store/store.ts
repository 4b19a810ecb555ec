import { constants, DatabaseSync } from "node:sqlite";
import { sessionId } from "../../schema/native-event.ts";
import { messageInfo, messagePart, messageRow, partRow, type SessionRow, sessionRow, TABLES } from "./session-rows.ts";
import type { RawMessage } from "./session-writer.ts";

/** Most memory that SQLite may take, whatever the file wants of it. */
const HEAP_BYTES = 256 << 20;

/**
 * OpenCode's session store, opened from a private copy. The file was written by an untrusted agent: no view, trigger or
 * function of it may run, only the three tables we read are readable, and their layout is checked first.
 */
export class SessionStore {
  readonly #db: DatabaseSync;
  /** Columns that this reader does not know; a newer OpenCode may export them. */
  readonly unknownColumns: string[] = [];

  /** @throws Error in words, when the file is no database or its layout is not the expected one. */
  constructor(file: string) {
    this.#db = new DatabaseSync(file, { allowExtension: false, enableForeignKeyConstraints: false });
    try {
      this.#db.exec(
        `PRAGMA trusted_schema=OFF; PRAGMA query_only=ON; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;
         PRAGMA hard_heap_limit=${HEAP_BYTES};`,
      );
      for (const [table, columns] of Object.entries(TABLES)) this.#checkTable(table, Object.keys(columns.shape));
      this.#db.setAuthorizer((action, table) => (mayDo(action, table) ? constants.SQLITE_OK : constants.SQLITE_DENY));
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** The oldest sessions; `more` is how many were left out for their id or, at least, for the limit. */
  sessions(limit: number): { rows: SessionRow[]; more: number } {
    const all = this.#db.prepare("SELECT * FROM session ORDER BY time_created, id LIMIT ?").all(limit + 1);
    const rows = all.slice(0, limit).map((row) => sessionRow.parse(row));
    const named = rows.filter((row) => sessionId.safeParse(row.id).success);
    return { rows: named, more: all.length - named.length };
  }

  /** The messages of a session in the order of an export. */
  *messages(session: string): Generator<RawMessage> {
    const messages = this.#db.prepare("SELECT * FROM message WHERE session_id=? ORDER BY time_created, id");
    const parts = this.#db.prepare("SELECT * FROM part WHERE message_id=? ORDER BY id");
    for (const row of messages.iterate(session)) {
      const message = messageRow.parse(row);
      const own = parts.all(message.id).map((part) => messagePart(partRow.parse(part)));
      yield { info: messageInfo(message), parts: own };
    }
  }

  close(): void {
    this.#db.close();
  }

  #checkTable(table: string, expected: readonly string[]): void {
    const entry = this.#db.prepare("SELECT type, sql FROM sqlite_master WHERE name=?").get(table);
    if (entry === undefined) throw new Error(`there is no table '${table}'`);
    if (entry["type"] !== "table") throw new Error(`'${table}' is not a table`);
    if (/^\s*create\s+virtual\b/i.test(String(entry["sql"]))) throw new Error(`'${table}' is a virtual table`);
    const columns = this.#db.prepare(`PRAGMA table_xinfo(${table})`).all();
    // `hidden` is not 0 for generated columns, whose expressions would run.
    if (columns.some((column) => column["hidden"] !== 0)) throw new Error(`'${table}' has computed columns`);
    const names = new Set(columns.map((column) => String(column["name"])));
    const missing = expected.filter((name) => !names.has(name));
    if (missing.length > 0) throw new Error(`table '${table}' has no column ${missing.join(", ")}`);
    const known = new Set([...expected, "time_updated"]);
    if (table === "part") known.add("time_created");
    this.unknownColumns.push(...[...names].filter((name) => !known.has(name)).map((name) => `${table}.${name}`));
  }
}

function mayDo(action: number, table: string | null): boolean {
  if (action === constants.SQLITE_SELECT) return true;
  return action === constants.SQLITE_READ && table !== null && Object.hasOwn(TABLES, table);
}
