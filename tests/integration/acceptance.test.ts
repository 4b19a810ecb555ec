import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newBatch } from "../../src/batch/batch-state.ts";
import { runBatch } from "../../src/batch/run-batch.ts";
import { deriveCapture } from "../../src/cli/derive-capture.ts";
import { modelFor, planRun, prepareRuns, type RunBase } from "../../src/cli/prepare-runs.ts";
import { resolveSettings } from "../../src/cli/settings.ts";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { readScript } from "../../src/gateway/script-file.ts";
import { madeCalls } from "../../src/issues/check-truth.ts";
import { touchedByCommands } from "../../src/issues/check-truth-paths.ts";
import { loadIssues } from "../../src/issues/load-issues.ts";
import { playFiles } from "../../src/issues/play-files.ts";
import { personasOf } from "../../src/issues/resolve-model.ts";
import { readTruth, truthPath } from "../../src/issues/truth-file.ts";
import { viewWorkingCopy } from "../../src/issues/working-copy.ts";
import { type CaptureEvent, captureEvent } from "../../src/schema/event.ts";
import type { GroundTruth } from "../../src/schema/ground-truth.ts";
import type { Issue } from "../../src/schema/issue.ts";
import type { Summary } from "../../src/schema/summary.ts";
import { runCapture } from "../../src/supervisor/run.ts";
import { readCapture } from "../support/captures.ts";
import { scoreAttribution } from "../support/truth-against-attribution.ts";
import { changeMismatches, contactMismatches, programMismatches } from "../support/truth-against-capture.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const TASKS = path.join(ROOT, "tasks");
const issues = loadIssues(path.join(TASKS, "issues.json"));

/** One of each level and persona; with OPENCODE_CAPTURE_ALL_TASKS=1 (scripts/test-full.sh) every task and persona. */
const HANDFUL: Readonly<Record<string, readonly string[]>> = {
  careful: ["sales_report", "contact_import", "mirror_docs"],
  compromised: ["interval_merge", "make_dist"],
};
const everything = process.env["OPENCODE_CAPTURE_ALL_TASKS"] === "1";
const personas = [...new Set(issues.flatMap((issue) => personasOf(TASKS, issue.id)))].toSorted();

function issuesOf(persona: string): Issue[] {
  return issues.filter(
    ({ id }) => personasOf(TASKS, id).includes(persona) && (everything || HANDFUL[persona]?.includes(id) === true),
  );
}

const quiet = { line: () => {}, status: () => {}, close: () => {} };
const never = new AbortController().signal;
let captureRoot: string;
beforeAll(() => {
  captureRoot = fs.mkdtempSync(path.join(os.tmpdir(), "acceptance-"));
});
afterAll(() => {
  fs.rmSync(captureRoot, { recursive: true, force: true });
});

function settingsFor(persona: string) {
  const flags = { engine: "podman", project: ROOT, capture_root: captureRoot, model: `scripted:${persona}` };
  return resolveSettings(flags, {}, ROOT);
}

/** As `run-all` does it, without the pause after severe tasks. */
async function runAll(base: RunBase, persona: string): Promise<Map<string, string>> {
  const settings = settingsFor(persona);
  const own = issuesOf(persona);
  const state = newBatch(
    own.map((issue) => issue.id),
    settings.model,
  );
  await runBatch({
    captureRoot,
    issues: own,
    state,
    runOne: (issue) => runCapture(planRun(base, issue, modelFor(settings, issue)), { derive: deriveCapture }, never),
    hooks: { onStart: () => {}, onEnd: () => {}, onCoolDown: () => {}, onUnsaved: () => {} },
    signal: never,
    coolDownSeconds: 0,
  });
  const seconds = state.items.reduce((sum, item) => sum + (item.duration_seconds ?? 0), 0);
  // People want to see what the whole set takes.
  if (everything) process.stdout.write(`${own.length} runs of the persona ${persona}: ${Math.round(seconds)} s\n`);
  expect(state.items.filter((item) => item.success !== true)).toEqual([]);
  return new Map(state.items.map((item) => [item.issue_id, item.capture_dir ?? ""]));
}

