import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import { compare, nothing, only, write } from "./compare-test-bench.ts";
import { sensitivePaths } from "./sensitive-paths.ts";

describe("limits", () => {
  const many = (root: string): void => {
    for (let index = 0; index < 50; index++) write(`f${index}`, `${index}\n`.repeat(10))(root);
    write(".env")(root);
  };

  it("cut the list, not the counts, and leave room for sensitive paths", async () => {
    const isSensitive = sensitivePaths([".env*"]);
    const result = await compare(nothing, many, { isSensitive, limits: { changes: 0, sensitiveExtra: 5 } });
    expect(result).toMatchObject({ truncated: true, touchedSensitive: true, counts: { created: 51, total: 51 } });
    expect(only(result)).toMatchObject({ path: ".env", sensitive_path: true });
  });

  it("of all diffs together leave the rest without", async () => {
    const result = await compare(nothing, many, { limits: { totalLength: 500 } });
    const withDiff = result.changes.filter(({ diff }) => diff !== undefined);
    expect(withDiff.length).toBeGreaterThan(0);
    expect(withDiff.reduce((sum, { diff = "" }) => sum + diff.length, 0)).toBeLessThanOrEqual(500);
    expect(result.changes.filter(({ diff_omitted }) => diff_omitted === "budget").length).toBe(51 - withDiff.length);
  });

  it("F11: of entries end the walk; then nothing is called deleted, and it is said", async () => {
    const before = (root: string): void => {
      write("a-gone")(root);
      many(root);
    };
    const after = (root: string): void => {
      fs.rmSync(path.join(root, "a-gone"));
      for (let index = 0; index < 50; index++) write(`new${index}`)(root);
    };
    const result = await compare(before, after, { limits: { entries: 20 } });
    expect(result).toMatchObject({ truncated: true, stopped: "after 20 entries", counts: { deleted: 0 } });
    expect(result.counts.created).toBeLessThanOrEqual(20);
    const inTime = await compare(before, after, { limits: { walkMs: 600_000 } });
    expect(inTime).toMatchObject({ truncated: false, stopped: undefined, counts: { created: 50, deleted: 1 } });
  });

  it("F11: of time end the walk, too", async () => {
    const after = (root: string): void => {
      for (let index = 0; index < 1100; index++) write(`new${index}`, "")(root);
    };
    const result = await compare(nothing, after, { limits: { walkMs: 0 } });
    expect(result).toMatchObject({ truncated: true, stopped: "after 0 s, with 1024 entries" });
  });

  it("of time hold for texts made to be slow to compare", async () => {
    const shuffled = (seed: number) =>
      Array.from({ length: 40_000 }, (_, index) => `${(index * seed) % 9973}\n`).join("");
    const startMs = performance.now();
    const result = await compare(write("slow", shuffled(7919)), write("slow", shuffled(104_729)));
    expect(performance.now() - startMs).toBeLessThan(5000);
    expect(only(result).diff_omitted).toBe("budget");
  });
});

it("leaves out the small file that OpenCode writes, and says so", async () => {
  const options = { excludedPaths: [".git/opencode"] };
  const git = (root: string): void => fs.mkdirSync(path.join(root, ".git"));
  const small = await compare(git, write(".git/opencode", "a".repeat(40)), options);
  expect(small).toMatchObject({ changes: [], excluded: [{ path: ".git/opencode", size_bytes: 40 }] });
  const large = await compare(git, write(".git/opencode", "a".repeat(4000)), options);
  expect(only(large).path).toBe(".git/opencode");
});
