import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeCapture } from "../../tests/support/capture-factory.ts";
import { LAYOUT } from "./layout.ts";
import { openCapture, readFsDiff, readNetwork, readProcessTree, readRun } from "./reader.ts";
import { tooDeep } from "./reader-json.ts";
import { readLines } from "./reader-lines.ts";
import { findCapture, listCaptures } from "./reader-list.ts";
import { streamExchanges, streamNativeEvents } from "./reader-streams.ts";

const LEGACY = path.resolve(import.meta.dirname, "../../tests/fixtures/legacy-captures");
const NAME = "20261122T162000Z-fix_math_utils";
let root: string;
let dir: string;

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "reader-")));
  dir = makeCapture(root, NAME);
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function edit(file: string, change: (value: Record<string, unknown>) => void): void {
  const target = path.join(dir, file);
  const value = JSON.parse(fs.readFileSync(target, "utf8")) as Record<string, unknown>;
  change(value);
  fs.writeFileSync(target, JSON.stringify(value));
}

describe("a capture of today", () => {
  it("is read without a complaint", () => {
    const capture = openCapture(dir);
    for (const read of [readRun, readProcessTree, readNetwork, readFsDiff]) {
      const loaded = read(capture);
      expect(loaded.problems).toEqual([]);
      expect(loaded.value).not.toBeNull();
    }
    expect(readRun(capture).value).toMatchObject({ schema_version: 1, run_status: "completed", exit_code: 0 });
  });

  it("keeps what is right of a file with faults, and names them", () => {
    edit(LAYOUT.run, (run) => {
      run["exit_code"] = "zero";
      run["issue_title"] = { nested: true };
    });
    const run = readRun(openCapture(dir));
    expect(run.value).toMatchObject({ exit_code: null, issue_title: null, run_status: "completed" });
    expect(run.problems).toHaveLength(1);
    expect(run.problems[0]?.message).toMatch(/issue_title.*exit_code/);
  });

  it("leaves out broken entries of a list", () => {
    edit(LAYOUT.processTree, (tree) => (tree["processes"] as unknown[]).splice(1, 0, null, { pid: 7 }, "x"));
    const tree = readProcessTree(openCapture(dir));
    expect(tree.value?.processes).toHaveLength(4);
    expect(tree.problems[0]?.message).toMatch(/processes\[1\].*processes\[2\].*processes\[3\]/);
  });

  it("says that a newer format needs a newer program", () => {
    edit(LAYOUT.run, (run) => {
      run["schema_version"] = 99;
    });
    expect(readRun(openCapture(dir)).problems).toMatchObject([
      { code: "newer-version", message: expect.stringMatching(/format 99 is newer.*update opencode-capture/) },
    ]);
  });

  it.each([
    ["no JSON", "{", "invalid-json"],
    ["no object", "[]", "invalid-shape"],
    ["a senseless version", '{"schema_version":"x"}', "invalid-shape"],
    ["brackets without end", "[".repeat(200_000), "invalid-json"],
  ])("says that %s is no record", (_what, text, code) => {
    fs.writeFileSync(path.join(dir, LAYOUT.run), text);
    expect(readRun(openCapture(dir))).toMatchObject({ value: null, problems: [{ code }] });
  });

  it("does not read a file that is a link", () => {
    fs.rmSync(path.join(dir, LAYOUT.run));
    fs.symlinkSync("/etc/hostname", path.join(dir, LAYOUT.run));
    expect(readRun(openCapture(dir))).toMatchObject({ value: null, problems: [{ code: "not-regular" }] });
  });
});

