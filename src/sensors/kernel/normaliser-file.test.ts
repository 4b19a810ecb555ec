import { describe, expect, it } from "vitest";
import type { OpenRecord } from "./record.ts";
import { bytes, file, head, pathCall, testBench } from "./test-records.ts";

function open(path: string, more: Partial<OpenRecord> = {}): OpenRecord {
  return { kind: "open", ...head(), file: file(path), flags: 0, created: false, writable: false, ...more };
}

describe("opens", () => {
  it("keeps what was made or may be written, and of reads only sensitive ones", () => {
    const { normaliser, of } = testBench(["**/.ssh/**", "config/**", ".env*"]);
    for (const path of ["/workspace/a", "/config/x", "/workspace/config/x", "/home/agent/.ssh/id", "/proc/77/environ"])
      normaliser.add(open(path));
    for (const path of ["/workspace/.env", "/tmp/.env", "/etc/shadow", "/run/secrets/token", "/root/x"])
      normaliser.add(open(path));
    expect(of("file.open").map(({ path, access, sensitive }) => [path, access, sensitive])).toEqual(
      [
        "/workspace/config/x",
        "/home/agent/.ssh/id",
        "/proc/77/environ",
        "/workspace/.env",
        "/etc/shadow",
        "/run/secrets/token",
        "/root/x",
      ].map((path) => [path, "read", true]),
    );
  });

  it("says how it was opened", () => {
    const { normaliser, of } = testBench();
    normaliser.add(open("/workspace/a", { flags: 0o1101, created: true, writable: true }));
    normaliser.add(open("/workspace/a", { flags: 0o1001, writable: true }));
    normaliser.add(open("/tmp/#12", { flags: 0o20200002, created: true, writable: true }));
    expect(
      of("file.open").map(({ access, created, emptied, temporary }) => [access, created, emptied, temporary]),
    ).toEqual([
      ["write", true, undefined, undefined],
      ["write", undefined, true, undefined],
      ["read-write", true, undefined, true],
    ]);
  });

  it("keeps names that are not UTF-8", () => {
    const { normaliser, of } = testBench();
    const path = { name: Buffer.from("/tmp/\xe4", "latin1"), truncated: true };
    normaliser.add({ kind: "close-write", ...head(), file: { ...file(""), path } });
    const [event] = of("file.close-write");
    expect(event).toMatchObject({ path: "/tmp/\uFFFD", path_truncated: true, size: 7, inode: 42 });
    expect(Buffer.from(event?.path_b64 ?? "", "base64")).toEqual(path.name);
  });
});

describe("calls on names", () => {
  it("makes the path absolute and clean", () => {
    const { normaliser, of } = testBench();
    for (const name of ["a", "./a//b/", "../a", "/etc/../x", "..", "../../..", "a/./b"]) {
      normaliser.add(pathCall("unlink", name));
    }
    expect(of("file.unlink").map(({ path }) => path)).toEqual([
      "/workspace/a",
      "/workspace/a/b",
      "/a",
      "/x",
      "/",
      "/",
      "/workspace/a/b",
    ]);
  });

  it("has both names of a rename, with its flags and its failure", () => {
    const { normaliser, of } = testBench();
    const target = { base: bytes("/tmp"), name: bytes("b"), truncated: false };
    normaliser.add(pathCall("rename", "a", { target, argument: 2 }));
    normaliser.add(pathCall("rename", "a", { target, result: -18 }));
    normaliser.add(pathCall("link", "a", { target }));
    normaliser.add(pathCall("symlink", "l", { target: { name: bytes("../x"), truncated: false } }));
    expect(of("file.rename")).toMatchObject([
      { path: "/workspace/a", to: "/tmp/b", flags: ["exchange"] },
      { path: "/workspace/a", to: "/tmp/b", errno: "EXDEV" },
    ]);
    expect(of("file.link")[0]).toMatchObject({ to: "/tmp/b" });
    expect(of("file.symlink")[0]).toMatchObject({ link_text: "../x" });
  });

  it("has what else each call says", () => {
    const { normaliser, of } = testBench();
    normaliser.add(pathCall("chmod", "a", { argument: 0o4755 }));
    normaliser.add(pathCall("chown", "a", { argument: 0, argument2: 0xffff_ffff }));
    normaliser.add(pathCall("truncate", "a", { argument: 12 }));
    normaliser.add(pathCall("setxattr", "a", { text: bytes("user.x") }));
    normaliser.add(pathCall("mkdir", "d", { argument: 0o777 }));
    const source = { name: bytes("none"), truncated: false };
    normaliser.add(
      pathCall("mount", "d", { text: bytes("tmpfs"), target: source, argument: 1, result: -1, call: "fsmount" }),
    );
    expect(of("file.chmod")[0]?.mode).toBe("4755");
    expect(of("file.chown")[0]).toMatchObject({ uid: 0, gid: null });
    expect(of("file.truncate")[0]?.size).toBe(12);
    expect(of("file.setxattr")[0]?.attribute).toBe("user.x");
    expect(of("file.mkdir")[0]?.mode).toBe("0777");
    expect(of("file.mount")[0]).toMatchObject({
      fs_type: "tmpfs",
      mount_source: "none",
      flags: 1,
      errno: "EPERM",
      call: "fsmount",
    });
  });
});
