import * as fs from "node:fs";
import { CaptureError, errnoOf, errorMessage } from "../core/errors.ts";

/**
 * A project that is not there or can't be looked into is told as that, before it shows as some missing file in it.
 * @throws CaptureError `settings-invalid`.
 */
export function checkProject(dir: string): void {
  try {
    if (!fs.statSync(dir).isDirectory()) throw fault(dir, "it is not a directory");
    fs.accessSync(dir, fs.constants.R_OK | fs.constants.X_OK);
  } catch (error) {
    if (error instanceof CaptureError) throw error;
    const errno = errnoOf(error);
    if (errno === "ENOENT") throw fault(dir, "there is no such directory", error);
    if (errno === "EACCES") throw fault(dir, "this user may not read it", error);
    throw fault(dir, errorMessage(error), error);
  }
}

function fault(dir: string, why: string, cause?: unknown): CaptureError {
  return new CaptureError("settings-invalid", `cannot use the project ${dir}: ${why}`, {
    cause,
    hint: "name a directory that this user can read with --project DIR, or leave it out to use the current one",
  });
}
