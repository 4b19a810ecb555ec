import { createHash } from "node:crypto";
import { CaptureError } from "../core/errors.ts";
import { readJsonFile, schemaProblems } from "../core/json-file.ts";
import { type Script, script } from "../schema/scripted-model.ts";

const MAX_SCRIPT_BYTES = 16 * 1024 * 1024;

/**
 * Reads a scripted model.
 * @throws CaptureError `issues-invalid` when it can't be read or has faults, with their places.
 */
export function readScript(file: string): { script: Script; sha256: string } {
  const { value, text } = readJsonFile(file, {
    code: "issues-invalid",
    what: "the scripted model",
    maxBytes: MAX_SCRIPT_BYTES,
    hint: "tasks/README.md says how a script is written",
  });
  const parsed = script.safeParse(value);
  if (!parsed.success) {
    const lines = schemaProblems(parsed.error).map((one) => `  ${one.path}: ${one.message}`);
    throw new CaptureError("issues-invalid", `the scripted model ${file} has faults:\n${lines.join("\n")}`, {
      hint: "tasks/README.md says how a script is written; check with: opencode-capture tasks check",
    });
  }
  return { script: parsed.data, sha256: createHash("sha256").update(text).digest("hex") };
}
