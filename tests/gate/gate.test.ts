import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GateTree, lockFile, packageJson } from "./gate-tree.ts";

/** That every tool of the gate fails when it must: a gate that is silently green is worse than none. */
let tree: GateTree;

beforeAll(async () => {
  tree = await GateTree.create();
});

afterAll(async () => {
  await tree.remove();
});

describe("the gate as a whole", () => {
  it("passes on a clean tree, with one short line a tool", async () => {
    const { exitCode, output } = await tree.run([]);
    expect(output).toMatch(/check passed\n$/);
    expect(exitCode).toBe(0);
    expect(output.trimEnd().split("\n")).toHaveLength(8);
  });

  it("runs every tool after one has failed, and names those that failed", async () => {
    const { exitCode, output } = await tree.runWith(
      { "src/core/limit.ts": "export  const   limit = (value: number): any=>value\n" },
      [],
    );
    expect(exitCode).toBe(1);
    expect(output).toMatch(/check failed: format lint unit\n$/);
    expect(output).toMatch(/ok +docs/);
  });

  it("refuses a tool that it does not have", async () => {
    expect((await tree.run(["lint", "lnt"])).exitCode).toBe(2);
  });
});

/** [title, tool, planted files, what its output must say, environment] */
type Case = [string, string, Record<string, string>, RegExp, Record<string, string>?];

const UNUSED = "export const unused = 1;\n";
const TYPE_FAULT = "export const text: string = 1;\n";
const testFile = (body: string): Record<string, string> => ({
  "src/core/planted.test.ts": `import { expect, it } from "vitest";\n\n${body}\n`,
});

const CASES: Case[] = [
  ["bad format", "format", { "src/core/bad.ts": "export  const a=1\n" }, /src\/core\/bad\.ts/],
  ["bad format of JSON", "format", { "config/bad.json": '{"a":1   }\n' }, /config\/bad\.json/],
  ["a type error in src", "types", { "src/core/bad.ts": TYPE_FAULT }, /src\/core\/bad\.ts.*\n.*tsconfig\.json/],
  ["a type error in tests", "types", { "tests/integration/bad.ts": TYPE_FAULT }, /tests\/integration\/bad\.ts/],
  ["a type error in web", "types", { "web/src/bad.ts": TYPE_FAULT }, /web\/src\/bad\.ts.*\n.*web\/tsconfig\.json/],
  [
    "a type error in the plugin",
    "types",
    { ".opencode/plugins/bad.ts": TYPE_FAULT },
    /\.opencode\/plugins\/bad\.ts.*\n.*\.opencode\/tsconfig\.json/,
  ],
  [
    "a file that nothing imports",
    "dead-code",
    { "src/core/unused.ts": UNUSED },
    /Unused files.*\n.*src\/core\/unused\.ts/,
  ],
  [
    "a dead export",
    "dead-code",
    {
      "src/core/limit.ts":
        "export function limit(value: number): number {\n  return value;\n}\nexport const dead = 1;\n",
    },
    /Unused exports.*\n.*dead.*src\/core\/limit\.ts/,
  ],
  [
    "an unused dependency",
    "dead-code",
    { "package.json": packageJson({ dependencies: { zod: "4.0.0", pino: "10.0.0" } }) },
    /Unused dependencies.*\n.*pino/,
  ],
  [
    "a dependency that is not declared",
    "dead-code",
    { "package.json": packageJson({ dependencies: {} }) },
    /Unlisted dependencies.*\n.*zod/,
  ],
  [
    "a lock file without the packages of other platforms",
    "lock",
    {
      "package-lock.json": lockFile({ "node_modules/zod": { optionalDependencies: { "zod-darwin-arm64": "1.0.0" } } }),
    },
    /zod-darwin-arm64/,
  ],
  [
    "documents that are out of date",
    "docs",
    { "package.json": packageJson({ scripts: { "docs:check": "echo docs/format.md is out of date; exit 1" } }) },
    /docs\/format\.md is out of date/,
  ],
  ["no check of documents at all", "docs", { "package.json": packageJson({ scripts: {} }) }, /no script docs:check/],
  ["a failing unit test", "unit", testFile('it("planted", () => expect(1).toBe(2));'), /planted\.test\.ts/],
  ["a test file that breaks", "unit", testFile('throw new Error("planted");'), /planted/],
  [
    "an unhandled rejection",
    "unit",
    testFile('it("ok", () => {\n  void Promise.reject(new Error("planted"));\n  expect(1).toBe(1);\n});'),
    /planted/,
  ],
  [
    "a skipped test on CI",
    "unit",
    testFile('it.skip("planted", () => expect(1).toBe(1));'),
    /skipped on CI.*planted/,
    { CI: "true" },
  ],
  [
    "a planned test on CI",
    "unit",
    testFile('it.todo("planted");\nit("ok", () => expect(1).toBe(1));'),
    /skipped on CI.*planted/,
    { CI: "true" },
  ],
  ["a focused test on CI", "unit", testFile('it.only("planted", () => expect(1).toBe(1));'), /only/i, { CI: "true" }],
];

describe("planted faults", () => {
  it.each(CASES)("%s fails the tool '%s'", async (_title, tool, files, says, env) => {
    const { exitCode, output } = await tree.runWith(files, [tool], env);
    expect(output).toMatch(says);
    expect(output).toMatch(new RegExp(`check failed: ${tool}\n$`));
    expect(exitCode).toBe(1);
  });
});
