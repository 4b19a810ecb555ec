import * as fs from "node:fs";
import picomatch from "picomatch";
import * as z from "zod";
import { CaptureError, errnoOf, errorMessage } from "../core/errors.ts";

const fileFormat = z.looseObject({ patterns: z.array(z.string().min(1)) });

/**
 * The patterns of the first of `candidates` that exists (`{"patterns": [...]}`); none when no file exists.
 * @throws CaptureError `settings-invalid` when a file is no such list.
 */
export function loadSensitivePatterns(candidates: readonly string[]): string[] {
  for (const file of candidates) {
    const text = readIfPresent(file);
    if (text !== undefined) return parsePatterns(file, text);
  }
  return [];
}

function readIfPresent(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw new CaptureError("settings-invalid", `cannot read ${file}: ${errorMessage(error)}`, { cause: error });
  }
}

function parsePatterns(file: string, text: string): string[] {
  try {
    return fileFormat.parse(JSON.parse(text)).patterns;
  } catch (error) {
    throw new CaptureError("settings-invalid", `${file} is no list of patterns: ${errorMessage(error)}`, {
      cause: error,
      hint: 'it must read {"patterns": [".git/**", "config/**"]}',
    });
  }
}

/** Says of a path, relative and with `/`, whether one of the patterns is about it. */
export type SensitivePaths = (path: string) => boolean;

/** `dir/**` is also about `dir` itself. Case does not matter, so that `.ENV` is no way around `.env`. */
export function sensitivePaths(patterns: readonly string[]): SensitivePaths {
  if (patterns.length === 0) return () => false;
  // Without `s`, a name with a line break would match nothing.
  return picomatch([...patterns], { dot: true, nonegate: true, flags: "is" });
}
