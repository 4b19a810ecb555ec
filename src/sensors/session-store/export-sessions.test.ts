import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sleep } from "../../core/clock.ts";
import { exportSessions, type SessionExportOptions } from "./export-sessions.ts";
import { SessionReader } from "./session-reader.ts";

/** The tables as OpenCode 1.18.33 makes them. */
const SCHEMA = fs.readFileSync(
  new URL("../../../tests/fixtures/agent-events/opencode-1.18.33.sql", import.meta.url),
  "utf8",
);

let dir: string;
let home: string;
let store: string;
let capture: string;
let open: DatabaseSync[];

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "export-test-"));
  home = path.join(dir, "home");
  store = path.join(home, ".local/share/opencode");
  capture = path.join(dir, "capture");
  fs.mkdirSync(store, { recursive: true });
  for (const sub of ["logs", "session"]) fs.mkdirSync(path.join(capture, sub), { recursive: true });
  open = [];
});

afterEach(() => {
  for (const db of open) db.close();
  fs.rmSync(dir, { recursive: true });
});

function database(schema = SCHEMA): DatabaseSync {
  const db = new DatabaseSync(path.join(store, "opencode.db"));
  // As OpenCode leaves it: the content stands in the write-ahead log, which the open connection keeps.
  db.exec(`PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA foreign_keys=OFF; ${schema}`);
  open.push(db);
  return db;
}

function addSession(db: DatabaseSync, id: string, more: { parent?: string; at?: number } = {}): void {
  db.prepare(
    `INSERT INTO session (id, project_id, parent_id, slug, directory, title, version, time_created, time_updated)
     VALUES (?, 'global', ?, 'slug', '/workspace', 'title', '1.18.33', ?, 9)`,
  ).run(id, more.parent ?? null, more.at ?? 1);
}

function addMessage(db: DatabaseSync, session: string, id: string, data: unknown, parts: unknown[] = []): void {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  db.prepare("INSERT INTO message VALUES (?, ?, 1, 1, ?)").run(id, session, text);
  for (const [index, part] of parts.entries()) {
    db.prepare("INSERT INTO part VALUES (?, ?, ?, 1, 1, ?)").run(
      `prt_${id}_${index}`,
      id,
      session,
      JSON.stringify(part),
    );
  }
}

function ordinary(): DatabaseSync {
  const db = database();
  addSession(db, "ses_root");
  addSession(db, "ses_kid", { parent: "ses_root", at: 2 });
  addMessage(db, "ses_root", "msg_1", { role: "user" }, [{ type: "text", text: "dö\n  it \u2028" }]);
  addMessage(db, "ses_root", "msg_2", { role: "assistant", finish: "stop" }, [{ type: "step-finish", reason: "stop" }]);
  return db;
}

const run = (more: Partial<SessionExportOptions> = {}) =>
  exportSessions({ homeDir: home, captureDir: capture, rootSessionId: "ses_root", ...more });
const read = (file: string): string => fs.readFileSync(path.join(capture, file), "utf8");

describe("an ordinary store", () => {
  test("gives the root session, its copy, the others, and the outcome", async () => {
    ordinary();
    const result = await run();
    expect(result).toMatchObject({ saved: true, exitCode: 0, sessionId: "ses_root", children: ["ses_kid"] });
    expect(result).toMatchObject({ reason: undefined, opencodeVersion: "1.18.33" });
    expect(result.outcome).toEqual({ lastFinish: "stop", errors: [], rejectedPermissions: [] });
    expect(result.completeness).toMatchObject({ class: "session-export", level: "complete" });
    const raw = read("logs/opencode_export.stdout.log");
    expect(read("session/export.json")).toBe(raw);
    // The text is what JSON.stringify gives, though it was written message by message.
    expect(`${JSON.stringify(JSON.parse(raw), null, 2)}\n`).toBe(raw);
    expect(JSON.parse(raw).messages[0]).toEqual({
      info: { role: "user", id: "msg_1", sessionID: "ses_root" },
      parts: [{ type: "text", text: "dö\n  it \u2028", id: "prt_msg_1_0", sessionID: "ses_root", messageID: "msg_1" }],
    });
    expect(JSON.parse(read("session/children/ses_kid.json"))).toMatchObject({
      info: { parentID: "ses_root" },
      messages: [],
    });
    expect(read("logs/opencode_export.stderr.log")).toContain("ses_root");
    expect(fs.readdirSync(dir).sort()).toEqual(["capture", "home"]);
  });

  test("is found without the native events' help: the oldest session without a parent", async () => {
    ordinary();
    expect((await run({ rootSessionId: null })).sessionId).toBe("ses_root");
    const forged = await run({ rootSessionId: "ses_invented" });
    expect(forged.sessionId).toBe("ses_root");
    expect(read("logs/opencode_export.stderr.log")).toContain("ses_invented, which is no root session of the store");
  });

  test("tells of errors and rejected permissions", async () => {
    const db = ordinary();
    const rejected = { status: "error", error: "The user rejected permission to use this specific tool call." };
    addMessage(db, "ses_kid", "msg_3", { role: "assistant" }, [
      { type: "tool", tool: "bash", callID: "call_1", state: rejected },
      { type: "tool", tool: "read", callID: "call_2", state: { status: "error", error: "File not found" } },
    ]);
    const error = { name: "APIError", data: { message: "\u001b[2Jbad \u202e" } };
    addMessage(db, "ses_root", "msg_4", { role: "assistant", error });
    expect((await run()).outcome).toEqual({
      lastFinish: null,
      errors: ["APIError: ␛[2Jbad ⟨U+202E⟩"],
      rejectedPermissions: ["bash (call_1)"],
    });
  });
});

