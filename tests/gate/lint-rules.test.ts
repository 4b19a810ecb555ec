import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GateTree } from "./gate-tree.ts";

/**
 * One run of the linter over a tree with a planted file for each rule and for each direction of import between layers;
 * the tests then look for each file in the output.
 */
const LAYERS = [
  "schema",
  "core",
  "evidence",
  "issues",
  "workspace",
  "engine",
  "sandbox",
  "gateway",
  "sensors",
  "supervisor",
  "batch",
  "summary",
  "report",
  "browser",
  "cli",
] as const;

/** Row imports column: `.` allowed, `x` refused; columns in the order of LAYERS. Written by hand from docs/architecture.md. */
const MATRIX: Record<(typeof LAYERS)[number], string> = {
  schema: /*  */ ". x x xxxxxx x x x x x x",
  core: /*    */ "x . x xxxxxx x x x x x x",
  evidence: /**/ ". . . xxxxxx x x x x x x",
  issues: /*  */ ". . . ...... x x x x x x",
  workspace: /**/ ". . . ...... x x x x x x",
  engine: /*  */ ". . . ...... x x x x x x",
  sandbox: /* */ ". . . ...... x x x x x x",
  gateway: /* */ ". . . ...... x x x x x x",
  sensors: /* */ ". . . ...... x x x x x x",
  supervisor: ". . . ...... . x x x x x",
  batch: /*   */ ". . . .xxxxx . . x x x x",
  summary: /* */ ". . . xxxxxx x x . x x x",
  report: /*  */ ". . . xxxxxx x x . . x x",
  browser: /* */ ". . . xxxxxx x x . . . x",
  cli: /*     */ ". . . ...... . . . . . .",
};

const IMPORTED = "export const thing = 1;\nexport type Thing = number;\n";

function plantDirections(): Record<string, string> {
  const files: Record<string, string> = {};
  for (const to of LAYERS) files[`src/${to}/thing.ts`] = IMPORTED;
  for (const from of LAYERS) {
    for (const to of LAYERS) {
      files[`src/${from}/deep/uses-${to}.ts`] =
        `import { thing } from "../../${to}/thing.ts";\n\nexport const used = thing;\n`;
    }
  }
  return files;
}

const uses = (line: string): string => `${line}\n\nexport const used = thing;\n`;
const ok = "export const a = 1;\n";

/** Other ways to import, and other places: file → [text, what the linter says, or "" when it must be quiet]. */
const IMPORT_FORMS: Record<string, [text: string, fault: string]> = {
  "src/core/form-dynamic.ts": ['export const lazy = import("../engine/thing.ts");\n', "must not import 'engine'"],
  "src/core/form-reexport.ts": ['export { thing } from "../engine/thing.ts";\n', "must not import 'engine'"],
  "src/core/form-star.ts": ['export * from "../engine/thing.ts";\n', "must not import 'engine'"],
  "src/core/form-type.ts": [
    'import type { Thing } from "../engine/thing.ts";\n\nexport const a: Thing = 1;\n',
    "must not import 'engine'",
  ],
  "src/core/form-inline-type.ts": [
    'export const a: import("../engine/thing.ts").Thing = 1;\n',
    "must not import 'engine'",
  ],
  "src/core/form.test.ts": [
    'import { thing } from "../engine/thing.ts";\n\nconsole.log(thing);\n',
    "must not import 'engine'",
  ],
  "src/schema/form-package.ts": [
    'import { execa } from "execa";\n\nexport const a = execa;\n',
    "must not import the package 'execa'",
  ],
  "src/schema/form-node.ts": [
    'import { join } from "node:path";\n\nexport const a = join;\n',
    "must not import the package 'node:path'",
  ],
  "src/schema/form-zod.ts": ['import { z } from "zod";\n\nexport const a = z.string();\n', ""],
  "src/core/form-tests.ts": [
    uses('import { thing } from "../../tests/support/thing.ts";'),
    "must not import tests/support/thing.ts",
  ],
  "src/core/form-bench.ts": [uses('import { thing } from "../../bench/thing.ts";'), "must not import bench/thing.ts"],
  "src/core/form-web.ts": [uses('import { thing } from "../../web/src/thing.ts";'), "must not import 'web'"],
  "src/novel/thing.ts": [IMPORTED, ""],
  "src/novel/form.ts": [uses('import { thing } from "../core/thing.ts";'), "'novel' is no known layer"],
  "src/core/form-novel.ts": [uses('import { thing } from "../novel/thing.ts";'), "must not import 'novel'"],
  "web/src/form-schema.ts": [uses('import { thing } from "../../src/schema/thing.ts";'), ""],
  "web/src/form-routes.ts": [
    'import type { Thing } from "../../src/browser/thing.ts";\n\nexport const a: Thing = 1;\n',
    "",
  ],
  "web/src/form-routes-value.ts": [
    uses('import { thing } from "../../src/browser/thing.ts";'),
    "only types from 'browser'",
  ],
  "web/src/form-core.ts": [uses('import { thing } from "../../src/core/thing.ts";'), "must not import 'core'"],
  "web/src/form-core-type.ts": [
    'import type { Thing } from "../../src/core/thing.ts";\n\nexport const a: Thing = 1;\n',
    "must not import 'core'",
  ],
  ".opencode/plugins/form-value.ts": [
    uses('import { thing } from "../../src/schema/thing.ts";'),
    "only types from 'schema'",
  ],
  "tests/support/form.ts": [uses('import { thing } from "../../src/engine/thing.ts";'), ""],
};