/** What OpenCode answers a model whose call it could not carry out as it was written. */
const FAILED_CALLS =
  /tool are invalid|unavailable tool|Could not find oldString|ripgrep execution failed|File not found/;

/** What tools answered the model: the last request of a session holds all that came before. */
function toolResults({ dir, exchanges }: ReturnType<typeof readCapture>): string {
  const bodies = exchanges.map(
    ({ request: { text, file } }) =>
      text ?? (file === null ? "{}" : fs.readFileSync(path.join(dir, "model", file), "utf8")),
  );
  const messages = bodies.flatMap((body): { role: string; content: unknown }[] => JSON.parse(body).messages ?? []);
  const results = messages.filter((message) => message.role === "tool").map((message) => String(message.content));
  expect(results.length).toBeGreaterThan(0);
  return results.join("\n");
}

/** What the kernel sensor saw; undefined where the run was polled. */
function kernelEvents(dir: string): CaptureEvent[] | undefined {
  const file = path.join(dir, LAYOUT.events);
  if (!fs.existsSync(file)) return undefined;
  const lines = fs
    .readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return lines.map((line) => captureEvent.parse(JSON.parse(line)));
}

const score = { expected: 0, found: 0 };
afterAll(() => {
  if (everything)
    process.stdout.write(`attribution: ${score.found} of ${score.expected} effects tied to their calls\n`);
});

/** Every effect that the truth knows stands under its call, and nothing is left over that no call explains. */
function attributed(truth: GroundTruth, summary: Summary): void {
  const { expected, missing } = scoreAttribution(truth, summary);
  score.expected += expected;
  score.found += expected - missing.length;
  expect(missing).toEqual([]);
  expect(summary.attribution?.unattributed_effects).toEqual([]);
  if (truth.persona === "careful") expect(summary.discrepancies).toEqual([]);
}

describe.each(personas)("every task played by %s is captured as it was", (persona) => {
  let captures: Map<string, string>;
  beforeAll(async () => {
    const base = await prepareRuns(settingsFor(persona), quiet, never);
    captures = await runAll(base, persona);
  }, 3_600_000);

  it.each(issuesOf(persona).map((issue) => ({ id: issue.id, issue })))("$id", ({ id, issue }) => {
    const capture = readCapture(captures.get(id) ?? "");
    expect(capture.run).toMatchObject({ run_status: "completed", capture_valid: true, execution_error: null });

    const { script } = readScript(path.join(TASKS, "models", `${id}.${persona}.json`));
    const calls = madeCalls(script, issue);
    const made = capture.exchanges.flatMap((one) => one.tool_calls.map((call) => call.id ?? ""));
    expect(made.toSorted()).toEqual(calls.map((call) => call.id ?? "").toSorted());
    expect(toolResults(capture)).not.toMatch(FAILED_CALLS);

    const truth = readTruth(truthPath(TASKS, id, persona));
    expect(changeMismatches(truth, capture.fsDiff)).toEqual([]);
    const events = kernelEvents(capture.dir);
    if (events !== undefined) {
      expect(programMismatches(truth, events)).toEqual([]);
      expect(contactMismatches(truth, events)).toEqual([]);
      attributed(truth, capture.summary);
      expect(capture.summary.reconciliation).toMatchObject({ total: 0, mismatches: [] });
    }
    const { files } = playFiles(calls, viewWorkingCopy(issue, ROOT), touchedByCommands(truth, calls));
    const touched = touchedByCommands(truth, calls);
    for (const [file, { content }] of files) {
      if (content === undefined || touched.has(file)) continue;
      const seen = capture.fsDiff.changes.find((change) => change.path === file);
      expect(seen?.after_sha256, file).toBe(createHash("sha256").update(content).digest("hex"));
    }
  });
});
