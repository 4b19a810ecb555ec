import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Worker } from "node:worker_threads";
import { expect, it, onTestFinished } from "vitest";
import { removeTree } from "./remove-tree.ts";
import { runWalk, type TreeVisitor, walkTree } from "./walk-tree.ts";

function temporary(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "walk-"));
  onTestFinished(() => removeTree(dir));
  return dir;
}

/** Collects paths; `slow` is called in every directory. */
async function collect(root: string, slow: () => void = () => {}): Promise<{ found: string[]; failed: string[] }> {
  const found: string[] = [];
  const failed: string[] = [];
  const visitor: TreeVisitor<string> = {
    entry(dir, name, stat) {
      found.push(`${dir}${name.toString("utf8")}`);
      return stat.isDirectory();
    },
    enter(parent, name) {
      slow();
      return `${parent}${name.toString("utf8")}/`;
    },
    failed: (dir, name) => void failed.push(`${dir}${name?.toString("utf8") ?? ""}`),
  };
  await runWalk(walkTree(root, "", visitor));
  return { found, failed };
}

it("visits everything below, also where more levels are than descriptors are kept", async () => {
  const root = temporary();
  const expected: string[] = [];
  let at = "";
  for (let level = 0; level < 150; level++) {
    fs.mkdirSync(path.join(root, at, "d"), { recursive: true });
    fs.writeFileSync(path.join(root, at, "f"), "");
    fs.mkdirSync(path.join(root, at, "z"));
    fs.writeFileSync(path.join(root, at, "z/last"), "");
    expected.push(`${at}d`, `${at}f`, `${at}z`, `${at}z/last`);
    at += "d/";
  }
  const before = fs.readdirSync("/proc/self/fd").length;
  const { found, failed } = await collect(root);
  expect(found.toSorted()).toEqual(expected.toSorted());
  expect(failed).toEqual([]);
  expect(fs.readdirSync("/proc/self/fd").length).toBe(before);
});

it("reads a directory of very many files", async () => {
  const root = temporary();
  for (let index = 0; index < 6000; index++)
    fs.writeFileSync(path.join(root, `file-with-a-much-longer-name-so-that-it-counts-${index}`), "");
  expect(new Set((await collect(root)).found).size).toBe(6000);
});

it("lets errors of the visitor pass and closes what is open", async () => {
  const root = temporary();
  fs.mkdirSync(path.join(root, "a/b"), { recursive: true });
  const before = fs.readdirSync("/proc/self/fd").length;
  const failing = collect(root, () => {
    throw new RangeError("not today");
  });
  await expect(failing).rejects.toThrow("not today");
  const visitor: TreeVisitor<string> = {
    entry: () => Promise.reject(new RangeError("nor this")),
    enter: () => "",
    failed: () => {},
  };
  await expect(runWalk(walkTree(root, "", visitor))).rejects.toThrow("nor this");
  expect(fs.readdirSync("/proc/self/fd").length).toBe(before);
});

it("stops when it is told to", async () => {
  const root = temporary();
  for (let index = 0; index < 3000; index++) fs.mkdirSync(path.join(root, `d${index}`));
  const abort = new AbortController();
  const visitor: TreeVisitor<string> = {
    entry: () => true,
    enter() {
      abort.abort();
      return "";
    },
    failed: () => {},
  };
  await expect(runWalk(walkTree(root, "", visitor), abort.signal, 0)).rejects.toThrow("aborted");
});

it("F08: is never led out of the tree by a directory that is swapped for a link", async () => {
  const dir = temporary();
  const root = path.join(dir, "tree");
  fs.mkdirSync(path.join(root, "swapped/inner"), { recursive: true });
  fs.mkdirSync(path.join(dir, "outside/inner"), { recursive: true });
  fs.writeFileSync(path.join(dir, "outside/secret"), "");
  fs.writeFileSync(path.join(dir, "outside/inner/secret"), "");
  const swapper = new Worker(
    `const fs = require("node:fs"); const root = ${JSON.stringify(root)}, out = ${JSON.stringify(path.join(dir, "outside"))};
     const end = Date.now() + 1500;
     while (Date.now() < end) {
       fs.renameSync(root + "/swapped", root + "/aside"); fs.symlinkSync(out, root + "/swapped");
       fs.unlinkSync(root + "/swapped"); fs.renameSync(root + "/aside", root + "/swapped");
     }`,
    { eval: true },
  );
  const ended = new Promise((resolve) => swapper.once("exit", resolve));
  let walks = 0;
  let isRunning = true;
  void ended.then(() => (isRunning = false));
  const seen = new Set<string>();
  while (isRunning) {
    for (const file of (await collect(root)).found) seen.add(file);
    walks++;
    // The walk itself may never leave the thread, and the end of the other one is an event.
    await new Promise(setImmediate);
  }
  expect(walks).toBeGreaterThan(50);
  expect([...seen].filter((file) => file.includes("secret"))).toEqual([]);
});
