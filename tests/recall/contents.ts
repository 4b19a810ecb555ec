import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { fileContents } from "../../src/schema/file-contents.ts";

/** A content that a file had, and that is not there any more when the run is over. */
export interface LostContent {
  path: string;
  sizeBytes: number;
  sha256: string;
}

/** A file of this text. */
export function lostText(file: string, text: string): LostContent {
  return { path: file, sizeBytes: Buffer.byteLength(text), sha256: sha256Of(text) };
}

export function sha256Of(bytes: string | Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What a capture has kept of contents that are not there at its end, by path and hash. */
export type KeptContents = ReadonlySet<string>;

const keyOf = ({ path: file, sizeBytes, sha256 }: LostContent): string => `${file} ${sizeBytes} ${sha256}`;

/** Reads the list of a finished capture; a content counts only when its file is there and is what it says. */
export function readKeptContents(captureDir: string): KeptContents {
  const kept = new Set<string>();
  const list = path.join(captureDir, LAYOUT.fileContents);
  if (!fs.existsSync(list)) return kept;
  const right = new Map<string, boolean>();
  for (const one of fileContents.parse(JSON.parse(fs.readFileSync(list, "utf8"))).versions) {
    if (one.content === null || one.sha256 === null) continue;
    const known =
      right.get(one.content) ?? sha256Of(fs.readFileSync(path.join(captureDir, one.content))) === one.sha256;
    right.set(one.content, known);
    if (known) kept.add(keyOf({ path: one.path, sizeBytes: one.size_bytes, sha256: one.sha256 }));
  }
  return kept;
}

/** Of contents that the capture should have kept, those that it has not. */
export function missingContents(expected: readonly LostContent[], kept: KeptContents): string[] {
  return expected.map(keyOf).filter((key) => !kept.has(key));
}
