import * as fs from "node:fs";
import * as path from "node:path";
import { errnoOf } from "../core/errors.ts";
import { isIgnored, parseIgnoreRules } from "./ignore-rules.ts";

/** Caches, dependencies and secrets; `.captureignore` can take a rule back with `!`. */
const DEFAULT_RULES = `
node_modules/
__pycache__/
*.pyc
.cache/
.pytest_cache/
.mypy_cache/
.ruff_cache/
.tox/
.nox/
.venv/
.gradle/
.turbo/
.parcel-cache/
.nyc_output/
.eslintcache
.DS_Store
.env*
`;

const IGNORE_FILE = ".captureignore";
const FIXTURES = "tasks/fixtures";
/** Scripts, what they really do, and what each task is for. */
const ANSWERS = ["tasks/models", "tasks/truth", "tasks/issues.json", "tasks/README.md", "tasks/README.zh-CN.md"];

export interface LeftOutOptions {
  /** Real path of the project. */
  project: string;
  issueId: string;
  /** Directories that are never copied, for example the capture root; real paths, inside the project or not. */
  ownDirectories: readonly string[];
}

/** Tells of a path in the project (relative, `/` between parts) whether the working copy goes without it. */
export type LeftOut = (relative: string, isDirectory: boolean) => boolean;

/**
 * What the working copy leaves out. The agent must find neither its own script nor what other tasks or captures hold,
 * whatever `.captureignore` says.
 */
export function leftOutRules(options: LeftOutOptions): LeftOut {
  const rules = [...parseIgnoreRules(DEFAULT_RULES), ...parseIgnoreRules(readIgnoreFile(options.project))];
  const never = new Set(["artifacts", ...ANSWERS]);
  for (const directory of options.ownDirectories) never.add(path.relative(options.project, directory));
  return (relative, isDirectory) => {
    if (never.has(relative) || path.posix.basename(relative) === ".git") return true;
    if (path.posix.dirname(relative) === FIXTURES && path.posix.basename(relative) !== options.issueId) return true;
    return isIgnored(rules, relative, isDirectory);
  };
}

function readIgnoreFile(project: string): string {
  try {
    return fs.readFileSync(path.join(project, IGNORE_FILE), "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
}
