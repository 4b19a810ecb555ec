import * as fs from "node:fs";
import type { Command } from "commander";
import { CaptureError, errnoOf, errorMessage } from "../core/errors.ts";
import { PACKAGE_ROOT } from "../core/package-root.ts";
import { resolveSettings } from "./settings.ts";

export interface RootOptions {
  captureRoot?: string;
  project?: string;
}

/** Adds the options that say where captures are, for the commands that read them. */
export function withCaptureRoot(command: Command): Command {
  return command
    .option("--capture-root <dir>", "where the captures are (default: artifacts/captures of the project)")
    .option("--project <dir>", "project whose captures are meant");
}

/** The absolute path of the directory that these options, the environment and the settings file mean. */
export function captureRootOf(options: RootOptions): string {
  const flags = { capture_root: options.captureRoot, project: options.project };
  const root = resolveSettings(flags, process.env, PACKAGE_ROOT).capture_root;
  checkReadable(root);
  return root;
}

/** One that is not there yet is no fault: there are no captures then. */
function checkReadable(root: string): void {
  const fault = (why: string, cause?: unknown) =>
    new CaptureError("capture-root", `cannot read captures from ${root}: ${why}`, {
      cause,
      hint: "name the directory of captures with --capture-root DIR",
    });
  try {
    if (!fs.statSync(root).isDirectory()) throw fault("it is not a directory");
    fs.accessSync(root, fs.constants.R_OK | fs.constants.X_OK);
  } catch (error) {
    if (error instanceof CaptureError) throw error;
    if (errnoOf(error) === "ENOENT") return;
    throw fault(errnoOf(error) === "EACCES" ? "this user may not read it" : errorMessage(error), error);
  }
}
