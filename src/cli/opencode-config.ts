import { createHash } from "node:crypto";
import { CaptureError } from "../core/errors.ts";
import { readJsonFile } from "../core/json-file.ts";
import type { Issue } from "../schema/issue.ts";
import type { RunPlan } from "../supervisor/plan.ts";
import type { Settings } from "./settings.ts";

const MAX_BYTES = 1024 * 1024;
/** What decides where the agent's requests go, and that nothing is sent elsewhere, is this program's to say. */
const OURS = ["model", "small_model", "provider", "enabled_providers", "disabled_providers", "share", "autoupdate"];

/**
 * What OpenCode is to read beside our own configuration: as the settings say, or as the task needs it.
 * @throws CaptureError `settings-invalid` for a file that can't be read, is no JSON object, or sets what is ours.
 */
export function readInstructions(settings: Settings, issue: Issue): NonNullable<RunPlan["instructions"]> {
  const projectConfig = settings.project_config || issue.project_config === true;
  const { opencode_config: file } = settings;
  if (file === undefined) return { projectConfig, ownConfig: {}, ownConfigFile: null, ownConfigSha256: null };
  const { value, text } = readJsonFile(file, {
    code: "settings-invalid",
    what: "the OpenCode configuration",
    maxBytes: MAX_BYTES,
    hint: "it must be JSON as OpenCode's own opencode.json, without comments",
  });
  if (!isRecord(value)) throw invalid(file, "it is no JSON object");
  const taken = OURS.filter((key) => Object.hasOwn(value, key));
  if (taken.length > 0) throw invalid(file, `it sets what this program sets itself: ${taken.join(", ")}`);
  const ownConfigSha256 = createHash("sha256").update(text).digest("hex");
  return { projectConfig, ownConfig: value, ownConfigFile: file, ownConfigSha256 };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(file: string, why: string): CaptureError {
  return new CaptureError("settings-invalid", `the OpenCode configuration ${file} can't be used: ${why}`, {
    hint: "it may hold agents, MCP servers, permissions, instructions and the like; the model is chosen with --model (docs/models.md)",
  });
}
