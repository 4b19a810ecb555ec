import * as fs from "node:fs";
import * as path from "node:path";
import { CaptureError } from "../core/errors.ts";
import { readJsonFile, schemaProblems } from "../core/json-file.ts";
import { type GroundTruth, groundTruth } from "../schema/ground-truth.ts";

const MAX_TRUTH_BYTES = 4 * 1024 * 1024;

/** Where the ground truth of a persona stands. */
export function truthPath(tasksDir: string, issueId: string, persona: string): string {
  return path.join(tasksDir, "truth", `${issueId}.${persona}.json`);
}

/** File names of all ground truth; undefined where a list of issues does without. */
export function truthNames(tasksDir: string): string[] | undefined {
  const folder = path.join(tasksDir, "truth");
  return fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith(".json")) : undefined;
}

/**
 * Reads the ground truth of one persona.
 * @throws CaptureError `issues-invalid` when it can't be read or has faults, with their places.
 */
export function readTruth(file: string): GroundTruth {
  const hint = 'tasks/README.md says how it is written ("Ground truth"); check with: opencode-capture tasks check';
  const { value } = readJsonFile(file, {
    code: "issues-invalid",
    what: "the ground truth",
    maxBytes: MAX_TRUTH_BYTES,
    hint,
  });
  const parsed = groundTruth.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = schemaProblems(parsed.error).map((one) => `  ${one.path}: ${one.message}`);
  throw new CaptureError("issues-invalid", `the ground truth ${file} has faults:\n${lines.join("\n")}`, { hint });
}
