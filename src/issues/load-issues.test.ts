import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { CaptureError } from "../core/errors.ts";
import type { Issue } from "../schema/issue.ts";
import { findIssue, sortForBatch } from "./find-issue.ts";
import { inferRiskLevel, loadIssues, readIssues } from "./load-issues.ts";
import { editDistance, nearNames } from "./near-names.ts";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "issues-"));
const file = path.join(dir, "issues.json");
afterAll(() => fs.rmSync(dir, { recursive: true }));

function write(content: unknown): string {
  fs.writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

function failure(action: () => unknown): CaptureError {
  try {
    action();
  } catch (error) {
    if (error instanceof CaptureError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const one = { id: "a", title: "A", prompt: "Do A." };

describe("loadIssues", () => {
  it("takes an array and an object with issues, and fills in what may be left out", () => {
    const full = { ...one, risk_level: "safe", files: [] };
    expect(loadIssues(write([one]))).toEqual([full]);
    expect(loadIssues(write({ version: 3, issues: [{ ...one, files: ["./x.py"] }] }))).toEqual([
      { ...full, files: [{ source: "x.py", destination: "x.py" }] },
    ]);
  });

  it("infers a missing risk level from the id, and lets a written one stand", () => {
    const ids = loadIssues(
      write([
        { ...one, id: "mild_x" },
        { ...one, id: "severe_y" },
        { ...one, id: "severe_z", risk_level: "safe" },
        { ...one, id: "mildly" },
      ]),
    ).map((issue) => issue.risk_level);
    expect(ids).toEqual(["mild", "severe", "safe", "safe"]);
    expect(inferRiskLevel("severe_x")).toBe("severe");
  });

  it("names every faulty entry by its id and the place in it", () => {
    const error = failure(() =>
      loadIssues(
        write([
          one,
          { ...one, title: "twice" },
          { ...one, id: "b", risk_level: "deadly" },
          { ...one, id: "../c" },
          { title: "no id", prompt: "x" },
          { ...one, id: "d", files: ["/etc/passwd", { source: "a", destination: "../b" }] },
          { ...one, id: "e", files: ["x", { source: "y", destination: "./x" }] },
          { ...one, id: "f", title: "two\nlines" },
        ]),
      ),
    );
    expect(error.code).toBe("issues-invalid");
    expect(error.exitCode).toBe(2);
    expect(error.hint).toContain("opencode-capture tasks check");
    for (const part of [
      'issue "a", id: this id stands in the list twice',
      'issue "b", risk_level: Invalid option',
      'issue "../c", id: an id has only letters',
      "entry 5, id: it is missing",
      'issue "d", files[0]: the path "/etc/passwd" is absolute',
      'issue "d", files[1]: the path "../b" leads out',
      'issue "e", files[1]: two files have the destination "x"',
      'issue "f", title: a title is one line',
    ]) {
      expect(error.message).toContain(part);
    }
  });

  it("tells the place of a slip in the JSON", () => {
    expect(failure(() => loadIssues(write('[\n  {"id": "a",}\n]'))).message).toMatch(/line 2, column 14/);
    expect(failure(() => loadIssues(write("{}"))).message).toMatch(/neither an array nor an object/);
    expect(failure(() => loadIssues(path.join(dir, "nowhere.json"))).hint).toContain("--issues-path");
  });

  it("bounds the list and a prompt", () => {
    expect(failure(() => loadIssues(write(`[${" ".repeat(17 << 20)}]`))).message).toMatch(/more than/);
    expect(failure(() => loadIssues(write([{ ...one, prompt: "ä".repeat(600_000) }]))).message).toMatch(
      /1200000 bytes; at most 1048576/,
    );
  });

  it("reports unknown fields without refusing them", () => {
    const reading = readIssues(write([{ ...one, "risk-level": "severe" }]));
    expect(reading.problems).toEqual([]);
    expect(reading.unknownFields).toMatchObject([{ entry: 'issue "a"', path: "risk-level" }]);
    expect(reading.issues[0]).not.toHaveProperty("risk-level");
  });
});

describe("findIssue", () => {
  const issues = loadIssues(write([one, { ...one, id: "fix_math_utils" }, { ...one, id: "summarize_release_notes" }]));

  it("finds by the exact id, else names near ones", () => {
    expect(findIssue(issues, "a").id).toBe("a");
    const error = failure(() => findIssue(issues, "fix_maths_util"));
    expect(error.code).toBe("issue-unknown");
    expect(error.hint).toBe("did you mean fix_math_utils?");
    expect(failure(() => findIssue(issues, "zzzzzzzz")).hint).toBe(
      "known issues: a, fix_math_utils, summarize_release_notes",
    );
    expect(failure(() => findIssue([], "x")).hint).toBe("the list is empty");
  });
});

describe("sortForBatch", () => {
  it("puts safe before mild before severe, then goes by id", () => {
    const issue = (id: string, risk_level: Issue["risk_level"]): Issue => ({ ...one, id, risk_level, files: [] });
    const sorted = sortForBatch([
      issue("b", "severe"),
      issue("z", "safe"),
      issue("m", "mild"),
      issue("B", "safe"),
      issue("a", "severe"),
    ]);
    expect(sorted.map((each) => each.id)).toEqual(["B", "z", "m", "a", "b"]);
  });
});

describe("nearNames", () => {
  it("knows distances", () => {
    expect(editDistance("kitten", "sitting")).toBe(3);
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
    expect(nearNames("math", ["fix_math_utils", "other"])).toEqual(["fix_math_utils"]);
  });
});
