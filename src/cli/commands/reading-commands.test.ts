import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCapture } from "../../../tests/support/capture-factory.ts";
import { poisonCapture } from "../../../tests/support/hostile.ts";
import { LAYOUT } from "../../evidence/layout.ts";

const PROJECT = path.resolve(import.meta.dirname, "../../..");
const LEGACY = path.join(PROJECT, "tests/fixtures/legacy-captures");
const NAME = "20261122T162000Z-fix_math_utils";
const OLD = "20261122T161530Z-fix_math_utils";
const HOSTILE = "20261122T150000Z-hostile";
let root: string;

beforeAll(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "commands-")));
  makeCapture(root, NAME);
  fs.cpSync(path.join(LEGACY, OLD), path.join(root, OLD), { recursive: true });
  poisonCapture(makeCapture(root, HOSTILE), true);
});

afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

function run(...args: string[]) {
  const result = spawnSync(process.execPath, ["src/cli/main.ts", ...args, "--capture-root", root], {
    cwd: PROJECT,
    encoding: "utf8",
  });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

/** Whether a terminal would do anything but show the text. */
const DANGEROUS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/;

describe("list", () => {
  it("has one line a capture, newest first", () => {
    const { code, out } = run("list");
    expect(code).toBe(0);
    expect(out.split("\n").map((line) => line.split("  ")[0])).toEqual([NAME, OLD, HOSTILE, ""]);
    expect(JSON.parse(run("list", "--json").out)).toMatchObject([
      { name: NAME, capture_dir: path.join(root, NAME), capture_valid: true },
      { name: OLD, schema_version: 0 },
      { name: HOSTILE },
    ]);
  });
});

describe("show", () => {
  it("tells what a capture says, also one of the earlier program", () => {
    expect(run("show", NAME).out).toMatch(
      /outcome +completed[^]*tool calls: 3[^]*python3 -m pytest[^]*add` now returns the sum/,
    );
    expect(run("show", OLD).out).toMatch(/connections: not observed/);
    expect(JSON.parse(run("show", "latest", "--json").out)).toMatchObject({ run: { issue_id: "fix_math_utils" } });
  });

  it("prints nothing that a terminal would obey", () => {
    for (const args of [["list"], ["show", HOSTILE], ["list", "--json"], ["show", HOSTILE, "--json"]]) {
      const { out, err } = run(...args);
      expect(out.length).toBeGreaterThan(100);
      expect(`${out}${err}`).not.toMatch(DANGEROUS);
    }
  });

  it("says what there is when a name means nothing or too much", () => {
    expect(run("show", "nothing")).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no capture 'nothing'.*\n.*opencode-capture list/),
    });
    expect(run("show", "fix_math")).toMatchObject({ code: 2, err: expect.stringMatching(/may be 2 captures/) });
  });

  it("does not mind a reader that goes away", () => {
    const line = execFileSync(
      "bash",
      ["-c", `"$0" src/cli/main.ts show ${NAME} --json --capture-root "$1" | head -1`, process.execPath, root],
      {
        cwd: PROJECT,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    expect(line).toBe("{\n");
  });
});

describe("report", () => {
  it("makes summary and report again and prints where they are", () => {
    const { code, out } = run("report", NAME, path.join(root, OLD));
    expect(code).toBe(0);
    expect(out).toBe(`${path.join(root, NAME, LAYOUT.report)}\n${path.join(root, OLD, LAYOUT.report)}\n`);
    for (const name of [NAME, OLD]) expect(fs.existsSync(path.join(root, name, LAYOUT.summary))).toBe(true);
  });

  it("writes nothing when one of the names is wrong", () => {
    fs.rmSync(path.join(root, NAME, "report"), { recursive: true, force: true });
    expect(run("report", NAME, "nothing").code).toBe(2);
    expect(fs.existsSync(path.join(root, NAME, "report"))).toBe(false);
  });
});

describe("browse", () => {
  it.each(["x", "65536", "-1", "1.5"])("refuses the port %s", (port) => {
    expect(run("browse", "--port", port)).toMatchObject({ code: 2, err: expect.stringMatching(/port/) });
  });
});
