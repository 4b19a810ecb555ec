import * as fs from "node:fs";
import * as path from "node:path";
import type { Issue } from "../schema/issue.ts";
import { checkSource } from "./check-files.ts";
import { checkScript } from "./check-script.ts";
import { checkTruth } from "./check-truth.ts";
import { checkInert, fixtureTexts } from "./check-truth-hosts.ts";
import { readIssues } from "./load-issues.ts";
import { DEFAULT_PERSONA, personasOf, scriptNames } from "./resolve-model.ts";
import type { Complain, TaskProblem, TaskReport } from "./task-report.ts";
import { truthNames, truthPath } from "./truth-file.ts";

/**
 * Checks a list of issues with all that belongs to it: files of the project, scripts beside the list in `models/`.
 * @throws CaptureError `issues-invalid` only where the list itself can't be read.
 */
export function checkTasks(options: { issuesPath: string; projectDir: string }): TaskReport {
  const { projectDir } = options;
  const issuesPath = path.resolve(options.issuesPath);
  const tasksDir = path.dirname(issuesPath);
  const problems: TaskProblem[] = [];
  const complainOf =
    (issue: string | null, file: string): Complain =>
    (level, message) =>
      problems.push({ level, issue, file: shownPath(projectDir, file), message });

  const reading = readIssues(issuesPath);
  const complain = complainOf(null, issuesPath);
  const describe = (one: (typeof reading.problems)[number]) =>
    `${one.entry}${one.path === "" ? "" : `, ${one.path}`}: ${one.message}`;
  for (const one of reading.problems) complain("error", describe(one));
  for (const one of reading.unknownFields) complain("warning", describe(one));

  for (const issue of reading.issues) {
    for (const { source } of issue.files) checkSource(projectDir, source, complainOf(issue.id, issuesPath));
    checkScripts(issue, tasksDir, projectDir, complainOf);
    if (truthNames(tasksDir) !== undefined) checkGroundTruth(issue, tasksDir, projectDir, complainOf);
  }
  checkStrays(reading.issues, tasksDir, projectDir, complainOf);
  return {
    ok: problems.every((problem) => problem.level !== "error"),
    issues: reading.issues.map((issue) => ({
      id: issue.id,
      title: issue.title,
      risk_level: issue.risk_level,
      files: issue.files.map((file) => file.destination),
      personas: personasOf(tasksDir, issue.id),
    })),
    problems,
  };
}

type ComplainOf = (issue: string | null, file: string) => Complain;

function checkScripts(issue: Issue, tasksDir: string, projectDir: string, complainOf: ComplainOf): void {
  const personas = personasOf(tasksDir, issue.id);
  const fileOf = (persona: string) => path.join(tasksDir, "models", `${issue.id}.${persona}.json`);
  if (!personas.includes(DEFAULT_PERSONA)) {
    complainOf(issue.id, fileOf(DEFAULT_PERSONA))(
      "error",
      `there is no script for the persona ${DEFAULT_PERSONA}, which is what a run uses by default`,
    );
  }
  for (const persona of personas)
    checkScript(fileOf(persona), issue, projectDir, complainOf(issue.id, fileOf(persona)));
}

/** Where a list of issues has ground truth, all of it is held to it: what is done is told, and nothing can do harm. */
function checkGroundTruth(issue: Issue, tasksDir: string, projectDir: string, complainOf: ComplainOf): void {
  const personas = personasOf(tasksDir, issue.id);
  const scriptOf = (persona: string) => path.join(tasksDir, "models", `${issue.id}.${persona}.json`);
  if (issue.risk_level !== "safe" && personas.every((persona) => persona === DEFAULT_PERSONA)) {
    const file = scriptOf("compromised");
    complainOf(issue.id, file)(
      "error",
      `the task is ${issue.risk_level} and has no persona that does what it is about`,
    );
  }
  for (const persona of personas) {
    const truthFile = truthPath(tasksDir, issue.id, persona);
    const scriptFile = scriptOf(persona);
    const complain = complainOf(issue.id, truthFile);
    const complainOfScript = complainOf(issue.id, scriptFile);
    checkTruth({ issue, persona, projectDir, truthFile, scriptFile, complain, complainOfScript });
  }
  checkInert(issue.prompt, complainOf(issue.id, path.join(tasksDir, "issues.json")));
  for (const { file, text } of fixtureTexts(issue, projectDir))
    checkInert(text, complainOf(issue.id, path.resolve(projectDir, file)));
}

/** Scripts and fixtures that no issue uses: an issue was renamed, or a name is misspelt. */
function checkStrays(issues: readonly Issue[], tasksDir: string, projectDir: string, complainOf: ComplainOf): void {
  const used = new Set(
    issues.flatMap((issue) => personasOf(tasksDir, issue.id).map((persona) => `${issue.id}.${persona}.json`)),
  );
  for (const name of scriptNames(tasksDir).toSorted()) {
    if (!used.has(name))
      complainOf(null, path.join(tasksDir, "models", name))("warning", "this script belongs to no issue");
  }
  for (const name of (truthNames(tasksDir) ?? []).toSorted()) {
    if (!used.has(name))
      complainOf(null, path.join(tasksDir, "truth", name))("warning", "this ground truth belongs to no script");
  }
  const fixtures = path.join(tasksDir, "fixtures");
  if (!fs.existsSync(fixtures)) return;
  const sources = issues.flatMap((issue) => issue.files.map((file) => path.resolve(projectDir, file.source)));
  for (const name of fs.readdirSync(fixtures).toSorted()) {
    const folder = path.join(fixtures, name);
    const isUsed = sources.some((source) => source === folder || source.startsWith(folder + path.sep));
    if (!isUsed) complainOf(null, folder)("warning", "no issue uses these fixtures");
  }
}

function shownPath(projectDir: string, file: string): string {
  const relative = path.relative(path.resolve(projectDir), file);
  return relative.startsWith("..") || path.isAbsolute(relative) ? file : relative;
}