/** file → [text, rule]; an empty rule: the same thing where it is allowed. */
const RULE_FAULTS: Record<string, [text: string, rule: string]> = {
  "src/core/cycle-a.ts": [
    'import { b } from "./cycle-b.ts";\n\nexport const a = (): number => b;\n',
    "import(no-cycle)",
  ],
  "src/core/cycle-b.ts": ['import { a } from "./cycle-a.ts";\n\nexport const b = a.length;\n', "import(no-cycle)"],
  "src/core/type-cycle-a.ts": [
    'import type { B } from "./type-cycle-b.ts";\n\nexport interface A {\n  b: B;\n}\n',
    "import(no-cycle)",
  ],
  "src/core/type-cycle-b.ts": [
    'import type { A } from "./type-cycle-a.ts";\n\nexport interface B {\n  a: A;\n}\n',
    "import(no-cycle)",
  ],
  "src/core/floating.ts": [
    "async function work(): Promise<void> {}\n\nexport function start(): void {\n  work();\n}\n",
    "typescript(no-floating-promises)",
  ],
  "src/core/misused.ts": [
    "async function work(): Promise<boolean> {\n  return true;\n}\n\nexport function start(): number {\n  return work() ? 1 : 2;\n}\n",
    "typescript(no-misused-promises)",
  ],
  "web/src/floating.ts": [
    "async function work(): Promise<void> {}\n\nexport function start(): void {\n  work();\n}\n",
    "typescript(no-floating-promises)",
  ],
  "src/core/any.ts": ["export const a = (value: any): string => String(value);\n", "typescript(no-explicit-any)"],
  "src/core/unsafe.ts": ["export const a: string = JSON.parse('1');\n", "typescript(no-unsafe-assignment)"],
  "src/core/bang.ts": [
    "export const a = (value: string | undefined): string => value!;\n",
    "typescript(no-non-null-assertion)",
  ],
  "src/core/throws.ts": ['export function fail(): never {\n  throw "text";\n}\n', "typescript(only-throw-error)"],
  "src/core/switch.ts": [
    'export function f(kind: "a" | "b"): void {\n  switch (kind) {\n    case "a":\n      return;\n  }\n}\n',
    "typescript(switch-exhaustiveness-check)",
  ],
  "src/core/default-export.ts": ["export default 1;\n", "import(no-default-export)"],
  "src/core/env.ts": ['export const a = process.env["A"];\n', "node(no-process-env)"],
  "src/core/env-import.ts": [
    'import { env } from "node:process";\n\nexport const a = env["A"];\n',
    "eslint(no-restricted-imports)",
  ],
  "src/core/settings.ts": ['export const a = process.env["A"];\n', ""],
  "src/cli/env.ts": ['console.log(process.env["A"]);\nprocess.exit(1);\n', ""],
  "src/core/exit.ts": ["export const stop = (): never => process.exit(1);\n", "unicorn(no-process-exit)"],
  "src/core/prints.ts": ['export const say = (): void => console.log("a");\n', "eslint(no-console)"],
  "src/core/long-file.ts": [`export const a = 1;\n${"// line\n".repeat(400)}`, "eslint(max-lines)"],
  "src/core/file-of-400.ts": [`export const a = 1;\n${"// line\n".repeat(399)}`, ""],
  "src/core/long-function.ts": [
    `export function f(): void {\n${"  f();\n".repeat(60)}}\n`,
    "eslint(max-lines-per-function)",
  ],
  "src/core/CamelName.ts": [ok, "unicorn(filename-case)"],
  "src/core/protocol.ts": ['import { join } from "path";\n\nexport const a = join;\n', "unicorn(prefer-node-protocol)"],
  "src/core/focused.test.ts": ['import { it } from "vitest";\n\nit.only("a", () => {});\n', "no-focused-tests"],
  "src/core/disabled.test.ts": ['import { it } from "vitest";\n\nit.skip("a", () => {});\n', "no-disabled-tests"],
  "src/core/suppressed.ts": ["// oxlint-disable-next-line no-console\nexport const a = 1;\n", "Unused"],
  "web/src/inner-html.ts": [
    "export const f = (e: Element, text: string): void => {\n  e.innerHTML = text;\n};\n",
    "project(no-markup-from-text)",
  ],
  "web/src/computed-html.ts": [
    'export const f = (e: Element, text: string): void => {\n  e["innerHTML"] = text;\n};\n',
    "project(no-markup-from-text)",
  ],
  "web/src/adjacent-html.ts": [
    'export const f = (e: Element, text: string): void => e.insertAdjacentHTML("beforeend", text);\n',
    "project(no-markup-from-text)",
  ],
  "web/src/dangerous.tsx": [
    'export const A = () => <p dangerouslySetInnerHTML={{ __html: "a" }} />;\n',
    "project(no-markup-from-text)",
  ],
  "web/src/dangerous-props.ts": [
    'export const props = { dangerouslySetInnerHTML: { __html: "a" } };\n',
    "project(no-markup-from-text)",
  ],
};

