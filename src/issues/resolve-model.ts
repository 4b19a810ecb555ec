import * as fs from "node:fs";
import * as path from "node:path";
import { CaptureError } from "../core/errors.ts";
import { type LiveModel, type LivePlaces, looksLive, resolveLive } from "../gateway/live/resolve-live.ts";
import { readScript } from "../gateway/script-file.ts";
import type { Issue } from "../schema/issue.ts";
import { compareText, nearNames } from "./near-names.ts";

export const DEFAULT_PERSONA = "careful";

/** A persona is part of a file name and of OpenCode's name of the model. */
const PERSONA = /^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$/;

export interface ScriptedModel {
  kind: "scripted";
  /** As it was asked for. */
  requested: string;
  persona: string;
  /** Absolute path of the script. */
  file: string;
  sha256: string;
}

/** What a run's model can be. */
export type RunModel = ScriptedModel | LiveModel;

export interface ModelContext {
  issue: Pick<Issue, "id">;
  /** Holds `models/`. */
  tasksDir: string;
  /** What a relative FILE starts from; by default the directory that the program runs in. */
  cwd?: string;
  /** Where the address and the key of a live model are looked for. */
  live?: LivePlaces;
}

/**
 * What `--model` names: `scripted`, `scripted:PERSONA`, `scripted:FILE` (with a `/`, or ending in `.json`), or
 * `PROVIDER/MODEL` for a live one.
 * The script is read and checked here, so that a run can't fail on it later.
 * @throws CaptureError `usage` for a model that there is not, `script-missing`, or `issues-invalid` for a faulty script.
 */
export function resolveModel(spec: `scripted:${string}`, context: ModelContext): ScriptedModel;
export function resolveModel(spec: string, context: ModelContext): RunModel;
export function resolveModel(spec: string, context: ModelContext): RunModel {
  if (looksLive(spec)) return resolveLive(spec, context.live ?? { env: {} }, nearNames);
  if (spec !== "scripted" && !spec.startsWith("scripted:")) throw noSuchModel(spec);
  const name = spec.slice("scripted:".length) || DEFAULT_PERSONA;
  if (spec === "scripted:") throw noSuchModel(spec);
  const isFile = name.includes("/") || name.endsWith(".json");
  if (!isFile && !PERSONA.test(name)) {
    throw new CaptureError("usage", `${JSON.stringify(name)} can't be the name of a persona`, {
      hint: "a persona has up to 50 letters, digits, `_` and `-`; a file is named with a `/` in its path or with its ending `.json`",
    });
  }
  const file = isFile ? path.resolve(context.cwd ?? "", name) : scriptPath(context.tasksDir, context.issue.id, name);
  if (!fs.existsSync(file)) throw isFile ? missingFile(file) : missingScript(file, name, context);
  return {
    kind: "scripted",
    requested: spec,
    persona: isFile ? personaOfFile(file) : name,
    file,
    sha256: readScript(file).sha256,
  };
}

function scriptPath(tasksDir: string, issueId: string, persona: string): string {
  return path.resolve(tasksDir, "models", `${issueId}.${persona}.json`);
}

/** Personas that an issue has scripts for, in order. */
export function personasOf(tasksDir: string, issueId: string): string[] {
  const prefix = `${issueId}.`;
  return scriptNames(tasksDir)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length, -".json".length))
    .filter((persona) => PERSONA.test(persona))
    .toSorted(compareText);
}

/** File names of all scripts. */
export function scriptNames(tasksDir: string): string[] {
  try {
    return fs.readdirSync(path.join(tasksDir, "models")).filter((name) => name.endsWith(".json"));
  } catch {
    // No such folder: no scripts.
    return [];
  }
}

/** A name for the model that OpenCode shows, made from any file name. */
function personaOfFile(file: string): string {
  const base = path
    .basename(file, ".json")
    .replace(/[^A-Za-z0-9_-]+/g, "-")
    .replace(/^[-_]+/, "");
  return base.slice(0, 50) || "script";
}

function missingFile(file: string): CaptureError {
  return new CaptureError("script-missing", `there is no scripted model ${file}`, {
    hint: "a relative path starts from the directory that the command is run in; tasks/README.md says how a script is written",
  });
}

function missingScript(file: string, persona: string, { tasksDir, issue }: ModelContext): CaptureError {
  const personas = personasOf(tasksDir, issue.id);
  const known =
    personas.length === 0
      ? "it has no scripts at all"
      : `it has scripts for: ${personas.map((name) => `scripted:${name}`).join(", ")}`;
  return new CaptureError(
    "script-missing",
    `the issue ${issue.id} has no script for the persona ${persona}; ${known}`,
    {
      hint: `write ${file} as tasks/README.md says ("Writing a script"), then run: opencode-capture tasks check`,
    },
  );
}

function noSuchModel(spec: string): CaptureError {
  const meant = nearNames(spec, ["scripted"]).length > 0 ? "; did you mean scripted?" : "";
  return new CaptureError("usage", `there is no model ${JSON.stringify(spec)}${meant}`, {
    hint: "what can be used: scripted (the persona careful), scripted:PERSONA, scripted:FILE (a path with a `/`, or ending in .json), or PROVIDER/MODEL for a live model (docs/models.md)",
  });
}
