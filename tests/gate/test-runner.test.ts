import { chmod, cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { REPOSITORY } from "../support/setup-tree.ts";
import { GateTree } from "./gate-tree.ts";

/** What `make test` and .ci/run say at the end, over a tree with one small test in each suite. */
let tree: GateTree;

const suite = (body: string): string => `import { expect, it } from "vitest";\n\n${body}\n`;
const test = (title: string, value: number): string => `it("${title}", () => {\n  expect(${value}).toBe(1);\n});`;
const PASSING = suite(test("passes", 1));
const FILES = { "tests/integration/a.test.ts": PASSING, "tests/e2e/a.test.ts": PASSING };

beforeAll(async () => {
  tree = await GateTree.create();
  for (const name of ["Makefile", ".ci"]) await cp(join(REPOSITORY, name), join(tree.dir, name), { recursive: true });
  // Set-up has tests of its own; here it would install into the node_modules that this tree borrows.
  await tree.plant({ ...FILES, "scripts/setup.sh": "#!/bin/sh\n" });
  await chmod(join(tree.dir, "scripts/setup.sh"), 0o755);
});

afterAll(async () => {
  await tree.remove();
});

async function runOnCi(files: Record<string, string>): Promise<{ exitCode: number; lastLine: string; output: string }> {
  await tree.plant(files);
  try {
    const { exitCode, output, stdout } = await tree.execute(".ci/run", []);
    return { exitCode, output, lastLine: stdout.trimEnd().split("\n").at(-1) ?? "" };
  } finally {
    await tree.plant(FILES);
  }
}

it("ends with the totals of the gate's tools and of every suite", async () => {
  // Six tools of the gate, its one unit test, one integration and one browser test.
  expect(await runOnCi({})).toMatchObject({ lastLine: "9 passed, 0 failed", exitCode: 0 });
});

it("goes on after a failing suite and counts what failed", async () => {
  const result = await runOnCi({
    "tests/integration/a.test.ts": suite([test("fails", 2), test("passes", 1), test("fails too", 2)].join("\n\n")),
    "tests/e2e/a.test.ts": 'throw new Error("broken");\n',
  });
  // A test file that breaks is one failure.
  expect(result.lastLine).toBe("8 passed, 3 failed");
  const closing = result.output.slice(result.output.lastIndexOf("== failed"));
  expect(closing).toContain("tests/integration/a.test.ts > fails too: expected 2 to be 1");
  expect(closing).toContain("tests/e2e/a.test.ts: broken");
  expect(result.exitCode).not.toBe(0);
});

it("counts a skipped test as failed", async () => {
  const result = await runOnCi({
    "tests/e2e/a.test.ts": suite(
      'it("runs", () => expect(1).toBe(1));\nit.skipIf(true)("planted", () => expect(1).toBe(1));',
    ),
  });
  expect(result.output).toMatch(/skipped on CI.*planted/);
  expect(result.lastLine).toBe("9 passed, 1 failed");
  expect(result.exitCode).not.toBe(0);
});

it("tells what is not built yet, with the reason, and counts it neither way", async () => {
  const pending = 'it("later", (context) => context.skip("pending: not built yet"));';
  const result = await runOnCi({
    "tests/e2e/a.test.ts": suite(`it("runs", () => expect(1).toBe(1));\n${pending}`),
  });
  expect(result.output).toContain("tests/e2e/a.test.ts > later: pending: not built yet");
  expect(result).toMatchObject({ lastLine: "9 passed, 0 failed", exitCode: 0 });
});

it("a set-up that fails is a failure", async () => {
  await tree.plant({ "scripts/setup.sh": "#!/bin/sh\nexit 3\n" });
  const { exitCode, lastLine } = await runOnCi({});
  expect(lastLine).toBe("0 passed, 1 failed");
  expect(exitCode).not.toBe(0);
});
