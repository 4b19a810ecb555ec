import type { Command } from "commander";
import { PACKAGE_ROOT } from "./package-root.ts";
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
  return resolveSettings(flags, process.env, PACKAGE_ROOT).capture_root;
}
