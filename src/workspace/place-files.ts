import * as fs from "node:fs";
import * as path from "node:path";
import { CaptureError, errnoOf, errorMessage } from "../core/errors.ts";
import type { Issue } from "../schema/issue.ts";
import { atPath, openBeneath } from "./beneath.ts";
import { type CopyOptions, copyFile, copyTree, type SkippedFile } from "./copy-tree.ts";

/**
 * Puts the issue's files from the project into the working copy whose open root is `target`.
 * @throws CaptureError `issues-invalid` when a source is missing or leads out of the project, or a destination is refused.
 */
export async function placeIssueFiles(
  project: string,
  issue: Issue,
  target: number,
  options: Omit<CopyOptions, "leftOut">,
): Promise<SkippedFile[]> {
  const skipped: SkippedFile[] = [];
  for (const file of issue.files) {
    const source = sourceOf(project, issue, file.source);
    const parts = partsOf(issue, file.destination);
    skipped.push(...(await place(issue, source, parts, target, options)));
  }
  return skipped;
}

function sourceOf(project: string, issue: Issue, source: string): string {
  const refuse = (why: string, hint: string, cause?: unknown): never => {
    throw new CaptureError("issues-invalid", `issue '${issue.id}': the file ${JSON.stringify(source)} ${why}`, {
      hint,
      cause,
    });
  };
  let real: string;
  try {
    real = fs.realpathSync(path.resolve(project, source));
  } catch (error) {
    const why = errnoOf(error) === "ENOENT" ? `is missing in ${project}` : `can't be read: ${errorMessage(error)}`;
    return refuse(why, "create it, or correct `files` in tasks/issues.json", error);
  }
  const inside = path.relative(project, real);
  if (inside === ".." || inside.startsWith("../")) {
    return refuse(
      "leads out of the project",
      "put a copy of it into the project: the agent gets nothing from elsewhere",
    );
  }
  return real;
}

function partsOf(issue: Issue, destination: string): string[] {
  const parts = destination.split("/").filter((part) => part !== "" && part !== ".");
  if (destination.startsWith("/") || parts.length === 0 || parts.includes("..") || parts.includes(".git")) {
    throw new CaptureError(
      "issues-invalid",
      `issue '${issue.id}': ${JSON.stringify(destination)} is no place in the working copy`,
      {
        hint: "a destination is a path below the project, outside .git",
      },
    );
  }
  return parts;
}

async function place(
  issue: Issue,
  source: string,
  parts: readonly string[],
  target: number,
  options: Omit<CopyOptions, "leftOut">,
): Promise<SkippedFile[]> {
  const isDirectory = fs.statSync(source).isDirectory();
  const dir = openPlace(issue, target, isDirectory ? parts : parts.slice(0, -1), options);
  try {
    if (isDirectory) {
      const leftOut = (relative: string) => path.posix.basename(relative) === ".git";
      return (await copyTree(source, dir, { ...options, leftOut })).skipped;
    }
    await copyFile(source, atPath(dir, parts.at(-1) ?? ""), options);
    return [];
  } finally {
    fs.closeSync(dir);
  }
}

function openPlace(
  issue: Issue,
  target: number,
  parts: readonly string[],
  options: Omit<CopyOptions, "leftOut">,
): number {
  try {
    return openBeneath(target, parts, options.ownership);
  } catch (error) {
    throw new CaptureError(
      "issues-invalid",
      `issue '${issue.id}': can't put a file into ${JSON.stringify(parts.join("/"))}: ${errorMessage(error)}`,
      {
        hint: "a file or a symbolic link of the project stands in the way",
        cause: error,
      },
    );
  }
}
