import * as fs from "node:fs";
import * as path from "node:path";
import { errnoOf, errorMessage } from "../core/errors.ts";
import type { Complain } from "./task-report.ts";

const MAX_ENTRIES = 10_000;

/** Checks that a file or directory of an issue stands in the project, and that no link leads out of it. */
export function checkSource(projectDir: string, source: string, complain: Complain): void {
  const root = fs.realpathSync(projectDir);
  let left = MAX_ENTRIES;
  const check = (file: string): void => {
    if (left-- === 0) complain("error", `${source} holds more than ${MAX_ENTRIES} files`);
    if (left < 0) return;
    const real = fs.realpathSync(path.join(root, file));
    if (real !== root && !real.startsWith(root + path.sep)) {
      complain("error", `${file} leads out of the project through a link`);
      return;
    }
    const stat = fs.lstatSync(path.join(root, file));
    if (stat.isDirectory()) {
      for (const name of fs.readdirSync(path.join(root, file)).toSorted()) check(path.join(file, name));
    } else if (!stat.isFile() && !stat.isSymbolicLink()) {
      complain("error", `${file} is neither a file nor a directory`);
    }
  };
  try {
    check(source);
  } catch (error) {
    const gone = errnoOf(error) === "ENOENT";
    complain("error", gone ? `the file ${source} does not exist` : `${source} can't be read: ${errorMessage(error)}`);
  }
}
