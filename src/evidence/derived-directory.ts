import * as fs from "node:fs";
import * as path from "node:path";
import { writeError } from "../core/atomic-file.ts";
import { CaptureError, errnoOf } from "../core/errors.ts";

/**
 * The directory `name` (`derived` or `report`) of a capture, made when it is missing. A capture copied from elsewhere
 * may hold a link there, which would make us write outside it.
 * @throws CaptureError `write-failed` or `disk-full`.
 */
export function derivedDirectory(captureDir: string, name: string): string {
  const dir = path.join(captureDir, name);
  try {
    fs.mkdirSync(dir);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw writeError(dir, error);
    if (!fs.lstatSync(dir).isDirectory()) {
      throw new CaptureError("write-failed", `${dir} is a link or no directory; nothing is written through it`);
    }
  }
  return dir;
}
