import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { expect, it } from "vitest";
import { setAttribute } from "../../tests/support/set-attribute.ts";
import { compare, only, write } from "./compare-test-bench.ts";

const mkdir = (name: string) => (root: string) => void fs.mkdirSync(path.join(root, name), { recursive: true });
const at = (root: string, name: string): string => path.join(root, name);

it("F13: an extended attribute alone is a change, on a file and on a directory", async () => {
  const result = await compare(
    (root) => {
      write("a")(root);
      write("same")(root);
      mkdir("d")(root);
    },
    (root) => {
      setAttribute(at(root, "a"), "user.hidden", Buffer.from("payload"));
      setAttribute(at(root, "d"), "user.odd\xff\n", Buffer.alloc(1000, 1));
    },
  );
  expect(result.changes).toMatchObject([
    {
      path: "a",
      change_type: "modified",
      diff_omitted: "metadata-only",
      xattrs: [{ name: "user.hidden", size_bytes: 7, value_b64: Buffer.from("payload").toString("base64") }],
    },
    { path: "d", change_type: "modified", xattrs: [{ name: "user.odd\ufffd\n", size_bytes: 1000 }] },
  ]);
  expect(result.changes[1]?.xattrs?.[0]).toMatchObject({
    name_b64: Buffer.from("user.odd\xff\n", "latin1").toString("base64"),
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(result.changes[1]?.xattrs?.[0]?.value_b64).toBeUndefined();
  expect(result.noXattrs).toBeUndefined();
});

it("F13: attributes of what is new are told, also of directories that would not be listed", async () => {
  const result = await compare(mkdir("old"), (root) => {
    for (const dir of ["empty", "full"]) mkdir(dir)(root);
    write("full/file")(root);
    for (const name of ["empty", "full", "full/file"]) setAttribute(at(root, name), "user.x", Buffer.from(name));
  });
  const told = result.changes.map(({ path: name, change_type, xattrs }) => [name, change_type, xattrs?.[0]?.name]);
  expect(told).toEqual([
    ["empty", "created", "user.x"],
    ["full", "created", "user.x"],
    ["full/file", "created", "user.x"],
  ]);
  expect(result.counts.created).toBe(3);
});

it("are read of a link itself, never of what it names", async () => {
  const result = await compare(write("target"), (root) => {
    setAttribute(at(root, "target"), "user.x", Buffer.from("y"));
    fs.symlinkSync("target", at(root, "link"));
  });
  expect(result.changes.map(({ path: name, xattrs }) => [name, xattrs?.length])).toEqual([
    ["link", undefined],
    ["target", 1],
  ]);
});

it("are bounded in number", async () => {
  const result = await compare(write("many"), (root) => {
    for (let index = 0; index < 100; index++) setAttribute(at(root, "many"), `user.n${index}`, Buffer.from("v"));
  });
  expect(only(result).xattrs).toHaveLength(64);
});

it("an access list that every file inherits from above tells nothing", async () => {
  // Version 2; user::rwx, group::r-x, user 4711:r--, mask::r-x, other::r-x.
  const list = Buffer.from(
    "0200000001000700ffffffff0200040067120000" + "04000500ffffffff10000500ffffffff20000500ffffffff",
    "hex",
  );
  const above = (root: string) => setAttribute(path.dirname(root), "system.posix_acl_default", list);
  const inherited = await compare(
    (root) => {
      above(root);
      write("touched")(root);
    },
    (root) => {
      fs.utimesSync(at(root, "touched"), 1, 1);
      execFileSync("mkdir", [at(root, "new")]);
    },
  );
  expect(inherited.changes.map(({ path: name, xattrs }) => [name, xattrs])).toEqual([["new", undefined]]);
  const own = await compare(write("a"), (root) => setAttribute(at(root, "a"), "system.posix_acl_access", list));
  expect(only(own).xattrs?.map(({ name }) => name)).toEqual(["system.posix_acl_access"]);
});
