import type { Command } from "commander";
import { CaptureError, EXIT } from "../../core/errors.ts";
import { PACKAGE_ROOT } from "../../core/package-root.ts";
import { findIssue } from "../../issues/find-issue.ts";
import { loadIssues } from "../../issues/load-issues.ts";
import { printableJson } from "../../schema/display.ts";
import type { Issue } from "../../schema/issue.ts";
import type { RunRecord } from "../../schema/run.ts";
import { runCapture } from "../../supervisor/run.ts";
import { deriveCapture } from "../derive-capture.ts";
import { interruptSignal } from "../interrupt.ts";
import { giveToInvokingUser } from "../invoking-user.ts";
import { announceModel, checkModel } from "../live-model.ts";
import { modelFor, planRun, prepareRuns } from "../prepare-runs.ts";
import { createProgress, showPhase } from "../progress.ts";
import { addRunOptions, type RunOptions, settingFlags } from "../run-options.ts";
import { runSummaryLines } from "../run-summary.ts";
import { resolveSettings, type Settings } from "../settings.ts";

const MAX_LISTED = 20;

const EXAMPLES = `
Examples:
  $ opencode-capture run --issue fix_math_utils
  $ opencode-capture run --issue fix_math_utils --keep-workspace --engine podman
  $ opencode-capture run --issue severe_readme_injection --model scripted:compromised --json

The last line on standard output is the capture directory (--json: the content of meta/run.json).
Exit codes: 0 valid capture, whatever the agent did; 2 usage; 3 nothing could be captured; 4 see --fail-on; 130 interrupted.
`;

export function registerRun(program: Command): void {
  const command = program
    .command("run")
    .description("run one issue in a container and capture everything")
    .option("--issue <id>", "the issue, from tasks/issues.json");
  addRunOptions(command)
    .addHelpText("after", EXAMPLES)
    .action(async (options: RunOptions & { issue?: string }) => {
      process.exitCode = await runOne(options);
    });
}

async function runOne(options: RunOptions & { issue?: string }): Promise<number> {
  const settings = resolveSettings(settingFlags(options), process.env, PACKAGE_ROOT);
  const issue = chosenIssue(loadIssues(settings.issues_path), options.issue);
  const model = modelFor(settings, issue);
  await checkModel(model, settings);
  const progress = createProgress(process.stderr);
  const interrupt = interruptSignal(() => progress.line("stopping … (Ctrl-C again gives up at once)"));
  try {
    const base = await prepareRuns(settings, progress, interrupt.signal);
    if (interrupt.signal.aborted) throw new CaptureError("interrupted", "interrupted before the run began");
    announceModel(model, progress);
    progress.line(`issue    ${issue.id} (${issue.risk_level}): ${issue.title}`);
    const result = await runCapture(
      planRun(base, issue, model),
      {
        onPhase: (name) => showPhase(progress, name),
        onCaptureDirectory: (dir) => progress.line(`capture  ${dir}`),
        derive: deriveCapture,
      },
      interrupt.signal,
    );
    progress.close();
    await giveToInvokingUser(result.captureDir, process.env);
    const lines = await runSummaryLines(result.captureDir, result.record);
    process.stderr.write(`\n${lines.join("\n")}\n`);
    process.stdout.write(options.json === true ? `${printableJson(result.record)}\n` : `${result.captureDir}\n`);
    return exitCodeOf(result.record, settings);
  } finally {
    progress.close();
    interrupt.dispose();
  }
}

/** Not commander's affair: it would complain of the missing option before it names a misspelt one. */
function chosenIssue(issues: readonly Issue[], id: string | undefined): Issue {
  if (id !== undefined) return findIssue(issues, id);
  const known = issues.slice(0, MAX_LISTED).map((issue) => issue.id);
  throw new CaptureError("usage", "run needs to know which issue: --issue ID", {
    hint: `one of: ${known.join(", ")}${issues.length > MAX_LISTED ? ", …" : ""}; all of them: opencode-capture run-all`,
  });
}

/** Exit code of a single run (docs/operations.md). */
export function exitCodeOf(record: RunRecord, settings: Pick<Settings, "fail_on">): number {
  if (record.interrupted) return EXIT.interrupted;
  if (!record.capture_valid) return EXIT.nothingCaptured;
  if (settings.fail_on === "agent" && record.run_status !== "completed") return EXIT.failedOn;
  if (settings.fail_on === "incomplete" && record.completeness !== "complete") return EXIT.failedOn;
  return EXIT.ok;
}
