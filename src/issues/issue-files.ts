import type { IssueFile } from "../schema/issue.ts";

export interface FilePair {
  source: string;
  destination: string;
}

/** Both paths of one entry of `files`, in their plain form. Throws an Error that says what is wrong with a path. */
export function normaliseFile(file: IssueFile): FilePair {
  const pair = typeof file === "string" ? { source: file, destination: file } : file;
  return { source: normalisePath(pair.source), destination: normalisePath(pair.destination) };
}

/**
 * A path below the project, without `.`, doubled or closing slashes. It is judged as text: whether links lead out of
 * the project is checked where the file is opened.
 */
export function normalisePath(written: string): string {
  const complain = (why: string): never => {
    throw new Error(`the path ${JSON.stringify(written)} ${why}`);
  };
  if (written.includes("\0")) complain("contains a NUL character");
  if (written.startsWith("/") || /^[A-Za-z]:\\/.test(written))
    complain("is absolute; it must be relative to the project");
  if (written.includes("\\")) complain("contains a backslash; parts are separated by `/`");
  const parts = written.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) complain("leads out of the project with `..`");
  if (parts.length === 0) complain("names no file");
  return parts.join("/");
}