describe("a hostile home", () => {
  const secret = () => {
    const outside = path.join(dir, "outside");
    fs.mkdirSync(path.join(outside, "share/opencode"), { recursive: true });
    return outside;
  };

  test.each([".local", ".local/share", ".local/share/opencode"])(
    "with %s as a link does not lead out",
    async (link) => {
      ordinary().close();
      open = [];
      const moved = path.join(dir, "elsewhere");
      fs.renameSync(path.join(home, link), moved);
      fs.symlinkSync(moved, path.join(home, link));
      const result = await run();
      expect(result).toMatchObject({ saved: false, sessionId: null, outcome: null });
      expect(result.reason).toContain("no plain directory");
    },
  );

  test("with the database as a link, a pipe or a directory is refused at once", async () => {
    const file = path.join(store, "opencode.db");
    fs.symlinkSync(path.join(secret(), "x"), file);
    expect((await run()).reason).toContain("no plain directory or file");
    fs.rmSync(file);
    execFileSync("mkfifo", [file]);
    expect((await run()).reason).toContain("not a regular file");
    fs.rmSync(file);
    fs.mkdirSync(file);
    expect((await run()).reason).toContain("not a regular file");
  });

  test("without a store, and with one that is too large", async () => {
    expect(await run()).toMatchObject({ saved: false, exitCode: null, reason: "the agent left no session store" });
    ordinary();
    expect((await run({ limits: { storeBytes: 1000 } })).reason).toContain("larger than 1000 bytes");
    expect(read("logs/opencode_export.stdout.log")).toBe("");
    expect(fs.existsSync(path.join(capture, "session/export.json"))).toBe(false);
  });
});

