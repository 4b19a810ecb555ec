import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");

/** What the gate reads besides the code: the real configuration is what is under test. */
const REAL_FILES = [
  "biome.json",
  "knip.jsonc",
  "oxlint.config.ts",
  "tsconfig.json",
  "web/tsconfig.json",
  ".opencode/tsconfig.json",
  "vitest.config.ts",
  "scripts/check.sh",
  "scripts/test.sh",
  "scripts/lock.ts",
  "scripts/lint",
  "tests/support/property-seed.ts",
  "tests/support/tally-reporter.ts",
];

const PACKAGE_JSON = {
  name: "planted",
  type: "module",
  bin: "src/cli/main.ts",
  scripts: { "docs:check": "node src/cli/main.ts" },
  dependencies: { zod: "4.0.0" },
  devDependencies: { "fast-check": "4.0.0", oxlint: "1.0.0", typescript: "7.0.0", vite: "8.0.0", vitest: "5.0.0" },
};

const LOCK = { lockfileVersion: 3, packages: { "": {}, "node_modules/zod": { version: "4.0.0" } } };

/** The smallest tree that the gate accepts: something in each place that a tool looks at. */
const CLEAN_FILES: Record<string, string> = {
  ".gitignore": "node_modules\n",
  "package.json": `${JSON.stringify(PACKAGE_JSON, null, 2)}\n`,
  "package-lock.json": `${JSON.stringify(LOCK, null, 2)}\n`,
  "src/cli/main.ts": 'import { limit } from "../core/limit.ts";\n\nprocess.exitCode = limit(0);\n',
  "src/core/limit.ts":
    "/** At most one. */\nexport function limit(value: number): number {\n  return Math.min(value, 1);\n}\n",
  "src/core/limit.test.ts":
    'import { expect, it } from "vitest";\nimport { limit } from "./limit.ts";\n\nit("limits", () => {\n  expect(limit(2)).toBe(1);\n});\n',
  "src/schema/run.ts": 'import { z } from "zod";\n\nexport const runSchema = z.object({ id: z.string() });\n',
  "web/vite.config.ts": "export default {};\n",
  "web/src/main.ts":
    'import { runSchema } from "../../src/schema/run.ts";\n\ndocument.title = runSchema.parse({ id: "a" }).id;\n',
  "web/index.html": '<!doctype html>\n<script type="module" src="./src/main.ts"></script>\n',
  ".opencode/plugins/plugin.ts": "export const plugin = 1;\n",
};

export interface GateResult {
  exitCode: number;
  stdout: string;
  /** Both streams, standard error last. */
  output: string;
}

/** A scratch copy of the gate around a minimal tree. */
export class GateTree {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async create(): Promise<GateTree> {
    const tree = new GateTree(await mkdtemp(join(tmpdir(), "gate-")));
    for (const name of REAL_FILES) await cp(join(ROOT, name), join(tree.dir, name), { recursive: true });
    await symlink(join(ROOT, "node_modules"), join(tree.dir, "node_modules"));
    await tree.plant(CLEAN_FILES);
    return tree;
  }

  /** Writes files, named relative to the tree. */
  async plant(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.dir, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
  }

  /** Plants files, runs the gate's tools, and puts the tree back as it was. */
  async runWith(
    files: Readonly<Record<string, string>>,
    tools: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<GateResult> {
    await this.plant(files);
    try {
      return await this.run(tools, env);
    } finally {
      for (const name of Object.keys(files)) {
        const clean = CLEAN_FILES[name];
        if (clean === undefined) await rm(join(this.dir, name));
        else await this.plant({ [name]: clean });
      }
    }
  }

  run(tools: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<GateResult> {
    return this.execute("scripts/check.sh", tools, env);
  }

  /** Runs one of the tree's scripts, without what this run of tests has in its own environment. */
  execute(script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<GateResult> {
    const {
      CI: _ci,
      MAKEFLAGS: _flags,
      MAKELEVEL: _level,
      OPENCODE_CAPTURE_TALLY_FILE: _file,
      OPENCODE_CAPTURE_TALLY_DIR: _dir,
      ...base
    } = process.env;
    return new Promise((done) => {
      execFile(
        join(this.dir, script),
        [...args],
        // Vitest would find itself inside a run of vitest.
        { env: { ...base, VITEST: undefined, VITEST_POOL_ID: undefined, ...env }, maxBuffer: 16 << 20 },
        (error, stdout, stderr) => {
          const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
          done({ exitCode, stdout, output: stdout + stderr });
        },
      );
    });
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** `package.json` of the clean tree with some keys replaced. */
export function packageJson(changes: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ ...PACKAGE_JSON, ...changes }, null, 2)}\n`;
}

/** `package-lock.json` of the clean tree with more entries. */
export function lockFile(packages: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ ...LOCK, packages: { ...LOCK.packages, ...packages } }, null, 2)}\n`;
}
