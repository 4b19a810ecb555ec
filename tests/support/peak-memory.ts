/**
 * Prints how many bytes of memory a diff takes at its peak when the agent has left COUNT small files, the milliseconds it
 * takes, and how many files it describes one by one (LISTED at most; default 50,000 as in a run).
 *   node tests/support/peak-memory.ts DIRECTORY COUNT [LISTED]
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { takeBaseline } from "../../src/workspace/baseline.ts";
import { compareTree } from "../../src/workspace/compare-tree.ts";
import { ContentBase } from "../../src/workspace/content-base.ts";
import { removeTree } from "../../src/workspace/remove-tree.ts";

const [place = "", count = "0", listed = "50000"] = process.argv.slice(2);
const root = path.join(place, "tree");
fs.mkdirSync(root);
const base = ContentBase.create(place);
const baseline = await takeBaseline(root, { base, keepTexts: true });
for (let index = 0; index < Number(count); index++) {
  if (index % 1000 === 0) fs.mkdirSync(path.join(root, `d${index / 1000}`));
  // Only the first ones are read; empty files take no room in memory where the place is a tmpfs.
  const content = index < Number(listed) ? `${index}\n` : "";
  fs.writeFileSync(path.join(root, `d${Math.floor(index / 1000)}`, `file${index}`), content);
}
const startMs = performance.now();
const limits = { changes: Number(listed) };
const result = await compareTree(baseline, { isSensitive: () => false, textDiffs: true, limits });
const ms = Math.round(performance.now() - startMs);
if (result.counts.created !== Number(count)) throw new Error(`found ${result.counts.created} files`);
process.stdout.write(`${process.resourceUsage().maxRSS * 1024} ${ms} ${result.changes.length}\n`);
await removeTree(root);
