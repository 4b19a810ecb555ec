import type { ScriptToolCall } from "../schema/scripted-model.ts";
import type { WorkingCopy } from "./working-copy.ts";

/** Where the working copy stands in the container. */
const WORKSPACE = "/workspace";

export interface PlayedFile {
  /** Ids of the calls that write it, in order. */
  by: string[];
  /** Text at the end; undefined where a file's content before is known only in a run. */
  content: string | undefined;
  existedBefore: boolean;
  contentBefore: string | undefined;
}

export interface PlayedFiles {
  /** By path, as ground truth writes it. */
  files: Map<string, PlayedFile>;
  problems: string[];
}

/** A path of a tool call as ground truth writes it: relative within the working copy, absolute elsewhere. */
export function truthPathOf(inContainer: string): string {
  if (inContainer === WORKSPACE) return ".";
  return inContainer.startsWith(`${WORKSPACE}/`) ? inContainer.slice(WORKSPACE.length + 1) : inContainer;
}

/**
 * Plays the calls of `write` and `edit` on a working copy, without a container. Shell commands are not played: files
 * named in `touchedByCommands` may have any content.
 */
export function playFiles(
  calls: readonly ScriptToolCall[],
  copy: WorkingCopy,
  touchedByCommands: ReadonlySet<string>,
): PlayedFiles {
  const played: PlayedFiles = { files: new Map(), problems: [] };
  for (const call of calls) {
    if (call.name !== "write" && call.name !== "edit") continue;
    const { filePath, content, oldString, newString, replaceAll } = argumentsOf(call);
    if (typeof filePath !== "string") continue;
    const path = truthPathOf(filePath);
    const file = played.files.get(path) ?? before(path, copy);
    played.files.set(path, file);
    file.by.push(call.id ?? call.name);
    if (call.name === "write") {
      file.content = typeof content === "string" ? content : undefined;
    } else if (touchedByCommands.has(path) || (file.existedBefore && file.content === undefined)) {
      file.content = undefined;
    } else if (typeof oldString === "string" && typeof newString === "string") {
      const result = edited(file.content, oldString, newString, replaceAll === true);
      if ("problem" in result) played.problems.push(`${call.id ?? call.name}: ${path}: ${result.problem}`);
      else file.content = result.content;
    }
  }
  return played;
}

export function argumentsOf(call: ScriptToolCall): Record<string, unknown> {
  return typeof call.arguments === "string" ? {} : call.arguments;
}

function before(path: string, copy: WorkingCopy): PlayedFile {
  const inside = path.startsWith("/") ? undefined : path;
  const content = inside === undefined ? undefined : copy.read(inside);
  const existedBefore = inside !== undefined && copy.kindOf(inside) !== undefined;
  return { by: [], content, existedBefore, contentBefore: content };
}

/** What OpenCode's `edit` makes of a text; it takes a text that stands there exactly once. */
function edited(
  content: string | undefined,
  oldString: string,
  newString: string,
  replaceAll: boolean,
): { content: string } | { problem: string } {
  if (content === undefined) return { problem: "it edits a file that is not there" };
  const found = content.split(oldString).length - 1;
  if (found === 0) return { problem: `the text to be replaced does not stand in it: ${JSON.stringify(oldString)}` };
  if (found > 1 && !replaceAll) {
    return { problem: `the text to be replaced stands in it ${found} times: ${JSON.stringify(oldString)}` };
  }
  return { content: content.replaceAll(oldString, () => newString) };
}
