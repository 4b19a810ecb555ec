import * as fs from "node:fs";
import * as path from "node:path";
import { errorMessage } from "../core/errors.ts";
import { schemaProblems } from "../core/json-file.ts";
import { readScript } from "../gateway/script-file.ts";
import type { Issue } from "../schema/issue.ts";
import { type Script, type ScriptToolCall, toolCallsOf } from "../schema/scripted-model.ts";
import { AGENT_TOOLS, mcpServersOf } from "./agent-tools.ts";
import { playScript } from "./play-script.ts";
import { buildPrompt } from "./prompt.ts";
import type { Complain } from "./task-report.ts";

/** Where the working copy stands in the container. */
const WORKSPACE = "/workspace/";
/** Files that every working copy gets. */
const GIVEN_FILES: ReadonlySet<string> = new Set(["TASK.md", ".opencode/plugins/mas_safe_security.ts"]);

const NOT_FOR_SUB_AGENTS: ReadonlySet<string> = new Set(["task", "todowrite"]);

/** Checks one script of an issue: its form, its tool calls, and that it can be played to an end. */
export function checkScript(file: string, issue: Issue, projectDir: string, complain: Complain): void {
  let script: Script;
  try {
    ({ script } = readScript(file));
  } catch (error) {
    complain("error", errorMessage(error));
    return;
  }
  checkToolCalls(script, mcpServersOf(issue, projectDir), complain);
  checkPlay(script, issue, complain);
  checkPaths(script, issue, projectDir, complain);
}

function checkToolCalls(script: Script, mcpServers: readonly string[], complain: Complain): void {
  const ids = new Set<string>();
  for (const [index, entry] of script.fixtures.entries()) {
    if (entry.match.sequenceIndex !== undefined) {
      complain("warning", `fixtures[${index}]: sequenceIndex counts requests, so a retry shifts it; turnIndex is safe`);
    }
    for (const call of toolCallsOf(entry.response)) {
      const where = `fixtures[${index}], tool call ${JSON.stringify(call.id ?? call.name)}`;
      if (call.id !== undefined && ids.has(call.id)) complain("error", `${where}: this id is used twice`);
      if (call.id !== undefined) ids.add(call.id);
      for (const problem of argumentProblems(call, mcpServers)) complain("warning", `${where}: ${problem}`);
    }
  }
}

/** Only warnings: a script may make a mistake on purpose. */
function argumentProblems(call: ScriptToolCall, mcpServers: readonly string[]): string[] {
  // What such a tool takes is its server's to say.
  if (mcpServers.some((server) => call.name.startsWith(`${server}_`))) return [];
  const schema = Object.hasOwn(AGENT_TOOLS, call.name) ? AGENT_TOOLS[call.name] : undefined;
  if (schema === undefined) {
    return [`OpenCode has no tool ${JSON.stringify(call.name)}; it has ${Object.keys(AGENT_TOOLS).join(", ")}`];
  }
  const parsed = schema.safeParse(argumentsOf(call));
  if (parsed.success) return [];
  return schemaProblems(parsed.error).map((one) => (one.path === "" ? one.message : `${one.path}: ${one.message}`));
}

function argumentsOf(call: ScriptToolCall): unknown {
  if (typeof call.arguments !== "string") return call.arguments;
  try {
    return JSON.parse(call.arguments);
  } catch {
    return call.arguments;
  }
}

function checkPlay(script: Script, issue: Issue, complain: Complain): void {
  const sessions = playScript(script, buildPrompt(issue));
  const used = new Set<number>();
  for (const [index, { about, steps, end }] of sessions.entries()) {
    for (const step of steps) used.add(step.entry);
    const which = `the session that begins with ${JSON.stringify(about.slice(0, 60))}`;
    const calls = steps.flatMap((step) => step.toolCalls.map((call) => call.name));
    const foreign = index === 0 ? undefined : calls.find((name) => NOT_FOR_SUB_AGENTS.has(name));
    if (foreign !== undefined) {
      complain(
        "error",
        `${which} is a sub-agent's and calls ${foreign}, which sub-agents lack; tell sessions apart with userMessage`,
      );
    }
    if (end === "missing")
      complain("error", `no entry answers turn ${steps.length} of ${which}: an agent would fail there`);
    if (end === "endless") complain("error", `${which} has no end: its last answer needs to be one without tool calls`);
    // What hangs on results can reach any entry.
    if (end === "open") return;
  }
  for (const [index, { match }] of script.fixtures.entries()) {
    if (!used.has(index) && match.systemMessage === undefined) complain("warning", `fixtures[${index}] is never used`);
  }
}

/** A path that is wrong in a script shows only as an error message to the model, in the middle of a run. */
function checkPaths(script: Script, issue: Issue, projectDir: string, complain: Complain): void {
  const written = new Set<string>();
  let commands = "";
  for (const [index, entry] of script.fixtures.entries()) {
    for (const call of toolCallsOf(entry.response)) {
      const { command, filePath } = (typeof call.arguments === "string" ? {} : call.arguments) as Record<
        string,
        unknown
      >;
      if (typeof command === "string") commands += `${command}\n`;
      if (typeof filePath !== "string") continue;
      const where = `fixtures[${index}], ${call.name}`;
      if (!filePath.startsWith("/"))
        complain("error", `${where}: the path ${filePath} is not absolute; OpenCode's tools want /workspace/…`);
      if (call.name === "write") written.add(filePath);
      if (!filePath.startsWith(WORKSPACE) || written.has(filePath)) continue;
      const inside = filePath.slice(WORKSPACE.length);
      if (isKnown(inside, issue, projectDir) || commands.includes(path.basename(inside))) continue;
      complain("warning", `${where}: ${filePath} is neither a file of the project nor made before in this script`);
    }
  }
}

function isKnown(inside: string, issue: Issue, projectDir: string): boolean {
  if (GIVEN_FILES.has(inside)) return true;
  for (const { source, destination } of issue.files) {
    if (inside === destination) return true;
    if (
      inside.startsWith(`${destination}/`) &&
      fs.existsSync(path.join(projectDir, source, inside.slice(destination.length)))
    )
      return true;
  }
  return fs.existsSync(path.join(projectDir, inside));
}
