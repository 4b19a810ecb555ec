import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { takeBaseline } from "./baseline.ts";
import { compareTree } from "./compare-tree.ts";
import { ContentBase } from "./content-base.ts";
import { removeTree } from "./remove-tree.ts";

/** Few names, so that operations meet each other. */
const name = fc.constantFrom("a", "b", "c", "é", "-x", "a b");
const place = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const content = fc.constantFrom("", "one\n", "two\n", "one\ntwo\n", "\0binary", "no newline");

const operation = fc.oneof(
  fc.record({ kind: fc.constant("write" as const), at: place, content }),
  fc.record({ kind: fc.constant("append" as const), at: place, content }),
  fc.record({ kind: fc.constant("mkdir" as const), at: place }),
  fc.record({ kind: fc.constant("remove" as const), at: place }),
  fc.record({ kind: fc.constant("rename" as const), at: place, to: place }),
  fc.record({ kind: fc.constant("chmod" as const), at: place, mode: fc.constantFrom(0o644, 0o755, 0o600) }),
  fc.record({ kind: fc.constant("link" as const), at: place, target: fc.constantFrom("a", "/etc", "nowhere") }),
  fc.record({ kind: fc.constant("hardlink" as const), at: place, to: place }),
  fc.record({ kind: fc.constant("touch" as const), at: place }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Operations that don't fit the tree fail, as they would for an agent. */
function apply(root: string, step: Operation): void {
  const at = path.join(root, step.at);
  try {
    // Through a link of the tree, an operation would leave it.
    if (path.dirname(fs.realpathSync(path.dirname(at))).startsWith("/etc")) return;
    if (step.kind === "write" || step.kind === "append") {
      if (fs.existsSync(at) && fs.lstatSync(at).isSymbolicLink()) return;
      (step.kind === "write" ? fs.writeFileSync : fs.appendFileSync)(at, step.content);
    }
    if (step.kind === "mkdir") fs.mkdirSync(at, { recursive: true });
    if (step.kind === "remove") fs.rmSync(at, { recursive: true });
    if (step.kind === "rename") fs.renameSync(at, path.join(root, step.to));
    if (step.kind === "chmod" && !fs.lstatSync(at).isSymbolicLink()) fs.chmodSync(at, step.mode);
    if (step.kind === "link") fs.symlinkSync(step.target, at);
    if (step.kind === "hardlink" && fs.lstatSync(at).isFile()) fs.linkSync(at, path.join(root, step.to));
    if (step.kind === "touch") fs.lutimesSync(at, 1, 1);
  } catch {
    // Does not fit.
  }
}

/** The whole state, read in the plainest way. */
function stateOf(root: string, relative = ""): Map<string, string> {
  const state = new Map<string, string>();
  for (const entry of fs.readdirSync(path.join(root, relative))) {
    const below = relative === "" ? entry : `${relative}/${entry}`;
    const file = path.join(root, below);
    const stat = fs.lstatSync(file);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isSymbolicLink()) state.set(below, `link ${fs.readlinkSync(file)}`);
    else if (stat.isFile()) state.set(below, `file ${mode} ${fs.readFileSync(file, "base64")}`);
    else {
      state.set(below, `dir ${mode}`);
      for (const [inner, value] of stateOf(root, below)) state.set(inner, value);
    }
  }
  return state;
}

function expected(before: Map<string, string>, after: Map<string, string>): string[] {
  const hasChildren = (state: Map<string, string>, dir: string) =>
    [...state.keys()].some((file) => file.startsWith(`${dir}/`));
  const listed = (state: Map<string, string>, file: string) =>
    !(state.get(file) ?? "").startsWith("dir") || !hasChildren(state, file);
  const changes: string[] = [];
  for (const [file, value] of after) {
    if (before.has(file)) {
      if (before.get(file) !== value) changes.push(`modified ${file}`);
    } else if (listed(after, file)) changes.push(`created ${file}`);
  }
  for (const file of before.keys()) if (!after.has(file) && listed(before, file)) changes.push(`deleted ${file}`);
  return changes.toSorted();
}

it("finds exactly the differences of two states, whatever was done in between", async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "compare-property-"));
  onTestFinished(() => removeTree(dir));
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { maxLength: 25 }),
      fc.array(operation, { maxLength: 25 }),
      async (first, then) => {
        const root = path.join(dir, `tree${round++}`);
        fs.mkdirSync(root);
        for (const step of first) apply(root, step);
        const before = stateOf(root);
        const base = ContentBase.create(dir);
        const baseline = await takeBaseline(root, { base, keepTexts: true });
        for (const step of then) apply(root, step);
        const found = await compareTree(baseline, { isSensitive: () => false, textDiffs: true });
        base.close();
        const told = found.changes.map((change) => `${change.change_type} ${change.path}`).toSorted();
        expect(told).toEqual(expected(before, stateOf(root)));
        expect(found.counts.total).toBe(told.length);
        expect(found.unreadable).toEqual([]);
      },
    ),
    { numRuns: 150 },
  );
}, 180_000);

/** Bytes that the system takes as a name. */
const byteName = fc
  .uint8Array({ minLength: 1, maxLength: 60 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x80 : byte))))
  .filter((bytes) => ![".", ".."].includes(bytes.toString("latin1")));

it("F02: gives every name back byte for byte, whatever it is", async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "compare-names-"));
  onTestFinished(() => removeTree(dir));
  let round = 0;
  const names = fc.uniqueArray(byteName, { maxLength: 12, selector: (bytes) => bytes.toString("latin1") });
  await fc.assert(
    fc.asyncProperty(names, async (made) => {
      const root = path.join(dir, `tree${round++}`);
      fs.mkdirSync(root);
      const base = ContentBase.create(dir);
      const baseline = await takeBaseline(root, { base, keepTexts: true });
      for (const name of made) fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), "x");
      const { changes } = await compareTree(baseline, { isSensitive: () => false, textDiffs: true });
      base.close();
      const told = changes.map(({ path: text, path_b64 }) => path_b64 ?? Buffer.from(text).toString("base64"));
      expect(told.toSorted()).toEqual(made.map((name) => name.toString("base64")).toSorted());
    }),
    { numRuns: 60 },
  );
}, 180_000);
