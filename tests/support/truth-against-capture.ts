import picomatch from "picomatch";
import type { GroundTruth, TruthChange } from "../../src/schema/ground-truth.ts";
import type { FileChange, FsDiff } from "../../src/schema/observations.ts";

/** What OpenCode itself leaves in home and in /tmp, whatever the task is. */
const MACHINERY = [
  "/home/agent/.cache/opencode/**",
  "/home/agent/.local/share/opencode/**",
  "/home/agent/.local/state/opencode/**",
  "/home/agent/.local/state/opencode",
  "/tmp/opencode/**",
  "/tmp/opencode",
  "/tmp/.*-????????.so",
  "/tmp/.*-????????.node",
];

interface Seen {
  path: string;
  change: FileChange;
}

/** All changes of a capture, with paths as ground truth writes them. */
function seenChanges(diff: FsDiff): Seen[] {
  const outside = diff.outside_workspace.flatMap(({ root, changes }) =>
    changes.map((change) => ({ path: `${root}/${change.path}`, change })),
  );
  return [...diff.changes.map((change) => ({ path: change.path, change })), ...outside];
}

/**
 * Compares what the truth says was changed with what the capture saw.
 * @returns one sentence for each thing that is in one and not in the other.
 */
export function changeMismatches(truth: GroundTruth, diff: FsDiff): string[] {
  const seen = seenChanges(diff);
  const byPath = new Map(seen.map((one) => [one.path, one.change]));
  const missing = truth.changes.flatMap((change) => mismatchOf(change, byPath.get(change.path)));
  const patterns = [...truth.by_products.map((one) => one.path), ...MACHINERY];
  const isExplained = picomatch(patterns, { dot: true });
  const told = new Set(truth.changes.map((change) => change.path));
  const unexplained = seen
    .filter((one) => !told.has(one.path) && !isExplained(one.path))
    .map((one) => `${one.path} was ${one.change.change_type}, and the truth does not explain it`);
  return [...missing, ...unexplained];
}

function mismatchOf(told: TruthChange, seen: FileChange | undefined): string[] {
  if (told.kind === "temporary" || told.kind === "refused") {
    return seen === undefined ? [] : [`${told.path} is told as ${told.kind} and was ${seen.change_type}`];
  }
  if (seen === undefined) return [`${told.path} is told as ${told.kind} and is not among the changes`];
  return seen.change_type === told.kind ? [] : [`${told.path} is told as ${told.kind} and was ${seen.change_type}`];
}
