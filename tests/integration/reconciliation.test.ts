import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import type { CaptureEvent } from "../../src/schema/event.ts";
import type { FsDiffView } from "../../src/schema/view.ts";
import { FileCheck } from "../../src/summary/reconciliation/files.ts";
import { takeBaseline } from "../../src/workspace/baseline.ts";
import { compareTree } from "../../src/workspace/compare-tree.ts";
import { ContentBase } from "../../src/workspace/content-base.ts";
import { removeTree } from "../../src/workspace/remove-tree.ts";
import { type FileAction, FileActions } from "../support/file-actions.ts";

/** Few names, so that calls meet each other. */
const name = fc.constantFrom("a", "b", "c", "é");
const deep = (length: number) =>
  fc.array(name, { minLength: length, maxLength: length }).map((parts) => parts.join("/"));
const at = fc.oneof(
  { weight: 5, arbitrary: deep(1) },
  { weight: 4, arbitrary: deep(2) },
  { weight: 1, arbitrary: deep(3) },
);
const content = fc.constantFrom("", "one\n", "two\n", "one\ntwo\n");

/** Without renames, which tell of many names at once, and second names of a file. */
const plainAction: fc.Arbitrary<FileAction> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ call: fc.constant("write" as const), at, content, append: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({ call: fc.constantFrom("mkdir" as const, "rmdir" as const, "unlink" as const), at }),
  },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("chmod" as const), at, mode: fc.constantFrom(0o644, 0o755) }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("truncate" as const), at, size: fc.constantFrom(0, 2) }) },
);
/** What a run does to them; they begin without second names of files. */
const action: fc.Arbitrary<FileAction> = fc.oneof(
  { weight: 10, arbitrary: plainAction },
  { weight: 4, arbitrary: fc.record({ call: fc.constant("rename" as const), at, to: at }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("link" as const), at, to: at }) },
);
/** Made in the run: a link from before it is another matter, see docs/reconciliation.md. */
const linkOrAction = fc.oneof(
  { weight: 16, arbitrary: action },
  {
    weight: 1,
    arbitrary: fc.record({ call: fc.constant("symlink" as const), at, text: fc.constantFrom("a", "../b", "nowhere") }),
  },
);

/** A tree that `before` made, what `then` does to it, and what the file diff says of that. */
async function observed(dir: string, before: readonly FileAction[], then: readonly FileAction[]) {
  const root = fs.mkdtempSync(path.join(dir, "tree-"));
  const earlier = new FileActions(root);
  for (const step of before) earlier.do(step);
  const base = ContentBase.create(dir);
  const baseline = await takeBaseline(root, { base, keepTexts: true });
  const actions = new FileActions(root);
  for (const step of then) actions.do(step);
  const { changes, counts, truncated } = await compareTree(baseline, { isSensitive: () => false, textDiffs: false });
  base.close();
  const diff: FsDiffView = {
    generated_at: null,
    workspace_dir: root,
    counts,
    touched_sensitive_paths: false,
    changes,
    truncated,
    outside_workspace: [],
    excluded: [],
  };
  return { events: actions.events, diff };
}

function mismatches(events: readonly CaptureEvent[], diff: FsDiffView): string[] {
  const check = new FileCheck();
  for (const event of events) check.add(event);
  const results = check.results(diff, { events: null, diff: null });
  return results.flatMap((result) => result.mismatches.map(({ kind, what }) => `${kind} ${what}`));
}

function place(): string {
  const dir = fs.mkdtempSync(path.join(fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir(), "reconciliation-"));
  onTestFinished(() => removeTree(dir));
  return dir;
}

it("whatever is done to a tree, its events and its file diff agree", async () => {
  const dir = place();
  await fc.assert(
    fc.asyncProperty(
      fc.array(plainAction, { minLength: 10, maxLength: 40 }),
      fc.array(linkOrAction, { minLength: 10, maxLength: 40 }),
      async (before, then) => {
        const { events, diff } = await observed(dir, before, then);
        expect(mismatches(events, diff)).toEqual([]);
      },
    ),
    { numRuns: 120 },
  );
}, 300_000);

it("a name whose events are all missing is found, and so is a change that the diff leaves out", async () => {
  const dir = place();
  let found = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(plainAction, { minLength: 6, maxLength: 20 }),
      fc.array(plainAction, { minLength: 6, maxLength: 20 }),
      async (before, then) => {
        const { events, diff } = await observed(dir, before, then);
        for (const change of diff.changes) {
          const full = change.path === "." ? "/workspace" : `/workspace/${change.path}`;
          const others = events.filter((event) => !("path" in event && event.path === full));
          expect(mismatches(others, diff)).toContain(`change-without-event ${change.change_type}: ${full}`);
          found++;
          if (change.change_type === "modified") continue;
          const changes = diff.changes.filter((one) => one !== change);
          expect(mismatches(events, { ...diff, changes }).join()).toContain("event-without-change");
        }
      },
    ),
    { numRuns: 60 },
  );
  expect(found).toBeGreaterThan(50);
}, 300_000);
