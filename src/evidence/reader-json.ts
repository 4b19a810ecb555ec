import * as fs from "node:fs";
import { errorMessage } from "../core/errors.ts";
import { openRegular } from "./reader-path.ts";

/** Something about a file that readers must be told, instead of an exception: the rest of the capture still works. */
export interface ReadProblem {
  /** Relative path of the file. */
  file: string;
  code: "missing" | "not-regular" | "too-large" | "unreadable" | "invalid-json" | "invalid-shape" | "newer-version";
  message: string;
}

export interface Loaded<T> {
  /** `null` when the file could not be used at all; `problems` then says why. */
  value: T | null;
  problems: ReadProblem[];
}

/** Deeper JSON is refused: nothing we write comes near, and deep values overflow the stack of whoever prints them. */
const MAX_DEPTH = 100;
const MIB = 1 << 20;

/** Most bytes of one JSON file that are read into memory. */
const MAX_JSON_BYTES = 128 * MIB;

/** True when `char` stands in `text` more than `max` times. */
function hasMoreThan(text: string, char: string, max: number): boolean {
  let found = 0;
  for (let at = text.indexOf(char); at !== -1; at = text.indexOf(char, at + 1)) if (++found > max) return true;
  return false;
}

/** True when brackets in `text` nest deeper than MAX_DEPTH. Looks at the text, so that a parser never sees it. */
export function tooDeep(text: string): boolean {
  // Almost every line has few brackets; then there is no need to look at each character.
  if (!hasMoreThan(text, "{", MAX_DEPTH / 2) && !hasMoreThan(text, "[", MAX_DEPTH / 2)) return false;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (inString) {
      if (char === 0x5c) i++;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) inString = true;
    else if (char === 0x7b || char === 0x5b) {
      if (++depth > MAX_DEPTH) return true;
    } else if (char === 0x7d || char === 0x5d) depth--;
  }
  return false;
}

/** Parses hostile JSON text. @returns the value, or why there is none. */
export function parseJson(text: string): { ok: true; value: unknown } | { ok: false; message: string } {
  if (tooDeep(text)) return { ok: false, message: `nested deeper than ${MAX_DEPTH} levels` };
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { ok: false, message: errorMessage(error) };
  }
}

/** Reads a whole file as text, up to `maxBytes`. */
export function loadText(root: string, file: string, maxBytes: number): Loaded<string> {
  const opened = openRegular(root, file);
  if (!opened.ok) {
    const code = opened.failure === "outside" ? "not-regular" : opened.failure;
    return { value: null, problems: [{ file, code, message: opened.message }] };
  }
  try {
    if (opened.sizeBytes > maxBytes) {
      const message = `${file} has ${opened.sizeBytes} bytes; at most ${maxBytes} are read`;
      return { value: null, problems: [{ file, code: "too-large", message }] };
    }
    return { value: readUpTo(opened.fd, opened.sizeBytes, maxBytes).toString("utf8"), problems: [] };
  } catch (error) {
    return { value: null, problems: [{ file, code: "unreadable", message: `${file}: ${errorMessage(error)}` }] };
  } finally {
    fs.closeSync(opened.fd);
  }
}

/** The file may grow while it is read: the limit holds all the same. */
function readUpTo(fd: number, sizeBytes: number, maxBytes: number): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  while (total < maxBytes) {
    // The first chunk holds the whole of a small file and one byte more, which tells that it did not grow.
    const wanted = chunks.length === 0 ? sizeBytes + 1 : MIB;
    const chunk = Buffer.allocUnsafe(Math.min(wanted, maxBytes - total));
    const bytes = fs.readSync(fd, chunk, 0, chunk.length, null);
    if (bytes === 0) break;
    chunks.push(chunk.subarray(0, bytes));
    total += bytes;
  }
  return Buffer.concat(chunks, total);
}

/** Reads and parses one JSON file of a capture. */
export function loadJson(root: string, file: string, maxBytes = MAX_JSON_BYTES): Loaded<unknown> {
  const text = loadText(root, file, maxBytes);
  if (text.value === null) return { value: null, problems: text.problems };
  const parsed = parseJson(text.value);
  if (parsed.ok) return { value: parsed.value, problems: [] };
  return { value: null, problems: [{ file, code: "invalid-json", message: `${file}: ${parsed.message}` }] };
}
