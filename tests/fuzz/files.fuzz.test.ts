import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { CaptureError } from "../../src/core/errors.ts";
import { findJsonFault } from "../../src/core/json-fault.ts";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { readIssues } from "../../src/issues/load-issues.ts";
import { DESCRIBED_FILES } from "../../src/schema/files.ts";
import { issue } from "../../src/schema/issue.ts";
import { sessionExport } from "../../src/schema/session-export.ts";
import { summary } from "../../src/schema/summary.ts";
import { readerResult, WORK_FILES } from "../../src/sensors/session-store/reader-result.ts";
import { messageInfo, messagePart, sessionInfo, sessionRow } from "../../src/sensors/session-store/session-rows.ts";
import { exportStore } from "../../src/sensors/session-store/store-export.ts";
import { buildSummary } from "../../src/summary/build-summary.ts";
import { fuzz, fuzzAsync } from "./fuzz.ts";

/** Files that an agent, an author or somebody who copied a capture has made. */
const FIXTURES = path.join(import.meta.dirname, "../fixtures");
const CAPTURE = path.join(FIXTURES, "captures/20261122T190948Z-fix_math_utils");
const SCHEMA = fs.readFileSync(path.join(FIXTURES, "agent-events/opencode-1.18.33.sql"), "utf8");

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir(), "fuzz-files-"));
});
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

describe("written by people", () => {
  const list = Buffer.from(
    JSON.stringify({
      issues: [
        {
          id: "a",
          risk_level: "safe",
          title: "T",
          prompt: "P",
          files: ["src/a.ts", { source: "b", destination: "c" }],
        },
        { id: "severe_b", title: "T", prompt: "P" },
      ],
    }),
  );

  fuzz("issues.json gives issues that fit their schema, or a plain error", {
    seeds: [list, Buffer.from("[]"), Buffer.from('[{"id":"../x","title":"","prompt":1}]')],
    check(input) {
      const file = path.join(dir, "issues.json");
      fs.writeFileSync(file, input);
      try {
        const { issues } = readIssues(file);
        for (const one of issues) issue.parse(one);
        expect(new Set(issues.map((one) => one.id)).size).toBe(issues.length);
      } catch (error) {
        expect(error).toBeInstanceOf(CaptureError);
        expect((error as CaptureError).message.length).toBeLessThan(20_000);
      }
    },
  });

  fuzz("the place of a fault in JSON is found exactly where there is one", {
    seeds: [list, Buffer.from('{"a":[1,2,{"b":"\\u00e9"}],"c":null}'), Buffer.from("// no\n[1,]")],
    check(input) {
      const text = input.toString("utf8");
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      const fault = findJsonFault(text);
      if (isJson) expect(fault).toBeUndefined();
      if (fault !== undefined) expect(Math.min(fault.line, fault.column)).toBeGreaterThan(0);
    },
  });
});