describe("a capture of the earlier program", () => {
  const capture = openCapture(path.join(LEGACY, "20261122T161530Z-fix_math_utils"));

  it("is read in the newest form, with null for what it does not say", () => {
    const run = readRun(capture);
    expect(run.problems).toEqual([]);
    expect(run.value).toMatchObject({ schema_version: 0, run_status: "completed", model: null, kernel_counters: null });
    const tree = readProcessTree(capture);
    expect(tree.problems).toEqual([]);
    expect(tree.value?.processes).toHaveLength(9);
    expect(tree.value?.processes[0]).toMatchObject({ pid: "19435", argv: null, uid: null });
    expect(readFsDiff(capture)).toMatchObject({
      problems: [],
      value: { counts: { renamed: null }, outside_workspace: null },
    });
    expect(readNetwork(capture)).toMatchObject({ problems: [], value: { snapshot_count: 98, connections: [] } });
  });

  it("has no session id: the earlier program recorded an event's", () => {
    expect(readRun(capture).value?.session_id).toBeNull();
  });
});

describe("streams", () => {
  it("counts broken lines and gives the others", async () => {
    const file = path.join(dir, LAYOUT.nativeEvents);
    const good = fs.readFileSync(file, "utf8").split("\n").filter(Boolean).length;
    fs.appendFileSync(file, '{"half":\nnull\n\n{"timestamp":"x"}\n"unfinished');
    let seen = 0;
    const result = await streamNativeEvents(openCapture(dir), () => seen++);
    expect(result).toMatchObject({
      lines: good + 4,
      valid: good,
      invalid: 4,
      firstInvalid: [good + 1, good + 2, good + 4, good + 5],
    });
    expect(seen).toBe(good);
  });

  it("reads exchanges", async () => {
    const seqs: number[] = [];
    const result = await streamExchanges(openCapture(dir), (one) => seqs.push(one.seq));
    expect(result).toMatchObject({ lines: 4, invalid: 0 });
    expect(seqs).toEqual([0, 1, 2, 3]);
  });

  it("splits at newlines only, across chunks, and leaves out what is too long", async () => {
    const long = "y".repeat(700_000);
    fs.writeFileSync(path.join(dir, "lines"), `a\n${long}\n\u2028ä\n\nend`);
    const seen: [number, string | undefined, boolean][] = [];
    await readLines(dir, "lines", 500_000, (line) => seen.push([line.number, line.text, line.ended]));
    expect(seen).toEqual([
      [1, "a", true],
      [2, undefined, true],
      [3, "\u2028ä", true],
      [4, "", true],
      [5, "end", false],
    ]);
  });
});

describe("the list", () => {
  it("shows newest first, unreadable ones too, and nothing that is no capture", () => {
    fs.cpSync(
      path.join(LEGACY, "20261122T161530Z-fix_math_utils"),
      path.join(root, "20261122T161530Z-fix_math_utils"),
      { recursive: true },
    );
    fs.mkdirSync(path.join(root, "20261122T171530Z-broken"));
    fs.mkdirSync(path.join(root, ".runs"));
    fs.mkdirSync(path.join(root, "notes"));
    fs.symlinkSync("/", path.join(root, "20261122T180000Z-link"));
    expect(listCaptures(root)).toMatchObject([
      { name: "20261122T171530Z-broken", problem: "meta/run.json is missing" },
      { name: NAME, problem: null, formatVersion: 1, model: "scripted" },
      { name: "20261122T161530Z-fix_math_utils", formatVersion: 0, durationSeconds: 232.659 },
    ]);
    expect(listCaptures(path.join(root, "nowhere"))).toEqual([]);
  });

  it("finds a capture by directory, name, beginning, issue or latest", () => {
    makeCapture(root, "20261122T163000Z-other");
    for (const [wanted, name] of [
      [dir, NAME],
      [NAME, NAME],
      ["20261122T1620", NAME],
      ["fix_math", NAME],
      ["latest", "20261122T163000Z-other"],
    ] as const) {
      expect(findCapture(root, wanted).name).toBe(name);
    }
    expect(() => findCapture(root, "2026")).toThrow(/may be 2 captures/);
    expect(() => findCapture(root, "nothing")).toThrow(/no capture 'nothing'/);
  });
});

describe("tooDeep", () => {
  it("counts brackets outside strings", () => {
    expect(tooDeep(`"${"[".repeat(500)}\\"["`)).toBe(false);
    expect(tooDeep("[".repeat(101))).toBe(true);
    expect(tooDeep('{"a":'.repeat(99))).toBe(false);
  });
});
