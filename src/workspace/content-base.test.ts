import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { ContentBase, type ContentBaseLimits } from "./content-base.ts";

function create(limits: Partial<ContentBaseLimits> = {}): { base: ContentBase; dir: string } {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "base-"));
  const base = ContentBase.create(dir, limits);
  onTestFinished(() => {
    base.close();
    fs.rmSync(dir, { recursive: true });
  });
  return { base, dir };
}

it("gives texts back, and hashes of everything", () => {
  const { base, dir } = create();
  const refs = Array.from({ length: 3000 }, (_, index) => base.add(Buffer.from(`text ${index}\n`.repeat(100)), "text"));
  expect(refs.map((ref) => base.text(ref)?.toString().split("\n")[0])).toEqual(refs.map((ref) => `text ${ref}`));
  expect(base.sha256(base.add(Buffer.from("abc"), "hash"))).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  expect(fs.readdirSync(dir)).toEqual([]);
});

it("says why a text is not there", () => {
  const { base } = create({ textBytes: 100, totalBytes: 150 });
  expect(base.whyNoText(base.add(Buffer.from([0]), "text"))).toBe("binary");
  expect(base.whyNoText(base.add(Buffer.alloc(101, "a"), "text"))).toBe("too-large");
  expect(base.text(base.add(Buffer.alloc(100, "a"), "text"))?.length).toBe(100);
  const late = base.add(Buffer.alloc(100, "b"), "text");
  expect(base.text(late)).toBeUndefined();
  expect(base.whyNoText(late)).toBe("budget");
  expect(base.text(base.add(Buffer.from([0xff]), "any"))).toEqual(Buffer.from([0xff]));
});

it("knows a file again while it is untouched", () => {
  const { base, dir } = create();
  const file = path.join(dir, "f");
  fs.writeFileSync(file, "a");
  const ref = base.add(Buffer.from("a"), "text");
  base.remember(fs.lstatSync(file, { bigint: true }), ref);
  expect(base.recall(fs.lstatSync(file, { bigint: true }))).toBe(ref);
  fs.chmodSync(file, 0o600);
  expect(base.recall(fs.lstatSync(file, { bigint: true }))).toBeUndefined();
});
