import * as fs from "node:fs";
import * as path from "node:path";
import { CaptureError, errnoOf, errorMessage } from "../core/errors.ts";
import { CAPTURE_DIRECTORIES, REQUIRED_OBSERVATIONS } from "./layout.ts";

/** Most captures of one issue that may begin in the same second. */
const MAX_SUFFIX = 99;

/** `YYYYMMDDTHHMMSSZ-<issue id>`. */
function captureName(startedAt: Date, issueId: string): string {
  const stamp = startedAt
    .toISOString()
    .replace(/[-:]/g, "")
    .replace(/\.\d+Z$/, "Z");
  return `${stamp}-${issueId}`;
}

/**
 * Makes a new capture directory below `root`; the name gets `-02`, `-03`, … when it is taken. Creating is atomic, so two
 * runs in one second never share a directory.
 * @returns its absolute path.
 * @throws CaptureError `capture-root` or `disk-full`.
 */
export function createCaptureDirectory(root: string, startedAt: Date, issueId: string): string {
  ensureCaptureRoot(root);
  const name = captureName(startedAt, issueId);
  for (let n = 1; n <= MAX_SUFFIX; n++) {
    const dir = path.join(root, n === 1 ? name : `${name}-${String(n).padStart(2, "0")}`);
    try {
      fs.mkdirSync(dir, { mode: 0o755 });
    } catch (error) {
      if (errnoOf(error) === "EEXIST") continue;
      throw rootError(root, error);
    }
    for (const sub of CAPTURE_DIRECTORIES) fs.mkdirSync(path.join(dir, sub));
    return dir;
  }
  throw new CaptureError("capture-root", `${root} already holds ${MAX_SUFFIX} captures named ${name}`);
}

/** Makes the directory that captures go to, and checks that it can be written. */
export function ensureCaptureRoot(root: string): void {
  try {
    fs.mkdirSync(root, { recursive: true });
    fs.accessSync(root, fs.constants.W_OK | fs.constants.X_OK);
  } catch (error) {
    throw rootError(root, error);
  }
}

function rootError(root: string, error: unknown): CaptureError {
  const full = errnoOf(error) === "ENOSPC";
  return new CaptureError(
    full ? "disk-full" : "capture-root",
    `cannot write captures to ${root}: ${errorMessage(error)}`,
    {
      cause: error,
      hint: "name a writable directory with --capture-root DIR",
    },
  );
}

/** True when everything that `capture_valid` promises stands in the directory. meta/run.json is being written by the caller. */
export function hasRequiredObservations(captureDir: string): boolean {
  return REQUIRED_OBSERVATIONS.every((file) => fs.existsSync(path.join(captureDir, file)));
}
