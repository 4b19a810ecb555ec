import * as fs from "node:fs";
import * as path from "node:path";
import { CaptureError, errnoOf } from "../core/errors.ts";
import { storage } from "../core/storage.ts";
import { CAPTURE_DIRECTORIES } from "./layout.ts";

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

/** Makes the empty directories of a capture below `dir`, which must not exist. Throws what the system says. */
export function makeCaptureDirectories(dir: string): void {
  storage().makeDirectory(dir, 0o755);
  for (const sub of CAPTURE_DIRECTORIES) storage().makeDirectory(path.join(dir, sub), 0o755);
}

/**
 * Gives a capture that was made at `staged` its place below `root`, in one step: nobody ever meets a capture without its
 * record. The name gets `-02`, `-03`, … when it is taken; `prepare` is told each name before it is tried.
 * @returns the capture's absolute path.
 * @throws CaptureError `capture-root` when every name is taken; else what the system says.
 */
export function publishCapture(
  staged: string,
  place: { root: string; startedAt: Date; issueId: string },
  prepare: (captureDir: string) => void,
): string {
  const name = captureName(place.startedAt, place.issueId);
  for (let n = 1; n <= MAX_SUFFIX; n++) {
    const dir = path.join(place.root, n === 1 ? name : `${name}-${String(n).padStart(2, "0")}`);
    if (fs.existsSync(dir)) continue;
    prepare(dir);
    if (renamed(staged, dir)) return dir;
  }
  throw new CaptureError("capture-root", `${place.root} already holds ${MAX_SUFFIX} captures named ${name}`);
}

/** False when another run has taken the name meanwhile. A capture is never empty, so none is ever replaced. */
function renamed(staged: string, dir: string): boolean {
  try {
    storage().rename(staged, dir);
    return true;
  } catch (error) {
    if (["EEXIST", "ENOTEMPTY", "ENOTDIR"].includes(errnoOf(error) ?? "")) return false;
    throw error;
  }
}
