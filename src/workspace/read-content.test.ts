import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { ContentReader, type NotRead } from "./content-reader.ts";
import { type ContentRead, openRegular, readSmall, SMALL_FILE_BYTES } from "./read-content.ts";

function temporary(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "read-"));
  onTestFinished(() => fs.rmSync(dir, { recursive: true }));
  return dir;
}

it("F05–F07: what became a FIFO, a device or a link since it was looked at neither blocks nor is read", () => {
  const dir = temporary();
  const at = (name: string): string => path.join(dir, name);
  execFileSync("mkfifo", [at("fifo")]);
  execFileSync("mknod", [at("zero"), "c", "1", "5"]);
  fs.symlinkSync("/etc/passwd", at("link"));
  fs.mkdirSync(at("directory"));
  for (const name of ["fifo", "zero", "directory"]) expect(openRegular(at(name))).toBeUndefined();
  expect(() => openRegular(at("link"))).toThrow("ELOOP");
  const scratch = Buffer.alloc(SMALL_FILE_BYTES + 1);
  expect(readSmall(at("zero"), scratch)).toBeUndefined();
  expect(fs.readdirSync("/proc/self/fd").filter((fd) => tryLink(fd)?.startsWith(dir))).toEqual([]);
});

function tryLink(fd: string): string | undefined {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

it("small and large files have the same hash as for everybody else", async () => {
  const dir = temporary();
  for (const size of [0, 1, SMALL_FILE_BYTES, SMALL_FILE_BYTES + 1, 3 * SMALL_FILE_BYTES]) {
    const content = Buffer.alloc(size, `content of ${size}\n`);
    const file = path.join(dir, String(size));
    fs.writeFileSync(file, content);
    const results: (ContentRead | NotRead)[] = [];
    await new ContentReader().read(Buffer.from(file), fs.lstatSync(file, { bigint: true }), (read) =>
      results.push(read),
    );
    const expected = createHash("sha256").update(content).digest("hex");
    expect(
      results.map((read) => (typeof read === "string" ? read : [read.sha256.toString("hex"), read.unstable])),
    ).toEqual([[expected, false]]);
  }
});

it("stays within its limits", () => {
  const dir = temporary();
  const file = path.join(dir, "f");
  fs.writeFileSync(file, "12345");
  const results: (ContentRead | NotRead)[] = [];
  const read = (reader: ContentReader): void =>
    void reader.read(Buffer.from(file), fs.lstatSync(file, { bigint: true }), (result) => results.push(result));
  read(new ContentReader({ fileBytes: 4 }));
  const twice = new ContentReader({ totalBytes: 9 });
  read(twice);
  read(twice);
  expect(results.map((result) => (typeof result === "string" ? result : "read"))).toEqual([
    "too-large",
    "read",
    "budget",
  ]);
});
