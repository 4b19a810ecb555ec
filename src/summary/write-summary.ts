import * as path from "node:path";
import { writeJsonAtomic } from "../core/atomic-file.ts";
import { derivedDirectory } from "../evidence/derived-directory.ts";
import { LAYOUT } from "../evidence/layout.ts";
import type { OpenCapture } from "../evidence/reader.ts";
import type { Summary } from "../schema/summary.ts";

/**
 * Writes derived/summary.json in one step.
 * @throws CaptureError `disk-full` or `write-failed`.
 */
export function writeSummary(capture: OpenCapture, summary: Summary): string {
  const dir = derivedDirectory(capture.dir, path.dirname(LAYOUT.summary));
  const file = path.join(dir, path.basename(LAYOUT.summary));
  writeJsonAtomic(file, summary);
  return file;
}
