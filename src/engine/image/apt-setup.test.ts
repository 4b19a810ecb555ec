import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readAptSetup } from "./apt-setup.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "apt-"));
  mkdirSync(path.join(root, "etc/apt/sources.list.d"), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

const put = (file: string, text: string): void => writeFileSync(path.join(root, "etc", file), text);

test("both files formats of a Debian are read, disabled files are not", async () => {
  put("os-release", 'ID=debian\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian 12"\n');
  put("apt/sources.list", "deb http://one.example/debian bookworm main\n");
  put(
    "apt/sources.list.d/b.sources",
    "Types: deb\nURIs: http://two.example\nSuites: bookworm-security\nComponents: main\n",
  );
  put("apt/sources.list.d/c.list.disabled", "deb http://three.example/debian bookworm main\n");
  const { suite, sources } = await readAptSetup(root);
  expect(suite).toBe("bookworm");
  expect([...sources.matchAll(/^URIs: (.*)$/gm)].map((match) => match[1])).toEqual([
    "http://one.example/debian",
    "http://two.example",
  ]);
});

test("Ubuntu keeps the tools in another component", async () => {
  put("os-release", "ID=ubuntu\nVERSION_CODENAME=noble\n");
  put("apt/sources.list", "deb http://one.example/ubuntu noble main restricted universe\n");
  expect((await readAptSetup(root)).sources).toContain("Components: main universe\n");
});

test.each([
  ["another distribution", 'ID=fedora\nPRETTY_NAME="Fedora 42"\n', /Fedora 42, not Debian or Ubuntu/],
  ["no os-release", "", /unknown, not Debian/],
  ["no source of the release", "ID=debian\nVERSION_CODENAME=trixie\n", /no source for trixie/],
])("%s is an error that says so", async (_, release, message) => {
  put("os-release", release);
  await expect(readAptSetup(root)).rejects.toMatchObject({
    code: "image-build-failed",
    message: expect.stringMatching(message),
    hint: expect.stringContaining("--image-ref"),
  });
});
