import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { isIgnored, parseIgnoreRules } from "./ignore-rules.ts";

describe("the syntax of .gitignore", () => {
  it.each([
    ["*.log", "a/b.log", false, true],
    ["/top", "top", false, true],
    ["/top", "a/top", false, false],
    ["a/b", "x/a/b", false, false],
    ["dir/", "x/dir", true, true],
    ["dir/", "x/dir", false, false],
    ["a/**/z", "a/b/c/z", false, true],
    ["# comment", "# comment", false, false],
    ["\\#hash", "#hash", false, true],
    ["a  ", "a", false, true],
    ["*.log\n!keep.log", "keep.log", false, false],
    ["!keep.log\n*.log", "keep.log", false, true],
    ["*", "line\nbreak", false, true],
    ["{a,b}", "a", false, false],
    ["[ab]?", "a1", false, true],
    ["?\n!b/**", "b", true, true],
    ["b/**", "b", true, false],
  ])("%j and %j", (text, file, isDirectory, ignored) => {
    expect(isIgnored(parseIgnoreRules(text), file, isDirectory)).toBe(ignored);
  });
});

it("agrees with git", () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "ignore-"));
  onTestFinished(() => fs.rmSync(dir, { recursive: true }));
  spawnSync("git", ["init", "-q", "--template=", dir]);
  const part = fc.constantFrom("a", "b", "ab", "*", "a*", "?", "**", "*.c", "a.c");
  const pattern = fc
    .tuple(fc.boolean(), fc.boolean(), fc.array(part, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(
      ([negated, anchored, parts, slash]) =>
        `${negated ? "!" : ""}${anchored ? "/" : ""}${parts.join("/")}${slash ? "/" : ""}`,
    );
  const file = fc
    .array(fc.constantFrom("a", "b", "ab", "a.c", ".c"), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join("/"));
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), file, (patterns, name) => {
      fs.writeFileSync(path.join(dir, ".git/info-exclude"), patterns.join("\n"));
      const args = ["-c", `core.excludesFile=${dir}/.git/info-exclude`, "check-ignore", "-q", "--no-index", name];
      const byGit = spawnSync("git", args, { cwd: dir }).status === 0;
      const rules = parseIgnoreRules(patterns.join("\n"));
      // As in a walk: what lies in a directory that is left out is never asked about.
      const parts = name.split("/");
      const ours = parts.some((_, index) =>
        isIgnored(rules, parts.slice(0, index + 1).join("/"), index < parts.length - 1),
      );
      expect(ours, `${patterns.join(" | ")} on ${name}`).toBe(byGit);
    }),
    { numRuns: 150 },
  );
}, 60_000);
