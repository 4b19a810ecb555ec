import * as fs from "node:fs";
import * as path from "node:path";
import { deriveCapture } from "../../src/cli/derive-capture.ts";
import { modelFor, planRun, prepareRuns } from "../../src/cli/prepare-runs.ts";
import { resolveSettings } from "../../src/cli/settings.ts";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { findIssue } from "../../src/issues/find-issue.ts";
import { loadIssues } from "../../src/issues/load-issues.ts";
import type { Exchange } from "../../src/schema/exchange.ts";
import type { RunPlan } from "../../src/supervisor/plan.ts";
import { runCapture } from "../../src/supervisor/run.ts";
import { readCapture } from "../support/captures.ts";
import { type TempProject, type Turn, tempProject } from "../support/temp-project.ts";
import type { AttributionCase, Label } from "./label.ts";

const quiet = { line: () => {}, status: () => {}, close: () => {} };
const never = new AbortController().signal;

/** A project whose scripted agent goes through the cases, and what is true of them. */
export interface Corpus {
  project: TempProject;
  cases: readonly AttributionCase[];
}

/** @param finalMessage the agent's last words. */
export function corpusProject(cases: readonly AttributionCase[], finalMessage = "All done."): Corpus {
  const project = tempProject([]);
  for (const [name, content] of Object.entries(Object.assign({}, ...cases.map((one) => one.files ?? {})))) {
    const file = path.join(project.dir, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, String(content), { mode: 0o755 });
  }
  const entries = (userMessage: string, turns: readonly Turn[]) =>
    turns.map((response, turnIndex) => ({ match: { userMessage, turnIndex }, response }));
  const fixtures = [
    ...entries("Issue ID: probe", [...cases.flatMap((one) => one.turns), { content: finalMessage }]),
    ...cases
      .flatMap((one) => one.children ?? [])
      .flatMap(({ prompt, turns }) => entries(prompt, [...turns, { content: "The part is done." }])),
  ];
  fs.writeFileSync(path.join(project.dir, "tasks/models/probe.careful.json"), JSON.stringify({ fixtures }));
  return { project, cases };
}

/** Runs it with the real agent in a real container, in this process. */
export async function runCorpus(
  { project }: Corpus,
  options: { projectConfig?: boolean; plugin?: boolean } = {},
): Promise<ReturnType<typeof readCapture>> {
  const flags = {
    project: project.dir,
    engine: "podman",
    sensor: "kernel",
    project_config: options.projectConfig ?? false,
    timeout_seconds: 1500,
    idle_seconds: 600,
  };
  const settings = resolveSettings(flags, {}, project.dir);
  const base = await prepareRuns(settings, quiet, never);
  const issue = findIssue(loadIssues(settings.issues_path), "probe");
  const plan: RunPlan = planRun(base, issue, modelFor(settings, issue));
  const change: Partial<RunPlan> = options.plugin === false ? { pluginFile: undefined } : {};
  const result = await runCapture({ ...plan, ...change }, { derive: deriveCapture }, never);
  return readCapture(result.captureDir);
}

/** The labels of the cases, and those that the commands told in their results. */
export function labelsOf(cases: readonly AttributionCase[], capture: ReturnType<typeof readCapture>): Label[] {
  const equals = cases.flatMap((one) => one.equals ?? []);
  const told = [...toldFiles(capture.dir, capture.exchanges)].map(([file, id]): Label => {
    const group = equals.find((ids) => ids.includes(id));
    return { file, by: [id], ...(group === undefined ? {} : { equals: group }) };
  });
  return [...cases.flatMap((one) => one.labels), ...told];
}

/** File → the call whose result names it. */
function toldFiles(captureDir: string, exchanges: readonly Exchange[]): Map<string, string> {
  const told = new Map<string, string>();
  for (const { request } of exchanges) {
    const file = path.join(captureDir, path.dirname(LAYOUT.exchanges), request.file ?? "");
    const body = JSON.parse(request.text ?? fs.readFileSync(file, "utf8")) as { messages?: Message[] };
    for (const message of body.messages ?? []) {
      if (message.role !== "tool") continue;
      for (const [, name = ""] of JSON.stringify(message.content).matchAll(/LABEL file (\/[\w./]+)/gu)) {
        told.set(name, message.tool_call_id ?? "");
      }
    }
  }
  return told;
}

interface Message {
  role: string;
  content: unknown;
  tool_call_id?: string;
}
