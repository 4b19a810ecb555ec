import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { INSIDE } from "../../src/sandbox/agent-config.ts";
import { type TempProject, type Turn, tempProject } from "../support/temp-project.ts";
import { sha256Of } from "./contents.ts";
import type { CaseContext, RecallCase } from "./expect.ts";

const HERE = import.meta.dirname;
/** Where programs and scripts stand inside the container. */
const HOME = `${INSIDE.workspace}/recall`;
/** Programs in one step of the agent: what they print must not be cut by the agent. */
const PROGRAMS_A_STEP = 40;
const STEP_LIMIT_MS = 900_000;

/** One call of one case. */
export interface Call {
  entry: RecallCase & { program: string };
  context: CaseContext;
}

export interface RecallProject extends TempProject {
  calls: Call[];
}

/** How the cases of one run are done. */
export interface RecallPlan {
  cases: readonly RecallCase[];
  counts: readonly number[];
  /** Instances a second; 0: as fast as it goes. */
  perSecond: number;
  /** A command that the agent runs before everything else. */
  first?: string;
}

/** A project whose scripted agent runs the programs of all cases, in steps of its `bash` tool. */
export function recallProject(plan: RecallPlan): RecallProject {
  const build = buildPrograms();
  const calls = plan.counts.flatMap((count) =>
    plan.cases.flatMap((entry, index) => (hasProgram(entry) ? [callOf(entry, index, count, build)] : [])),
  );
  const first = plan.first === undefined ? [] : [bashStep("call_first", plan.first)];
  const project = tempProject([...first, ...stepsOf(calls, plan.perSecond)]);
  fs.cpSync(path.join(HERE, "scripts"), path.join(project.dir, "recall", "scripts"), { recursive: true });
  fs.cpSync(build.dir, path.join(project.dir, "recall", "bin"), { recursive: true });
  return { ...project, calls };
}

function hasProgram(entry: RecallCase): entry is RecallCase & { program: string } {
  return entry.program !== undefined;
}

function callOf(entry: Call["entry"], index: number, count: number, build: Programs): Call {
  const n = Math.min(count, entry.atMost ?? count);
  const tag = `n${count}-${entry.number}-${index}`;
  const self = { self: `${HOME}/bin/recall`, selfBytes: build.sizeBytes, selfSha256: build.sha256 };
  return { entry, context: { tag, n, dir: `${HOME}/work/${tag}`, home: HOME, ...self } };
}

function stepsOf(calls: readonly Call[], perSecond: number): Turn[] {
  const steps: Turn[] = [];
  for (let from = 0; from < calls.length; from += PROGRAMS_A_STEP) {
    const lines = calls
      .slice(from, from + PROGRAMS_A_STEP)
      .map(({ entry, context }) => `${entry.program} ${context.tag} ${context.n}`);
    const command = `bash recall/scripts/run-cases.sh ${perSecond} <<'END'\n${lines.join("\n")}\nEND`;
    steps.push(bashStep(`call_${from}`, command));
  }
  return steps;
}

function bashStep(id: string, command: string): Turn {
  const args = { command, description: "run", timeout: STEP_LIMIT_MS };
  return { content: "", toolCalls: [{ id, name: "bash", arguments: args }] };
}

interface Programs {
  dir: string;
  /** Of the program `recall`. */
  sizeBytes: number;
  sha256: string;
}

/** Compiles the C programs once a state of their source, without any library of the host in them. */
function buildPrograms(): Programs {
  const sources = fs.readdirSync(path.join(HERE, "workload"));
  const newest = Math.max(
    ...["workload", "library"].flatMap((dir) =>
      fs.readdirSync(path.join(HERE, dir)).map((name) => fs.statSync(path.join(HERE, dir, name)).mtimeMs),
    ),
  );
  const dir = path.join(HERE, "..", "..", ".cache", "recall");
  const program = path.join(dir, "recall");
  if (!fs.existsSync(program) || fs.statSync(program).mtimeMs < newest) {
    fs.mkdirSync(dir, { recursive: true });
    const files = sources.filter((name) => name.endsWith(".c")).map((name) => path.join(HERE, "workload", name));
    compile(path.join(dir, "preload.so"), ["-shared", "-nostdlib", "-fPIC", path.join(HERE, "library", "preload.c")]);
    compile(program, ["-static", ...files]);
  }
  return { dir, sizeBytes: fs.statSync(program).size, sha256: sha256Of(fs.readFileSync(program)) };
}

function compile(output: string, args: readonly string[]): void {
  const part = `${output}.part`;
  execFileSync("gcc", ["-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-s", "-o", part, ...args]);
  fs.renameSync(part, output);
}
