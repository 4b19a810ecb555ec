import * as fs from "node:fs";
import * as path from "node:path";
import { CaptureError, errnoOf, errorMessage } from "../core/errors.ts";
import { REQUIRED_OBSERVATIONS } from "./layout.ts";

/** Makes the directory that captures go to, and checks that it can be written. */
export function ensureCaptureRoot(root: string): void {
  try {
    fs.mkdirSync(root, { recursive: true });
    if (!fs.statSync(root).isDirectory()) throw Object.assign(new Error("not a directory"), { code: "ENOTDIR" });
    fs.accessSync(root, fs.constants.W_OK | fs.constants.X_OK);
  } catch (error) {
    throw rootError(root, error);
  }
}

function rootError(root: string, error: unknown): CaptureError {
  const full = errnoOf(error) === "ENOSPC" || errnoOf(error) === "EDQUOT";
  return new CaptureError(
    full ? "disk-full" : "capture-root",
    `cannot write captures to ${root}: ${why(root, error)}`,
    {
      cause: error,
      hint: full
        ? "free some space there, or name a directory on another disk with --capture-root DIR"
        : "name a writable directory with --capture-root DIR",
    },
  );
}

/** The reason in words. Making several directories at once, Node says ENOENT for any parent that refuses it. */
function why(root: string, error: unknown): string {
  const errno = errnoOf(error);
  const parent = nearestExisting(root);
  if (errno === "EEXIST" || errno === "ENOTDIR") return `${parent} is not a directory`;
  if (errno === "EROFS" || (errno === "ENOENT" && isReadOnly(parent))) return "the file system is read-only";
  if (errno === "EACCES" || errno === "EPERM") return `this user may not write to ${parent}`;
  if (errno === "ENOSPC" || errno === "EDQUOT") return "the disk is full";
  return errorMessage(error);
}

function nearestExisting(file: string): string {
  let at = path.resolve(file);
  while (!fs.existsSync(at) && path.dirname(at) !== at) at = path.dirname(at);
  return at;
}

function isReadOnly(dir: string): boolean {
  try {
    fs.accessSync(dir, fs.constants.W_OK);
    return false;
  } catch (error) {
    return errnoOf(error) === "EROFS";
  }
}

/** True when everything that `capture_valid` promises stands in the directory. meta/run.json is being written by the caller. */
export function hasRequiredObservations(captureDir: string): boolean {
  return REQUIRED_OBSERVATIONS.every((file) => fs.existsSync(path.join(captureDir, file)));
}
