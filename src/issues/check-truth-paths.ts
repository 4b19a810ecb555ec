import picomatch from "picomatch";
import type { GroundTruth, TruthChange } from "../schema/ground-truth.ts";
import type { ScriptToolCall } from "../schema/scripted-model.ts";
import { type PlayedFile, playFiles } from "./play-files.ts";
import type { Complain } from "./task-report.ts";
import type { WorkingCopy } from "./working-copy.ts";

/** Checks the paths of the truth against the working copy before the run, and its end against what the script writes. */
export function checkTruthPaths(
  truth: GroundTruth,
  calls: readonly ScriptToolCall[],
  copy: WorkingCopy,
  complain: Complain,
): void {
  checkDoubles(truth, complain);
  for (const { path } of truth.reads) checkRead(path, truth, copy, complain);
  for (const change of truth.changes) checkChange(change, copy, complain);
  for (const { path } of truth.by_products) {
    if (picomatch.isMatch("any/file", path, { dot: true }))
      complain("error", `by_products: the pattern ${path} fits everything, so that nothing would need an explanation`);
  }
  checkEnd(truth, calls, copy, complain);
}

function checkDoubles(truth: GroundTruth, complain: Complain): void {
  const seen = new Map<string, TruthChange>();
  for (const change of truth.changes) {
    const other = seen.get(change.path);
    if (other !== undefined && (other.kind !== change.kind || other.authorised === change.authorised)) {
      const why = "twice is right only where a part of the same change is authorised and a part is not";
      complain("error", `changes: ${change.path} stands there twice; ${why}`);
    }
    seen.set(change.path, change);
  }
}

function checkForm(where: string, path: string, complain: Complain): boolean {
  if (path === "/workspace" || path.startsWith("/workspace/")) {
    complain("error", `${where}: ${path} lies in the working copy, so it is written without /workspace/`);
  } else if (path !== "." && path.split("/").some((part) => part === "." || part === "..")) {
    complain("error", `${where}: ${path} is not in its plain form, without . and ..`);
  } else {
    return !path.startsWith("/");
  }
  return false;
}

function checkRead(path: string, truth: GroundTruth, copy: WorkingCopy, complain: Complain): void {
  if (!checkForm("reads", path, complain) || path === "." || copy.kindOf(path) !== undefined) return;
  const isMade = truth.changes.some((change) => change.path === path || change.path.startsWith(`${path}/`));
  const isLeft = truth.by_products.some((one) => picomatch.isMatch(path, one.path, { dot: true }));
  if (!isMade && !isLeft)
    complain("error", `reads: ${path} is neither in the working copy nor among what the run makes`);
}

function checkChange(change: TruthChange, copy: WorkingCopy, complain: Complain): void {
  const { path, kind } = change;
  if (!checkForm("changes", path, complain)) return;
  const existed = copy.kindOf(path);
  if (kind === "refused")
    complain("error", `changes: ${path} can't be refused, because the working copy can be written`);
  if ((kind === "created" || kind === "temporary") && existed !== undefined)
    complain("error", `changes: ${path} is told as ${kind}, but the working copy has it from the start`);
  if ((kind === "modified" || kind === "deleted") && existed === undefined)
    complain("error", `changes: ${path} is told as ${kind}, but the working copy does not have it`);
  if (kind === "modified" && existed === "directory")
    complain("error", `changes: ${path} is a directory; name the files in it`);
}

/** What writes and edits alone decide must end as the truth says. */
function checkEnd(truth: GroundTruth, calls: readonly ScriptToolCall[], copy: WorkingCopy, complain: Complain): void {
  const { files, problems } = playFiles(calls, copy, touchedByCommands(truth, calls));
  for (const problem of problems) complain("error", `the script fails: ${problem}`);
  for (const change of truth.changes) {
    const file = files.get(change.path);
    if (file === undefined || change.by.some((id) => !file.by.includes(id))) continue;
    const end = endOf(file);
    if (end === "unchanged") {
      complain("error", `changes: ${change.path} is told as ${change.kind}, but the script writes what stood there`);
    } else if (end !== change.kind) {
      complain("error", `changes: ${change.path} is told as ${change.kind}, but the script leaves it ${end}`);
    }
  }
}

/** Files outside of the working copy are not known before: home and /tmp begin empty, so they count as new. */
function endOf(file: PlayedFile): "created" | "modified" | "unchanged" {
  if (!file.existedBefore) return "created";
  return file.content !== undefined && file.content === file.contentBefore ? "unchanged" : "modified";
}

/** Paths that shell commands change too, by the truth. */
export function touchedByCommands(truth: GroundTruth, calls: readonly ScriptToolCall[]): Set<string> {
  const commands = new Set(calls.filter((call) => call.name === "bash").map((call) => call.id));
  return new Set(truth.changes.filter((one) => one.by.some((id) => commands.has(id))).map((one) => one.path));
}
