import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect, onTestFinished } from "vitest";
import type { FileChange } from "../schema/observations.ts";
import { takeBaseline } from "./baseline.ts";
import { type CompareOptions, compareTree, type TreeChanges } from "./compare-tree.ts";
import { ContentBase } from "./content-base.ts";
import { removeTree } from "./remove-tree.ts";

function temporary(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "compare-"));
  onTestFinished(() => removeTree(dir));
  return dir;
}

/** For tests: baseline of what `before` makes, then what `after` does to it. */
export async function compare(
  before: (root: string) => void,
  after: (root: string) => void | Promise<void>,
  options: Partial<CompareOptions> = {},
): Promise<TreeChanges> {
  const dir = temporary();
  const root = path.join(dir, "tree");
  fs.mkdirSync(root);
  before(root);
  const base = ContentBase.create(dir);
  const baseline = await takeBaseline(root, { base, keepTexts: true });
  await after(root);
  const result = await compareTree(baseline, { isSensitive: () => false, textDiffs: true, ...options });
  base.close();
  return result;
}

export const write =
  (name: string, content: string | Buffer = "one\ntwo\n") =>
  (root: string) =>
    fs.writeFileSync(path.join(root, name), content);
export const nothing = (): void => {};

export function only(result: TreeChanges): FileChange {
  expect(result.changes).toHaveLength(1);
  return result.changes[0] as FileChange;
}