describe("the session store", () => {
  const SESSION = {
    id: "ses_1",
    slug: "s",
    project_id: "global",
    directory: "/workspace",
    title: "t",
    version: "1.18.33",
    cost: 0,
    time_created: 1,
    time_updated: 2,
  };

  /** A store as OpenCode leaves it, small pages, so that a mutation meets its structure. */
  function store(): Buffer {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "fuzz-store-")), "opencode.db");
    const db = new DatabaseSync(file);
    db.exec(`PRAGMA page_size=512; PRAGMA foreign_keys=OFF; ${SCHEMA}`);
    db.exec(`INSERT INTO session (id, project_id, slug, directory, title, version, time_created, time_updated)
      VALUES ('ses_1', 'global', 's', '/workspace', 't', '1.18.33', 1, 2)`);
    for (let index = 0; index < 5; index++) {
      db.prepare("INSERT INTO message VALUES (?, 'ses_1', 1, 1, ?)").run(
        `msg_${index}`,
        '{"role":"assistant","finish":"stop"}',
      );
      db.prepare("INSERT INTO part VALUES (?, ?, 'ses_1', 1, 1, ?)").run(
        `prt_${index}`,
        `msg_${index}`,
        '{"type":"text","text":"hi"}',
      );
    }
    db.close();
    const bytes = fs.readFileSync(file);
    fs.rmSync(path.dirname(file), { recursive: true });
    return bytes;
  }

  fuzz("a database with any bytes gives sessions or a reason", {
    seeds: [store(), Buffer.from("SQLite format 3\0")],
    check(input) {
      fs.rmSync(path.join(dir, "work"), { recursive: true, force: true });
      fs.mkdirSync(path.join(dir, "work", WORK_FILES.sessions), { recursive: true });
      const workDir = path.join(dir, "work");
      fs.writeFileSync(path.join(workDir, WORK_FILES.database), input);
      const order = { workDir, mode: "store" as const, rootSessionId: null };
      const limits = { maxSessionBytes: 1 << 20, maxTotalBytes: 4 << 20, maxSessions: 10 };
      try {
        const result = readerResult.parse(exportStore({ ...order, ...limits }, () => undefined));
        for (const { id, fault } of result.sessions) {
          const text = fs.readFileSync(path.join(workDir, WORK_FILES.sessions, `${id}.json`), "utf8");
          if (fault === null) sessionExport.parse(JSON.parse(text));
        }
      } catch (error) {
        // In words, as the reading process tells it; a fault of our own has another type.
        expect(error).toBeInstanceOf(Error);
        expect(error).not.toBeInstanceOf(TypeError);
        expect(error).not.toBeInstanceOf(RangeError);
      }
    },
  });

  fuzz("columns that hold JSON give objects or an error", {
    seeds: [
      Buffer.from('{"role":"assistant","path":{"cwd":"/"},"__proto__":{"x":1}}'),
      Buffer.from('{"id":"m","providerID":"p"}'),
      Buffer.from("null"),
    ],
    check(input) {
      const data = input.toString("utf8");
      const optional = Object.fromEntries(Object.keys(sessionRow.shape).map((key) => [key, null]));
      const tokens = Object.fromEntries(
        Object.keys(sessionRow.shape)
          .filter((key) => key.startsWith("tokens"))
          .map((key) => [key, 0]),
      );
      const row = sessionRow.parse({ ...optional, ...tokens, ...SESSION, model: data, metadata: data, revert: data });
      const attempts = [
        () => sessionInfo(row),
        () => messageInfo({ id: "m", session_id: "s", time_created: 1, data }),
        () => messagePart({ id: "p", message_id: "m", session_id: "s", data }),
      ];
      for (const attempt of attempts) {
        let made: Record<string, unknown> = {};
        try {
          made = attempt();
        } catch (error) {
          expect(error).not.toBeInstanceOf(TypeError);
        }
        expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
      }
      expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
    },
  });
});

describe("a capture from elsewhere", () => {
  const files = DESCRIBED_FILES.filter(
    ({ path: file, kind }) => kind !== "derived" && fs.existsSync(path.join(CAPTURE, file)),
  );

  for (const { path: file } of files) {
    fuzzAsync(
      `${file}: the summary is made and fits its schema`,
      [fs.readFileSync(path.join(CAPTURE, file))],
      async (input) => {
        const copy = path.join(dir, "20261122T190948Z-fix_math_utils");
        if (!fs.existsSync(copy)) fs.cpSync(CAPTURE, copy, { recursive: true });
        const target = path.join(copy, file);
        fs.writeFileSync(target, input);
        try {
          const made = await buildSummary(copy);
          summary.parse(made);
          expect(JSON.stringify(made).length).toBeLessThan(32 << 20);
        } finally {
          fs.copyFileSync(path.join(CAPTURE, file), target);
        }
      },
    );
  }

  fuzz("an export of a session", {
    seeds: [fs.readFileSync(path.join(CAPTURE, LAYOUT.sessionExport))],
    check(input) {
      try {
        const parsed = sessionExport.safeParse(JSON.parse(input.toString("utf8")));
        if (parsed.success) expect(parsed.data.info.id).toMatch(/^ses_[A-Za-z0-9]+$/);
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError);
      }
    },
  });
});
