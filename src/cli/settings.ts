import * as fs from "node:fs";
import * as path from "node:path";
import * as z from "zod";
import { CaptureError, errnoOf, errorMessage } from "../core/errors.ts";
import { checkProject } from "./check-project.ts";
import { limitsSetting, mergeLimits } from "./limit-settings.ts";

const SETTINGS_FILE = "opencode-capture.json";
const MAX_TIMEOUT_SECONDS = 7 * 24 * 3600;

/** Every setting, by its name in opencode-capture.json; docs/operations.md lists the flag and variable of each. */
const settingsShape = {
  engine: z.enum(["auto", "docker", "podman"]).default("auto"),
  docker_bin: z.string().min(1).optional(),
  image_ref: z.string().min(1).optional(),
  opencode_bin: z.string().min(1).default("opencode"),
  model: z.string().min(1).default("scripted"),
  sensor: z.enum(["auto", "kernel", "seccomp", "polling"]).default("auto"),
  issues_path: z.string().min(1).optional(),
  capture_root: z.string().min(1).optional(),
  keep_workspace: z.boolean().default(false),
  timeout_seconds: z.number().positive().max(MAX_TIMEOUT_SECONDS).optional(),
  project_config: z.boolean().default(false),
  opencode_config: z.string().min(1).optional(),
  base_url: z.url().optional(),
  api_key_file: z.string().min(1).optional(),
  check_model: z.boolean().default(true),
  max_tokens: z.number().int().positive().optional(),
  max_cost: z.number().positive().optional(),
  price_input: z.number().nonnegative().optional(),
  price_output: z.number().nonnegative().optional(),
  requests_per_minute: z.number().int().positive().optional(),
  model_retry_seconds: z.number().int().nonnegative().max(30).optional(),
  allow_provider_tools: z.boolean().default(false),
  idle_seconds: z.number().positive().max(MAX_TIMEOUT_SECONDS).optional(),
  limits: limitsSetting.optional(),
  fail_on: z.enum(["agent", "incomplete"]).optional(),
};
export const settingsSchema = z.strictObject(settingsShape);
type SettingName = keyof typeof settingsShape;

export type Settings = z.output<typeof settingsSchema> & {
  /** Absolute paths. */
  project: string;
  issues_path: string;
  capture_root: string;
};

/** Settings as they come from the command line: undefined where no flag was given. */
export type SettingFlags = { [K in SettingName]?: string | number | boolean | undefined } & {
  project?: string | undefined;
};

/** The variable of a setting: `engine` → `OPENCODE_CAPTURE_ENGINE`. */
function variableOf(name: string): string {
  return `OPENCODE_CAPTURE_${name.toUpperCase()}`;
}

/**
 * Resolves the settings once: flags > environment > `opencode-capture.json` in the project > defaults.
 * @throws CaptureError `settings-invalid`, naming the place of the fault.
 */
export function resolveSettings(flags: SettingFlags, env: NodeJS.ProcessEnv, packageRoot: string): Settings {
  const project = path.resolve(
    flags.project ?? env[variableOf("project")] ?? defaultProject(process.cwd(), packageRoot),
  );
  checkProject(project);
  const { project: _, ...given } = flags;
  const [file, variables] = [readSettingsFile(project), fromEnvironment(env)];
  const limits = mergeLimits(file["limits"], variables["limits"], given.limits);
  const merged = { ...file, ...variables, ...defined(given), ...defined({ limits }) };
  const parsed = settingsSchema.safeParse(merged);
  if (!parsed.success) throw invalid(`the settings are not valid: ${z.prettifyError(parsed.error)}`);
  return {
    ...parsed.data,
    project,
    issues_path: path.resolve(parsed.data.issues_path ?? path.join(project, "tasks", "issues.json")),
    capture_root: path.resolve(parsed.data.capture_root ?? path.join(project, "artifacts", "captures")),
  };
}

/** The directory one stands in when it has tasks of its own, else the one this program came with. */
function defaultProject(cwd: string, packageRoot: string): string {
  const own = ["tasks/issues.json", SETTINGS_FILE].some((file) => fs.existsSync(path.join(cwd, file)));
  return own ? cwd : packageRoot;
}

function readSettingsFile(project: string): Record<string, unknown> {
  const file = path.join(project, SETTINGS_FILE);
  try {
    const content: unknown = JSON.parse(fs.readFileSync(file, "utf8"));
    const parsed = settingsSchema.partial().safeParse(content);
    if (!parsed.success) throw invalid(`${file}: ${z.prettifyError(parsed.error)}`);
    return resolvePaths(defined(content as Record<string, unknown>), project);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return {};
    if (error instanceof CaptureError) throw error;
    throw invalid(`${file} can't be read: ${errorMessage(error)}`);
  }
}

/** Paths in the file are relative to the project, not to where the command was started. */
function resolvePaths(settings: Record<string, unknown>, project: string): Record<string, unknown> {
  const resolved = { ...settings };
  for (const name of ["issues_path", "capture_root", "api_key_file", "opencode_config"]) {
    const value = resolved[name];
    if (typeof value === "string") resolved[name] = path.resolve(project, value);
  }
  return resolved;
}

function fromEnvironment(env: NodeJS.ProcessEnv): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of Object.keys(settingsShape) as SettingName[]) {
    const text = env[variableOf(name)];
    if (text !== undefined && text !== "") found[name] = parseVariable(name, text);
  }
  return found;
}

const NUMBERS: ReadonlySet<SettingName> = new Set([
  "timeout_seconds",
  "idle_seconds",
  "max_tokens",
  "max_cost",
  "price_input",
  "price_output",
  "requests_per_minute",
  "model_retry_seconds",
]);
const SWITCHES: ReadonlySet<SettingName> = new Set([
  "keep_workspace",
  "project_config",
  "check_model",
  "allow_provider_tools",
]);

function parseVariable(name: SettingName, text: string): string | number | boolean {
  if (NUMBERS.has(name)) return Number(text);
  if (!SWITCHES.has(name)) return text;
  if (["1", "true", "yes"].includes(text.toLowerCase())) return true;
  if (["0", "false", "no"].includes(text.toLowerCase())) return false;
  throw invalid(`${variableOf(name)} must be 1 or 0, not ${JSON.stringify(text)}`);
}

function defined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function invalid(message: string): CaptureError {
  return new CaptureError("settings-invalid", message, {
    hint: "see `opencode-capture run --help` and docs/operations.md for the settings and their values",
  });
}
