import * as path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normaliseFile, normalisePath } from "./issue-files.ts";

describe("normalisePath", () => {
  it.each([
    ["a/b.py", "a/b.py"],
    ["./a//b/", "a/b"],
    ["a/./b", "a/b"],
    ["..a/b..", "..a/b.."],
    ["./A:/b", "A:/b"],
  ])("%j becomes %j", (written, plain) => {
    expect(normalisePath(written)).toBe(plain);
  });

  it.each([
    ["/etc/passwd", /absolute/],
    ["C:\\x", /absolute/],
    ["a\\b", /backslash/],
    ["a/../b", /leads out/],
    ["..", /leads out/],
    ["a\0b", /NUL/],
    [".", /names no file/],
    ["", /names no file/],
  ])("refuses %j", (written, why) => {
    expect(() => normalisePath(written)).toThrow(why);
  });

  it("never lets a path out of the project, whatever is written", () => {
    const piece = fc.oneof(fc.constantFrom("..", ".", "", "a", "/", "\\", "\0", "b.py"), fc.string({ maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        let plain: string;
        try {
          plain = normalisePath(pieces.join("/"));
        } catch {
          return;
        }
        const resolved = path.resolve("/project", plain);
        expect(resolved.startsWith("/project/")).toBe(true);
        expect(path.relative("/project", resolved)).toBe(plain);
        expect(normalisePath(plain)).toBe(plain);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("normaliseFile", () => {
  it("takes a string as source and destination at once", () => {
    expect(normaliseFile("./a.py")).toEqual({ source: "a.py", destination: "a.py" });
    expect(normaliseFile({ source: "x/a.py", destination: "./b.py" })).toEqual({
      source: "x/a.py",
      destination: "b.py",
    });
  });
});