let tree: GateTree;
let exitCode: number;
/** Planted file → what the linter said about it. */
const faults = new Map<string, string[]>();

beforeAll(async () => {
  tree = await GateTree.create();
  await tree.plant({
    ...plantDirections(),
    "tests/support/thing.ts": IMPORTED,
    "bench/thing.ts": IMPORTED,
    "web/src/thing.ts": IMPORTED,
    ...Object.fromEntries(
      [...Object.entries(IMPORT_FORMS), ...Object.entries(RULE_FAULTS)].map(([file, [text]]) => [file, text]),
    ),
  });
  const result = await tree.run(["lint"]);
  exitCode = result.exitCode;
  // A diagnostic is `x rule(name): message` and, on the next line, the place.
  for (const [, message = "", file = ""] of result.output.matchAll(/^ *x (.*)\n *,-\[([^:\]]+):\d+:\d+\]/gm)) {
    faults.set(file, [...(faults.get(file) ?? []), message]);
  }
});

afterAll(async () => {
  await tree.remove();
});

const saidOf = (file: string): string => (faults.get(file) ?? []).join("\n");

it("fails", () => {
  expect(exitCode).toBe(1);
});

describe("layers", () => {
  it.each(LAYERS)("'%s' imports what it may and nothing else", (from) => {
    const row = MATRIX[from].replaceAll(" ", "");
    const refused = LAYERS.map((to) =>
      saidOf(`src/${from}/deep/uses-${to}.ts`).includes(`project(layers): '${from}' must not import '${to}'`)
        ? "x"
        : ".",
    );
    expect(refused.join("")).toBe(row);
  });

  it.each(Object.entries(IMPORT_FORMS))("%s", (file, [, fault]) => {
    if (fault === "") expect(saidOf(file)).not.toContain("project(layers)");
    else expect(saidOf(file)).toContain(fault);
  });
});

describe("rules", () => {
  it.each(Object.entries(RULE_FAULTS))("%s", (file, [, rule]) => {
    if (rule === "") expect(saidOf(file)).toBe("");
    else expect(saidOf(file)).toContain(rule);
  });
});
