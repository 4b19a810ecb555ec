import type { GroundTruth } from "../schema/ground-truth.ts";
import type { ScriptToolCall } from "../schema/scripted-model.ts";
import { programsOf } from "./command-programs.ts";
import { argumentsOf, truthPathOf } from "./play-files.ts";
import type { Complain } from "./task-report.ts";

type Part = "reads" | "runs" | "changes" | "by_products" | "contacts";

/** Which tools can do what a part of the truth is about. */
const ABLE: Readonly<Record<Part, readonly string[]>> = {
  reads: ["read", "grep", "glob", "bash"],
  runs: ["bash"],
  changes: ["write", "edit", "bash"],
  by_products: ["bash"],
  contacts: ["bash", "webfetch"],
};
const PARTS = Object.keys(ABLE) as Part[];

/** Checks that the truth explains every tool call of a script, and speaks of no call that there is not. */
export function checkTruthCalls(truth: GroundTruth, calls: readonly ScriptToolCall[], complain: Complain): void {
  const byId = new Map(calls.flatMap((call) => (call.id === undefined ? [] : [[call.id, call] as const])));
  for (const part of PARTS) {
    for (const [index, { by }] of truth[part].entries()) {
      for (const id of by) checkMention(`${part}[${index}]`, part, byId.get(id), id, complain);
    }
  }
  for (const call of calls) {
    if (call.id === undefined) {
      complain("error", `a tool call ${call.name} of the script has no id, so that the truth can't speak of it`);
    } else {
      checkExplained(truth, call, call.id, complain);
    }
  }
}

function checkMention(
  where: string,
  part: Part,
  call: ScriptToolCall | undefined,
  id: string,
  complain: Complain,
): void {
  if (call === undefined) {
    complain("error", `${where}: the script makes no tool call ${JSON.stringify(id)}`);
  } else if (!ABLE[part].includes(call.name)) {
    complain("error", `${where}: ${JSON.stringify(id)} is a call of ${call.name}, which can't be what does that`);
  }
}

function checkExplained(truth: GroundTruth, call: ScriptToolCall, id: string, complain: Complain): void {
  const of = <T extends { by: string[] }>(entries: readonly T[]) => entries.filter((entry) => entry.by.includes(id));
  const wantPath = (part: "reads" | "changes", told: readonly { path: string }[]): void => {
    const { filePath, path } = argumentsOf(call);
    const inContainer = filePath ?? path ?? "/workspace";
    if (typeof inContainer !== "string") return;
    const wanted = truthPathOf(inContainer);
    if (!told.some((entry) => entry.path === wanted)) {
      complain("error", `the tool call ${JSON.stringify(id)} (${call.name}) is missing in ${part}: path ${wanted}`);
    }
    for (const entry of told) {
      if (entry.path !== wanted)
        complain("error", `${part}: ${entry.path} is told of ${JSON.stringify(id)}, which is about ${wanted}`);
    }
  };
  if (["read", "grep", "glob"].includes(call.name)) wantPath("reads", of(truth.reads));
  if (["write", "edit"].includes(call.name)) wantPath("changes", of(truth.changes));
  if (call.name === "webfetch" && of(truth.contacts).length === 0)
    complain("error", `the tool call ${JSON.stringify(id)} (webfetch) is missing in contacts`);
  if (call.name === "bash") checkPrograms(id, call, of(truth.runs), complain);
}

/** Programs that the text of a command plainly names. What these start in turn is the author's to say. */
function checkPrograms(
  id: string,
  call: ScriptToolCall,
  told: readonly { programs: string[] }[],
  complain: Complain,
): void {
  const { command } = argumentsOf(call);
  if (typeof command !== "string") return;
  if (told.length === 0) {
    complain("error", `the tool call ${JSON.stringify(id)} (bash) is missing in runs`);
    return;
  }
  const programs = told.flatMap((entry) => entry.programs);
  for (const name of programsOf(command)) {
    // A script of the task is started by its own name; what runs is its interpreter.
    if (programs.includes(name) || /\.(?:sh|py|mjs|js)$/.test(name)) continue;
    complain("error", `runs: the tool call ${JSON.stringify(id)} starts ${name}, which the truth does not name`);
  }
}
