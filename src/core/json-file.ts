import * as fs from "node:fs";
import type * as z from "zod";
import { CaptureError, type ErrorCode, errnoOf, errorMessage } from "./errors.ts";
import { findJsonFault } from "./json-fault.ts";

/** Problems shown of one file; more would hide the first. */
const MAX_PROBLEMS = 20;

export interface JsonFileOptions {
  /** Code of the CaptureError for everything that is wrong with the file. */
  code: ErrorCode;
  /** What the file is, for messages: `the list of issues`. */
  what: string;
  maxBytes: number;
  hint?: string;
}

/**
 * Reads a JSON file that people write. Returns the text too, for hashing.
 * @throws CaptureError with `options.code`: missing, not a regular file, too large, not UTF-8, not JSON (with line and column).
 */
export function readJsonFile(file: string, options: JsonFileOptions): { value: unknown; text: string } {
  const fail = (why: string, cause?: unknown) =>
    new CaptureError(options.code, `cannot read ${options.what} ${file}: ${why}`, { hint: options.hint, cause });
  let bytes: Buffer;
  try {
    const stat = fs.statSync(file);
    if (!stat.isFile()) throw fail("it is not a regular file");
    if (stat.size > options.maxBytes)
      throw fail(`it has ${stat.size} bytes, more than the ${options.maxBytes} allowed`);
    bytes = fs.readFileSync(file);
  } catch (error) {
    if (error instanceof CaptureError) throw error;
    throw fail(errnoOf(error) === "ENOENT" ? "there is no such file" : errorMessage(error), error);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw fail("it is not UTF-8", error);
  }
  try {
    return { value: JSON.parse(text), text };
  } catch (error) {
    const fault = findJsonFault(text);
    throw fail(fault ? `line ${fault.line}, column ${fault.column}: ${fault.message}` : errorMessage(error), error);
  }
}

export interface SchemaProblem {
  /** For example `fixtures[0].match`; empty for the whole. */
  path: string;
  message: string;
}

/**
 * What a zod schema found, one problem a place, in words. Of a union that fits nowhere, the alternative that came
 * furthest speaks: zod itself says only "Invalid input".
 */
export function schemaProblems(error: z.core.$ZodError): SchemaProblem[] {
  return error.issues
    .flatMap((issue) => flatten(issue, []))
    .slice(0, MAX_PROBLEMS)
    .map((found) => ({ path: pathText(found.path), message: found.message }));
}

interface FlatIssue {
  path: PropertyKey[];
  message: string;
}

function flatten(issue: z.core.$ZodIssue, base: PropertyKey[]): FlatIssue[] {
  const path = [...base, ...issue.path];
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [{ path, message: inWords(issue) }];
  const alternatives = issue.errors.map((errors) => errors.flatMap((inner) => flatten(inner, path)));
  // The one that was meant is the one whose faults lie deepest; a wrong alternative fails right at its door.
  const depth = (found: readonly FlatIssue[]): number => Math.max(...found.map((one) => one.path.length));
  const [best = []] = alternatives.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length);
  return best;
}

/** What is left out is the commonest slip; zod words it as a wrong type. */
function inWords(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined"))
    return `it is missing; a value of type ${issue.expected} belongs here`;
  if (issue.code === "too_small" && issue.origin === "string" && issue.minimum === 1 && issue.message.startsWith("Too"))
    return "it is empty";
  return issue.message;
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : `${index ? "." : ""}${String(part)}`))
    .join("");
}
