import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { TextDiffs } from "./text-diff.ts";

const line = fc.constantFrom("one", "two", "three", "", "@@ -1 +1 @@", "--- a/file", "+++ b/file", "-", "+");
const text = fc
  .tuple(fc.array(line, { maxLength: 12 }), fc.boolean())
  .map(([lines, ends]) => lines.join("\n") + (ends && lines.length > 0 ? "\n" : ""));

it("makes diffs that git can apply and that give the other text", () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "text-diff-"));
  onTestFinished(() => fs.rmSync(dir, { recursive: true }));
  const file = path.join(dir, "file");
  fc.assert(
    fc.property(text, text, (before, after) => {
      fc.pre(before !== after);
      const made = new TextDiffs().make("file", Buffer.from(before), Buffer.from(after));
      const diff = "diff" in made ? (made.diff ?? "") : "";
      fs.writeFileSync(file, before);
      execFileSync("git", ["apply", "--unidiff-zero", "--whitespace=nowarn", "-"], { cwd: dir, input: diff });
      expect(fs.readFileSync(file, "utf8")).toBe(after);
    }),
    { numRuns: 60 },
  );
}, 30_000);
