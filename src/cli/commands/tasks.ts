import type { Command } from "commander";
import { EXIT } from "../../core/errors.ts";
import { PACKAGE_ROOT } from "../../core/package-root.ts";
import { checkTasks } from "../../issues/check-tasks.ts";
import type { TaskProblem, TaskReport } from "../../issues/task-report.ts";
import { printableJson, visible } from "../../schema/display.ts";
import { resolveSettings } from "../settings.ts";

interface CheckOptions {
  issuesPath?: string;
  project?: string;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  $ opencode-capture tasks check
  $ opencode-capture tasks check --issues-path my-tasks/issues.json --json

Exit codes: 0 no errors (warnings may stand), 2 errors.
`;

/** `tasks check`: is everything there and right that the issues need? */
export function registerTasks(program: Command): void {
  const tasks = program.command("tasks").description("work on the list of issues");
  tasks
    .command("check")
    .description("check the issues, their files and their scripted models")
    .option("--issues-path <file>", "the list of issues (default: tasks/issues.json of the project)")
    .option("--project <dir>", "the project that the issues' files are in")
    .option("--json", "print JSON")
    .addHelpText("after", EXAMPLES)
    .action((options: CheckOptions) => {
      const flags = { issues_path: options.issuesPath, project: options.project };
      const settings = resolveSettings(flags, process.env, PACKAGE_ROOT);
      const report = checkTasks({ issuesPath: settings.issues_path, projectDir: settings.project });
      const text = options.json === true ? printableJson(report) : taskReportLines(report).join("\n");
      process.stdout.write(`${text}\n`);
      process.exitCode = report.ok ? EXIT.ok : EXIT.usage;
    });
}

/** The report for people: one line an issue, then what is wrong, by file. */
function taskReportLines(report: TaskReport): string[] {
  const width = Math.max(0, ...report.issues.map((issue) => issue.id.length));
  const issues = report.issues.map(
    ({ id, risk_level, personas }) =>
      `${visible(id).padEnd(width)}  ${risk_level.padEnd(6)}  ${personas.length === 0 ? "no scripts" : personas.map(visible).join(", ")}`,
  );
  const count = (level: TaskProblem["level"]) => report.problems.filter((problem) => problem.level === level).length;
  const numbers = `${report.issues.length} issues, ${count("error")} errors, ${count("warning")} warnings`;
  return [...issues, ...(issues.length > 0 ? [""] : []), ...problemLines(report.problems), numbers];
}

function problemLines(problems: readonly TaskProblem[]): string[] {
  const byFile = Map.groupBy(problems, (problem) => problem.file ?? "");
  return [...byFile].flatMap(([file, found]) => [
    visible(file),
    ...found.map(({ level, issue, message }) => {
      const about = issue === null ? "" : `${visible(issue)}: `;
      return `  ${level.padEnd(7)}  ${about}${visible(message)}`;
    }),
    "",
  ]);
}
