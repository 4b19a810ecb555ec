import * as fs from "node:fs";
import * as path from "node:path";
import { writeJsonAtomic } from "../core/atomic-file.ts";
import type { RunRecord } from "../schema/run.ts";
import { type SelftestResult, selftestReference } from "../schema/selftest.ts";
import { cacheDirectory } from "./cache-directory.ts";

/** Where the last result stands. */
function selftestFile(): string {
  return path.join(cacheDirectory(), "selftest.json");
}

export function storeSelftest(result: SelftestResult): void {
  fs.mkdirSync(cacheDirectory(), { recursive: true });
  writeJsonAtomic(selftestFile(), result);
}

/** What a capture says of the last self-test on this machine; null: there was none, or its file can't be read. */
export function lastSelftest(): RunRecord["selftest"] {
  try {
    return selftestReference.parse(JSON.parse(fs.readFileSync(selftestFile(), "utf8")));
  } catch {
    return null;
  }
}
