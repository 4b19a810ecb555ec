import * as fs from "node:fs";
import * as path from "node:path";
import { CAPTURE_DIRECTORIES, LAYOUT } from "../../src/evidence/layout.ts";
import { DESCRIBED_FILES } from "../../src/schema/files.ts";
import { fillSchema } from "./fill-schema.ts";

/** Lines of a JSONL file, so that every alternative of its unions is met. */
const LINES = 12;

/**
 * Writes a capture in which every free text of every described file is `text`, made from the schemas alone, so that a field
 * that is added later is in it, too. What is derived is left out: it is made from the rest.
 * @returns the places that hold it, by file.
 */
export function makeFilledCapture(
  root: string,
  name: string,
  text: string,
): { dir: string; places: Map<string, number> } {
  const dir = path.join(root, name);
  const places = new Map<string, number>();
  for (const sub of CAPTURE_DIRECTORIES) fs.mkdirSync(path.join(dir, sub), { recursive: true });
  for (const { path: file, schema, format, kind } of DESCRIBED_FILES) {
    if (kind === "derived") continue;
    const turns = format === "jsonl" ? LINES : 1;
    const filled = Array.from({ length: turns }, (_, turn) => fillSchema(schema, text, turn));
    places.set(file, new Set(filled.flatMap((one) => [...one.places])).size);
    const target = path.join(dir, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, filled.map(({ value }) => `${JSON.stringify(value)}\n`).join(""));
  }
  for (const log of [LAYOUT.containerLog, LAYOUT.stdoutLog, LAYOUT.stderrLog, LAYOUT.exportStderrLog])
    fs.writeFileSync(path.join(dir, log), `${text}\n`);
  return { dir, places };
}
