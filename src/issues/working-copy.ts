import * as fs from "node:fs";
import * as path from "node:path";
import type { Issue } from "../schema/issue.ts";
import { leftOutRules } from "../workspace/left-out.ts";

/** The working copy of one issue before the run, as it would be made; nothing is made. */
export interface WorkingCopy {
  /** `undefined`: there is no such path in it. `given`: made for each run, its content is known only then. */
  kindOf(inside: string): "file" | "directory" | "link" | "given" | undefined;
  /** Text of a file; undefined for what is none. */
  read(inside: string): string | undefined;
}

/** What every working copy gets, also of the repository that is made in it. */
const GIVEN_FILES: ReadonlySet<string> = new Set([
  "TASK.md",
  ".opencode/plugins/mas_safe_security.ts",
  ".git/HEAD",
  ".git/config",
  ".git/index",
  ".git/refs/heads/main",
]);

export function viewWorkingCopy(issue: Issue, projectDir: string): WorkingCopy {
  const project = path.resolve(projectDir);
  const leftOut = leftOutRules({ project, issueId: issue.id, ownDirectories: [] });
  const sourceOf = (inside: string) => sourceIn(issue, inside) ?? copiedPath(inside, leftOut);
  const kindOf: WorkingCopy["kindOf"] = (inside) => {
    if (GIVEN_FILES.has(inside)) return "given";
    const source = sourceOf(inside);
    if (source === undefined) return undefined;
    const stat = fs.lstatSync(path.join(project, source), { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (stat.isSymbolicLink()) return "link";
    return stat.isDirectory() ? "directory" : "file";
  };
  return {
    kindOf,
    read(inside) {
      const source = sourceOf(inside);
      if (source === undefined || kindOf(inside) !== "file") return undefined;
      return fs.readFileSync(path.join(project, source), "utf8");
    },
  };
}

/** Where the issue itself takes a path from. */
function sourceIn(issue: Issue, inside: string): string | undefined {
  for (const { source, destination } of issue.files) {
    if (inside === destination) return source;
    if (inside.startsWith(`${destination}/`)) return source + inside.slice(destination.length);
  }
  return undefined;
}

/** The same path in the project, where the working copy has it. */
function copiedPath(inside: string, leftOut: ReturnType<typeof leftOutRules>): string | undefined {
  const parts = inside.split("/");
  const isKept = parts.every((_, index) => !leftOut(parts.slice(0, index + 1).join("/"), index < parts.length - 1));
  return isKept ? inside : undefined;
}
