/**
 * The file diff against `git diff --no-index`, and the working copy against `cp -a`, on the same files in the same run;
 * then the memory and time for a million files that an agent has left.
 *   node bench/fs-diff.ts [FILES] [ROUNDS] [MANY]
 */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Issue } from "../src/schema/issue.ts";
import { type Baseline, takeBaseline } from "../src/workspace/baseline.ts";
import { compareTree, type TreeChanges } from "../src/workspace/compare-tree.ts";
import { ContentBase } from "../src/workspace/content-base.ts";
import { createWorkspace } from "../src/workspace/create.ts";
import { removeTree } from "../src/workspace/remove-tree.ts";
import { median, range } from "./statistics.ts";

const FILES = Number(process.argv[2] ?? 50_000);
const ROUNDS = Number(process.argv[3] ?? 5);
const MANY = Number(process.argv[4] ?? 1_000_000);
const MEAN_BYTES = 6000;
const ISSUE: Issue = { id: "bench", risk_level: "safe", title: "T", prompt: "P", files: [] };

/** Numbers that look random and are the same in every run. */
function* numbers(): Generator<number, never> {
  for (let value = 1; ; ) {
    value = (Math.imul(value, 1_103_515_245) + 12_345) & 0x7fffffff;
    yield value;
  }
}

function fileName(index: number): string {
  return `package${index % 50}/module${Math.floor(index / 50) % 100}/file${index}.txt`;
}

function makeProject(root: string): void {
  const random = numbers();
  for (let index = 0; index < FILES; index++) {
    const file = path.join(root, fileName(index));
    if (index < 5000) fs.mkdirSync(path.dirname(file), { recursive: true });
    const lines = Math.round(((random.next().value % 100) / 50) * (MEAN_BYTES / 30));
    const text = Array.from({ length: lines }, () => `line ${random.next().value} of some file\n`).join("");
    fs.writeFileSync(file, text);
  }
}

/** 400 paths: 200 modified (10 of them with the old time put back), 100 deleted, 50 renamed, 50 created. */
function edit(root: string): void {
  const at = (index: number): string => path.join(root, fileName(index * 7));
  for (let index = 0; index < 200; index++) {
    const { atime, mtime } = fs.statSync(at(index));
    fs.appendFileSync(at(index), "one more line\n");
    if (index < 10) fs.utimesSync(at(index), atime, mtime);
  }
  for (let index = 200; index < 300; index++) fs.rmSync(at(index));
  for (let index = 300; index < 350; index++) fs.renameSync(at(index), `${at(index)}.renamed`);
  for (let index = 350; index < 400; index++) fs.writeFileSync(`${at(index)}.new`, "new\n");
}

async function timed<T>(work: () => T | Promise<T>): Promise<{ ms: number; result: T }> {
  const startMs = performance.now();
  const result = await work();
  return { ms: performance.now() - startMs, result };
}

function gitDiff(before: string, after: string): number {
  const args = ["diff", "--no-index", "--no-renames", before, after];
  const { stdout } = spawnSync("git", args, { encoding: "utf8", maxBuffer: 1 << 30 });
  return stdout.split("\n").filter((line) => line.startsWith("diff --git ")).length;
}

function report(name: string, values: readonly number[]): void {
  console.log(`${name.padEnd(44)} ${median(values).toFixed(0).padStart(7)} ms  (${range(values)})`);
}

async function prepare(dir: string): Promise<{ baseline: Baseline; before: string }> {
  const project = path.join(dir, "project");
  makeProject(project);
  const before = path.join(dir, "before");
  const copied = await timed(() => execFileSync("cp", ["-a", project, before]));
  const base = ContentBase.create(dir);
  const workspace = path.join(dir, "workspace");
  const options = {
    project,
    issue: ISSUE,
    prompt: "",
    destination: workspace,
    pluginFile: undefined,
    captureRoot: dir,
  };
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const made = await timed(() => createWorkspace({ ...options, captureRoot: path.join(dir, "x"), ...owner, base }));
  fs.rmSync(path.join(workspace, "TASK.md"));
  const baseline = await timed(() => takeBaseline(workspace, { base, keepTexts: true }));
  report("cp -a", [copied.ms]);
  report("working copy, contents kept", [made.ms]);
  report("baseline", [baseline.ms]);
  return { baseline: baseline.result, before };
}

const SHARED_MEMORY = "/dev/shm";
const ROOM_BYTES = 4 * 2 ** 30;

/** Making a million files takes minutes on some disks; what is measured is not the disk. */
function placeForMany(dir: string): string {
  if (!fs.existsSync(SHARED_MEMORY)) return dir;
  const { bavail, bsize } = fs.statfsSync(SHARED_MEMORY);
  return bavail * bsize > ROOM_BYTES ? SHARED_MEMORY : dir;
}

/** One line of what tests/support/peak-memory.ts measures in a process of its own. */
async function reportMany(dir: string, count: number): Promise<void> {
  const program = path.join(import.meta.dirname, "../tests/support/peak-memory.ts");
  const place = fs.mkdtempSync(path.join(placeForMany(dir), "bench-many-"));
  const output = execFileSync(process.execPath, [program, place, String(count)], { encoding: "utf8" });
  await removeTree(place);
  const [bytes = 0, ms = 0, listed = 0] = output.trim().split(" ").map(Number);
  console.log(
    `${count} new files: ${(ms / 1000).toFixed(1)} s, ${Math.round(bytes / 2 ** 20)} MB at most, ${listed} described, all counted`,
  );
}

async function main(): Promise<void> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "bench-fs-diff-"));
  try {
    const { baseline, before } = await prepare(dir);
    edit(baseline.root);
    const ours: number[] = [];
    const git: number[] = [];
    let changes: TreeChanges | undefined;
    for (let round = 0; round < ROUNDS; round++) {
      const found = await timed(() => compareTree(baseline, { isSensitive: () => false, textDiffs: true }));
      const byGit = await timed(() => gitDiff(before, baseline.root));
      changes = found.result;
      if (byGit.result !== changes.counts.total)
        throw new Error(`git finds ${byGit.result}, we ${changes.counts.total}`);
      ours.push(found.ms);
      git.push(byGit.ms);
    }
    report(`file diff of ${FILES} files`, ours);
    report("git diff --no-index", git);
    console.log(`ratio of the medians: ${(median(ours) / median(git)).toFixed(2)}; ${JSON.stringify(changes?.counts)}`);
    for (const count of [MANY / 10, MANY]) await reportMany(dir, count);
    console.log(`memory: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB at most`);
  } finally {
    await removeTree(dir);
  }
}

await main();
