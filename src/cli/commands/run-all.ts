import type { Command } from "commander";
import { type BatchState, loadInterruptedBatch, newBatch } from "../../batch/batch-state.ts";
import { type BatchHooks, type BatchProgress, progressOf, runBatch } from "../../batch/run-batch.ts";
import { CaptureError, EXIT } from "../../core/errors.ts";
import { PACKAGE_ROOT } from "../../core/package-root.ts";
import { findIssue, sortForBatch } from "../../issues/find-issue.ts";
import { loadIssues } from "../../issues/load-issues.ts";
import { printableJson } from "../../schema/display.ts";
import type { Issue } from "../../schema/issue.ts";
import { runCapture } from "../../supervisor/run.ts";
import { deriveCapture } from "../derive-capture.ts";
import { interruptSignal } from "../interrupt.ts";
import { giveToInvokingUser } from "../invoking-user.ts";
import { announceModel, checkModel } from "../live-model.ts";
import { modelFor, planRun, prepareRuns } from "../prepare-runs.ts";
import { createProgress, type Progress, showPhase } from "../progress.ts";
import { addRunOptions, type RunOptions, settingFlags } from "../run-options.ts";
import { resolveSettings } from "../settings.ts";
import { exitCodeOf } from "./run.ts";

interface RunAllOptions extends RunOptions {
  issue?: string[];
  resume?: boolean;
}

const EXAMPLES = `
Examples:
  $ opencode-capture run-all
  $ opencode-capture run-all --keep-workspace
  $ opencode-capture run-all --issue fix_math_utils --issue summarize_release_notes
  $ opencode-capture run-all --resume

The issues run one after the other: safe, mild, severe, then by id. A failed agent with a valid capture counts as success.
Standard output gets one line a run: its capture directory (--json: the whole result at the end).
Exit codes: 0 every capture is valid; 1 one is not; 2 usage; 3 nothing could be captured; 4 see --fail-on; 130 interrupted.
`;

export function registerRunAll(program: Command): void {
  const command = program
    .command("run-all")
    .description("run every issue, one after the other")
    .option("--issue <id>", "only this issue; can be given several times", (id: string, ids: string[] | undefined) => [
      ...(ids ?? []),
      id,
    ])
    .option("--resume", "go on with the batch that was interrupted last");
  addRunOptions(command)
    .addHelpText("after", EXAMPLES)
    .action(async (options: RunAllOptions) => {
      process.exitCode = await runAll(options);
    });
}

async function runAll(options: RunAllOptions): Promise<number> {
  const settings = resolveSettings(settingFlags(options), process.env, PACKAGE_ROOT);
  const all = loadIssues(settings.issues_path);
  if (all.length === 0) {
    throw new CaptureError("issues-invalid", `the list of issues ${settings.issues_path} is empty: nothing to run`, {
      hint: "write an issue into it as tasks/README.md says, or name another list with --issues-path FILE",
    });
  }
  const { issues, state } = chooseIssues(options, all, settings);
  const models = new Map(issues.map((issue) => [issue.id, modelFor(settings, issue)]));
  const [first] = models.values();
  if (first !== undefined) await checkModel(first, settings);
  const progress = createProgress(process.stderr);
  const interrupt = interruptSignal(() =>
    progress.line("stopping after this run's capture is finished … (Ctrl-C again gives up at once)"),
  );
  try {
    const base = await prepareRuns(settings, progress, interrupt.signal);
    if (first !== undefined) announceModel(first, progress);
    const codes: number[] = [];
    const runOne = async (issue: Issue) => {
      const model = models.get(issue.id) ?? modelFor(settings, issue);
      const onPhase = (name: string) => showPhase(progress, name);
      const result = await runCapture(
        planRun(base, issue, model),
        { onPhase, derive: deriveCapture },
        interrupt.signal,
      );
      await giveToInvokingUser(result.captureDir, process.env);
      codes.push(exitCodeOf(result.record, settings));
      if (options.json !== true) process.stdout.write(`${result.captureDir}\n`);
      return result;
    };
    const captureRoot = settings.capture_root;
    await runBatch({ captureRoot, issues, state, runOne, hooks: hooksFor(progress), signal: interrupt.signal });
    progress.close();
    if (options.json === true) process.stdout.write(`${printableJson(state)}\n`);
    return batchExitCode(state, codes, interrupt.signal.aborted);
  } finally {
    progress.close();
    interrupt.dispose();
  }
}

function chooseIssues(
  options: RunAllOptions,
  all: readonly Issue[],
  settings: { capture_root: string; model: string },
): { issues: Issue[]; state: BatchState } {
  if (options.resume === true) {
    if (options.issue !== undefined)
      throw new CaptureError("usage", "--resume goes on with the issues of the interrupted batch; leave --issue out");
    const state = loadInterruptedBatch(settings.capture_root);
    const open = new Set(state.items.filter((item) => item.state !== "done").map((item) => item.issue_id));
    return { issues: sortForBatch([...open].map((id) => findIssue(all, id))), state };
  }
  const wanted = options.issue === undefined ? all : [...new Set(options.issue)].map((id) => findIssue(all, id));
  const issues = sortForBatch(wanted);
  return {
    issues,
    state: newBatch(
      issues.map((issue) => issue.id),
      settings.model,
    ),
  };
}

function hooksFor(progress: Progress): BatchHooks {
  const counts = (p: BatchProgress) => `ok ${p.successes}, failed ${p.failures}`;
  return {
    onStart: (issue, p) =>
      progress.line(`[${p.done + 1}/${p.total}] ${issue.risk_level.padEnd(6)} ${issue.id} … (${counts(p)})`),
    onEnd: (issue, item, p) => {
      const outcome =
        item.success === true ? `ok, ${item.run_status}` : `FAILED, ${item.error ?? item.run_status ?? "interrupted"}`;
      progress.line(
        `[${p.done}/${p.total}] ${issue.risk_level.padEnd(6)} ${issue.id}: ${outcome}, ${item.duration_seconds} s (${counts(p)})`,
      );
      if (item.capture_dir !== null) progress.line(`        ${item.capture_dir}`);
    },
    onCoolDown: (seconds) => {
      progress.line(`cooling down for ${seconds} s after a severe task`);
      progress.status("cooling down");
    },
    onUnsaved: (why) =>
      progress.line(`warning  the batch goes on, but --resume will not know of it what could not be saved: ${why}`),
  };
}

function batchExitCode(state: BatchState, codes: readonly number[], interrupted: boolean): number {
  if (interrupted) return EXIT.interrupted;
  const { failures, total } = progressOf(state);
  if (total > 0 && codes.length === 0) return EXIT.nothingCaptured;
  if (failures > 0) return EXIT.invalidCapture;
  return codes.includes(EXIT.failedOn) ? EXIT.failedOn : EXIT.ok;
}