describe("a hostile database", () => {
  const withTable = (from: string, to: string) => SCHEMA.replace(from, to);

  test("that is none", async () => {
    fs.writeFileSync(path.join(store, "opencode.db"), Buffer.alloc(10_000, "garbage"));
    const result = await run();
    expect(result).toMatchObject({ saved: false, exitCode: 1 });
    expect(result.reason).toMatch(/not a database/);
    expect(result.completeness.level).toBe("absent");
  });

  test("with another layout says what is missing", async () => {
    database("CREATE TABLE session (id text)");
    expect((await run()).reason).toMatch(/table 'session' has no column slug/);
  });

  test("with a view, a virtual table or a computed column in place of a table", async () => {
    const view =
      "CREATE TABLE real_part (id, message_id, session_id, data); CREATE VIEW part AS SELECT * FROM real_part;";
    const cases: [string, RegExp][] = [
      [SCHEMA.replace(/CREATE TABLE `part`[^;]*;/, view), /'part' is not a table/],
      [
        SCHEMA.replace(
          /CREATE TABLE `part`[^;]*;/,
          "CREATE VIRTUAL TABLE part USING fts5(id, message_id, session_id, data);",
        ),
        /'part' is a virtual table/,
      ],
      [withTable("`data` text NOT NULL", "`data` text AS (zeroblob(1000000000))"), /computed columns/],
    ];
    for (const [schema, reason] of cases) {
      expect(schema).not.toBe(SCHEMA);
      database(schema).close();
      open = [];
      expect((await run()).reason).toMatch(reason);
      fs.rmSync(path.join(store, "opencode.db"));
    }
  });

  test("with ids that are no file names leaves those sessions out", async () => {
    const db = ordinary();
    addSession(db, "../../escape");
    addSession(db, "ses_/etc");
    const result = await run();
    expect(result).toMatchObject({ saved: true, children: ["ses_kid"], skipped: 2 });
    expect(result.completeness).toMatchObject({ level: "lossy", lost: 2 });
    expect(fs.readdirSync(path.join(capture, "session/children"))).toEqual(["ses_kid.json"]);
  });

  test.each(["{", "[]", "null", "5"])("with a message of %s", async (data) => {
    addMessage(ordinary(), "ses_root", "msg_9", data);
    const result = await run();
    expect(result).toMatchObject({ saved: false, exitCode: 1, children: ["ses_kid"] });
    expect(result.reason).toContain("session ses_root");
  });

  test("with a session that is no valid export keeps it raw only", async () => {
    addMessage(ordinary(), "ses_root", "msg_9", { role: 7 });
    const result = await run();
    expect(result.saved).toBe(false);
    expect(result.reason).toMatch(/message 2: info.role/);
    expect(JSON.parse(read("logs/opencode_export.stdout.log")).messages).toHaveLength(3);
    expect(fs.existsSync(path.join(capture, "session/export.json"))).toBe(false);
  });

  test("with a member called __proto__ keeps it a member", async () => {
    addMessage(ordinary(), "ses_root", "msg_9", '{"role":"user","__proto__":{"polluted":true}}');
    expect((await run()).saved).toBe(true);
    expect(read("session/export.json")).toContain('"__proto__": {');
  });

  test("with too much content", async () => {
    const db = ordinary();
    addMessage(db, "ses_root", "msg_9", { role: "user", text: "x".repeat(100_000) });
    expect((await run({ limits: { sessionBytes: 50_000 } })).reason).toContain("larger than 50000 bytes");
  });

  test("with more sessions or bytes than may be exported says how many are missing", async () => {
    const db = ordinary();
    for (let i = 0; i < 9; i++) addSession(db, `ses_more${i}`, { at: 3 + i });
    const few = await run({ limits: { sessions: 4 } });
    expect(few.children).toHaveLength(3);
    expect(few.completeness.level).toBe("lossy");
    const small = await run({ limits: { totalBytes: 2500 } });
    expect(small.saved).toBe(true);
    expect(small.children.length + small.skipped).toBe(10);
    expect(small.skipped).toBeGreaterThan(0);
  });

  test("can't hold up the run: the reader has a time limit", async () => {
    ordinary();
    const result = await run({ limits: { timeMs: 5 } });
    expect(result).toMatchObject({ saved: false, exitCode: null, reason: "reading took longer than 5 ms" });
  });

  test("empty of sessions", async () => {
    database();
    expect((await run()).reason).toBe("the store holds no session");
  });
});

describe("a reader that was started ahead", () => {
  test("waits for its order", async () => {
    ordinary();
    const reader = new SessionReader();
    await sleep(1000);
    expect(await run({ reader })).toMatchObject({ saved: true, exitCode: 0 });
  });

  test("does not keep the process alive that no longer needs it", () => {
    const file = path.join(dir, "starter.ts");
    const module = path.join(import.meta.dirname, "session-reader.ts");
    fs.writeFileSync(file, `import { SessionReader } from ${JSON.stringify(module)}; new SessionReader();`);
    const child = spawnSync(process.execPath, [file], { timeout: 10_000 });
    expect(child.status).toBe(0);
  });
});

describe("the fallback", () => {
  const exported = (value: unknown) => async () => {
    const stdoutFile = path.join(dir, "printed");
    fs.writeFileSync(stdoutFile, JSON.stringify(value));
    return { exitCode: 0, stdoutFile };
  };
  const info = { id: "ses_root", title: "t", version: "1.19.0", directory: "/workspace" };

  test("is used when the store can't be read, and checked", async () => {
    database("CREATE TABLE session (id text)");
    const fallback = exported({
      info,
      messages: [{ info: { id: "m", sessionID: "ses_root", role: "assistant", finish: "stop" }, parts: [] }],
    });
    const result = await run({ fallback });
    expect(result).toMatchObject({ saved: true, sessionId: "ses_root", opencodeVersion: "1.19.0" });
    expect(result.outcome?.lastFinish).toBe("stop");
    expect(read("logs/opencode_export.stderr.log")).toContain("running opencode export ses_root");
  });

  test("may fail as well", async () => {
    database("CREATE TABLE session (id text)");
    expect((await run({ fallback: exported({ info: {} }) })).reason).toContain("not an export");
    const failing = async () => ({ exitCode: 1, stdoutFile: "/nothing" });
    expect(await run({ fallback: failing })).toMatchObject({ saved: false, exitCode: 1 });
  });
});
