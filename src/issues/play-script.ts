import { type Script, type ScriptEntry, type ScriptToolCall, toolCallsOf } from "../schema/scripted-model.ts";

/** A script that goes on longer than this never ends. */
const MAX_STEPS = 500;

export interface PlayedStep {
  /** Place of the entry in the script's `fixtures`. */
  entry: number;
  toolCalls: ScriptToolCall[];
}

export interface PlayedSession {
  /** First line of what the session was started with. */
  about: string;
  steps: PlayedStep[];
  /**
   * `answer`, `error`: how the script lets it end. `missing`: no entry fits any more. `endless`: it does not end.
   * `open`: what comes next hangs on results that only a run can tell.
   */
  end: "answer" | "error" | "missing" | "endless" | "open";
}

/**
 * Plays a script without an agent: which entry answers which step when every tool call is made. The first session is
 * the task's own, the others are those of its `task` calls. The rules are those of the real model (tasks/README.md).
 */
export function playScript(script: Script, prompt: string): PlayedSession[] {
  const main = playSession(script, prompt);
  const subPrompts = main.steps.flatMap((step) => step.toolCalls).flatMap(subPromptOf);
  return [main, ...subPrompts.map((subPrompt) => playSession(script, subPrompt))];
}

function subPromptOf(call: ScriptToolCall): string[] {
  if (call.name !== "task" || typeof call.arguments === "string") return [];
  const { prompt } = call.arguments;
  return typeof prompt === "string" ? [prompt] : [];
}

function playSession(script: Script, user: string): PlayedSession {
  const session: PlayedSession = { about: user.split("\n", 1)[0] ?? "", steps: [], end: "endless" };
  let lastCalls: ScriptToolCall[] = [];
  while (session.steps.length < MAX_STEPS) {
    const turn = session.steps.length;
    const entry = script.fixtures.findIndex(({ match }) => mayMatch(match, user, turn, lastCalls));
    const found = script.fixtures[entry];
    if (found === undefined) return { ...session, end: "missing" };
    if (isConditional(found.match)) return { ...session, end: "open" };
    const toolCalls = toolCallsOf(found.response);
    session.steps.push({ entry, toolCalls });
    if ("error" in found.response) return { ...session, end: "error" };
    if (toolCalls.length === 0) return { ...session, end: "answer" };
    lastCalls = toolCalls;
  }
  return session;
}

function mayMatch(
  match: ScriptEntry["match"],
  user: string,
  turn: number,
  lastCalls: readonly ScriptToolCall[],
): boolean {
  if (match.turnIndex !== undefined && match.turnIndex !== turn) return false;
  if (match.userMessage !== undefined && !user.includes(match.userMessage)) return false;
  if (match.hasToolResult !== undefined && match.hasToolResult !== lastCalls.length > 0) return false;
  return match.toolCallId === undefined || lastCalls.at(-1)?.id === match.toolCallId;
}

/** Whether the entry also asks for something that is known only in a run. */
function isConditional(match: ScriptEntry["match"]): boolean {
  const { systemMessage, toolResultContains, toolName, model, sequenceIndex } = match;
  return [systemMessage, toolResultContains, toolName, model, sequenceIndex].some((value) => value !== undefined);
}
