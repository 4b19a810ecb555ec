import * as fs from "node:fs";
import * as path from "node:path";
import { errnoOf, errorMessage } from "../core/errors.ts";

/**
 * A capture may have been copied from anywhere, so its directory is hostile input: nothing in it may lead us out of it
 * or make us wait. Windows has neither O_NOFOLLOW nor O_NONBLOCK; there the checks by name remain.
 */
const OPEN_FLAGS = fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0);

export type OpenFailure = "missing" | "not-regular" | "outside" | "unreadable";

export type OpenResult =
  | { ok: true; fd: number; sizeBytes: number; modifiedMs: number }
  | { ok: false; failure: OpenFailure; message: string };

function failed(failure: OpenFailure, message: string): OpenResult {
  return { ok: false, failure, message };
}

/** On Windows a backslash separates too, and a colon names a drive or a stream. */
const REFUSED_CHARACTERS = path.sep === "\\" ? /[\0\\:]/ : /\0/;

/** The parts of a relative path with `/`, or undefined when it could name anything but something below its root. */
export function safeParts(relativePath: string): string[] | undefined {
  const parts = relativePath.split("/");
  const refused = (part: string): boolean =>
    part === "" || part === "." || part === ".." || REFUSED_CHARACTERS.test(part);
  return parts.some(refused) ? undefined : parts;
}

/** True when every directory on the way is a real directory and not a link. */
function realDirectories(root: string, parts: readonly string[]): OpenFailure | undefined {
  let current = root;
  for (const part of parts) {
    current = path.join(current, part);
    const stat = fs.lstatSync(current, { throwIfNoEntry: false });
    if (stat === undefined) return "missing";
    if (!stat.isDirectory()) return "not-regular";
  }
  return undefined;
}

/**
 * Opens a regular file below `root` (a real path) for reading. Links are never followed, neither in the name's
 * directories nor at its end; pipes, sockets and devices are refused without waiting for them. Close `fd` yourself.
 */
export function openRegular(root: string, relativePath: string): OpenResult {
  const parts = safeParts(relativePath);
  if (parts === undefined) return failed("outside", `${relativePath} is not a path inside the capture`);
  let fd: number | undefined;
  try {
    const fault = realDirectories(root, parts.slice(0, -1));
    if (fault !== undefined) return failed(fault, `${relativePath} ${describe(fault)}`);
    const full = path.join(root, ...parts);
    const named = fs.lstatSync(full);
    if (!named.isFile()) return failed("not-regular", `${relativePath} is not a regular file`);
    fd = fs.openSync(full, OPEN_FLAGS);
    const opened = fs.fstatSync(fd);
    // A directory of the path could have been swapped between the look and the opening.
    if (!opened.isFile() || opened.ino !== named.ino || fs.realpathSync.native(full) !== full) {
      fs.closeSync(fd);
      return failed("outside", `${relativePath} changed while it was opened`);
    }
    return { ok: true, fd, sizeBytes: opened.size, modifiedMs: opened.mtimeMs };
  } catch (error) {
    if (fd !== undefined) fs.closeSync(fd);
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR") return failed("missing", `${relativePath} is missing`);
    if (errno === "ELOOP") return failed("not-regular", `${relativePath} is a link`);
    return failed("unreadable", `${relativePath}: ${errorMessage(error)}`);
  }
}

function describe(failure: OpenFailure): string {
  return failure === "missing" ? "is missing" : "can't be reached: a directory on the way is a link or no directory";
}

export interface CaptureFile {
  /** Relative, with `/`. */
  path: string;
  sizeBytes: number;
}

const MAX_DEPTH = 12;

/**
 * The regular files below `root`, sorted, without going into `skip` (names at the top). At most `maxFiles`;
 * `truncated` says that there are more. Links and special files are left out.
 */
export function listFiles(
  root: string,
  skip: readonly string[],
  maxFiles: number,
): { files: CaptureFile[]; truncated: boolean } {
  const files: CaptureFile[] = [];
  let truncated = false;
  const visit = (prefix: string, depth: number): void => {
    const entries = fs.readdirSync(path.join(root, prefix), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
      if (prefix === "" && skip.includes(entry.name)) continue;
      if (files.length >= maxFiles || depth > MAX_DEPTH) {
        truncated = true;
        return;
      }
      if (entry.isDirectory()) visit(name, depth + 1);
      else if (entry.isFile()) files.push({ path: name, sizeBytes: fs.lstatSync(path.join(root, name)).size });
    }
  };
  try {
    visit("", 1);
  } catch {
    truncated = true;
  }
  return { files, truncated };
}
