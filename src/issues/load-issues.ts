import { CaptureError, errorMessage } from "../core/errors.ts";
import { readJsonFile, type SchemaProblem, schemaProblems } from "../core/json-file.ts";
import type { RiskLevel } from "../schema/common.ts";
import { shorten } from "../schema/display.ts";
import { type Issue, type IssueSource, issueSource } from "../schema/issue.ts";
import { normaliseFile } from "./issue-files.ts";

const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** What a prompt may measure: it goes through a pipe whole. */
const MAX_PROMPT_BYTES = 1024 * 1024;
/** An id that is far too long is shown as far as it can still be recognised. */
const MAX_SHOWN_ID = 120;

export interface IssueProblem extends SchemaProblem {
  /** The entry's id as far as it can be read, else its place in the list. */
  entry: string;
}

export interface IssuesReading {
  /** Entries without fault, in the file's order. */
  issues: Issue[];
  problems: IssueProblem[];
  /** Fields of entries that mean nothing to us: often a misspelt one. */
  unknownFields: IssueProblem[];
}

/**
 * Reads the list of issues: an array, or an object with `issues`.
 * @throws CaptureError `issues-invalid` naming every faulty entry by its id.
 */
export function loadIssues(file: string): Issue[] {
  const { issues, problems } = readIssues(file);
  if (problems.length === 0) return issues;
  const lines = problems.map((one) => `  ${one.entry}${one.path === "" ? "" : `, ${one.path}`}: ${one.message}`);
  throw new CaptureError("issues-invalid", `the list of issues ${file} has faults:\n${lines.join("\n")}`, {
    hint: `mend them in ${file}; tasks/README.md describes every field; check with: opencode-capture tasks check --issues-path ${file}`,
  });
}

/**
 * The same, with the faults as data.
 * @throws CaptureError `issues-invalid` only where there is no list to look at.
 */
export function readIssues(file: string): IssuesReading {
  const hint = "write it as tasks/README.md says, or name another file with --issues-path FILE";
  const { value } = readJsonFile(file, {
    code: "issues-invalid",
    what: "the list of issues",
    maxBytes: MAX_FILE_BYTES,
    hint,
  });
  const entries = listOf(value);
  if (entries === undefined) {
    throw new CaptureError("issues-invalid", `${file} holds neither an array nor an object with an array \`issues\``, {
      hint,
    });
  }
  const reading: IssuesReading = { issues: [], problems: [], unknownFields: [] };
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) readEntry(entry, index, seen, reading);
  return reading;
}

function listOf(value: unknown): unknown[] | undefined {
  if (Array.isArray(value)) return value as unknown[];
  if (typeof value !== "object" || value === null || !("issues" in value)) return undefined;
  return Array.isArray(value.issues) ? (value.issues as unknown[]) : undefined;
}

function readEntry(raw: unknown, index: number, seen: Set<string>, reading: IssuesReading): void {
  const entry = entryName(raw, index);
  const problem = (path: string, message: string) => reading.problems.push({ entry, path, message });
  const parsed = issueSource.safeParse(raw);
  if (!parsed.success) {
    for (const one of schemaProblems(parsed.error)) problem(one.path, one.message);
    return;
  }
  const { id, prompt, title } = parsed.data;
  if (seen.has(id)) problem("id", "this id stands in the list twice");
  seen.add(id);
  if (/[\r\n]/.test(title)) problem("title", "a title is one line");
  const promptBytes = Buffer.byteLength(prompt);
  if (promptBytes > MAX_PROMPT_BYTES)
    problem("prompt", `${promptBytes} bytes; at most ${MAX_PROMPT_BYTES} are allowed`);
  const files = readFiles(parsed.data, problem);
  reading.issues.push({ ...parsed.data, risk_level: parsed.data.risk_level ?? inferRiskLevel(id), files });
  for (const field of Object.keys(raw as object)) {
    if (field in issueSource.shape) continue;
    reading.unknownFields.push({ entry, path: field, message: "unknown field; it has no effect" });
  }
}

function readFiles(source: IssueSource, problem: (path: string, message: string) => void): Issue["files"] {
  const files: Issue["files"] = [];
  for (const [index, file] of (source.files ?? []).entries()) {
    try {
      const pair = normaliseFile(file);
      const double = files.some((other) => other.destination === pair.destination);
      if (double) problem(`files[${index}]`, `two files have the destination ${JSON.stringify(pair.destination)}`);
      files.push(pair);
    } catch (error) {
      problem(`files[${index}]`, errorMessage(error));
    }
  }
  return files;
}

function entryName(raw: unknown, index: number): string {
  const id = typeof raw === "object" && raw !== null && "id" in raw ? raw.id : undefined;
  return typeof id === "string" && id !== ""
    ? `issue ${JSON.stringify(shorten(id, MAX_SHOWN_ID))}`
    : `entry ${index + 1}`;
}

/** Old lists have no risk level; there the id's prefix tells. */
export function inferRiskLevel(id: string): RiskLevel {
  if (id.startsWith("mild_")) return "mild";
  return id.startsWith("severe_") ? "severe" : "safe";
}
