import { describe, expect, it } from "vitest";
import type { OpenFailedRecord, OpenRecord } from "./record.ts";
import { bytes, exec, file, head, pathCall, testBench } from "./test-records.ts";

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
    normaliser.add({ kind: "close-write", ...head(), file: { ...file(""), path }, stillMapped: true });
    const [event] = of("file.close-write");
    expect(event).toMatchObject({ path: "/tmp/\uFFFD", path_truncated: true, still_mapped: true, size: 7, inode: 42 });
    expect(Buffer.from(event?.path_b64 ?? "", "base64")).toEqual(path.name);
  });
});

describe("opens that failed", () => {
  const failed = (name: string, flags: number, errno: number): OpenFailedRecord => {
    const path = { base: bytes("/workspace"), name: bytes(name), truncated: false };
    return { kind: "open-failed", ...head(), path, flags, errno };
  };

  it("keeps refusals, attempts to write, and look-ups of sensitive paths", () => {
    const { normaliser, of } = testBench([".env*"]);
    normaliser.add(failed("package.json", 0, 2));
    normaliser.add(failed("a/b", 0, 20));
    for (const errno of [1, 13, 30, 40]) normaliser.add(failed("data", 0, errno));
    normaliser.add(failed("gone/x", 0o101, 2));
    normaliser.add(failed(".env", 0, 2));
    normaliser.add(failed("/etc/shadow", 2, 13));
    expect(
      of("file.open-failed").map(({ path, access, create, sensitive, errno }) => [
        path,
        access,
        create,
        sensitive,
        errno,
      ]),
    ).toEqual([
      ...["EPERM", "EACCES", "EROFS", "ELOOP"].map((errno) => ["/workspace/data", "read", undefined, undefined, errno]),
      ["/workspace/gone/x", "write", true, undefined, "ENOENT"],
      ["/workspace/.env", "read", undefined, true, "ENOENT"],
      ["/etc/shadow", "read-write", undefined, true, "EACCES"],
    ]);
    // A file that could not be opened was not written: a program of that name is not one of this run.
    normaliser.add(exec(["x"], { file: file("/workspace/gone/x") }));
    expect(of("process.exec")[0]?.written_in_run).toBeUndefined();
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

  it("has the times that were set, and says which are not known", () => {
    const { normaliser, of } = testBench();
    const pair = (...numbers: number[]): Buffer => {
      const text = Buffer.alloc(8 * numbers.length);
      for (const [index, number] of numbers.entries()) text.writeBigInt64LE(BigInt(number), 8 * index);
      return text;
    };
    const given = { argument2: 4096, timesForm: "timespec" } as const;
    normaliser.add(pathCall("utime", "a", { ...given, text: pair(0, 0x3fff_ffff, 1e9, 1) }));
    normaliser.add(pathCall("utime", "a", { ...given, text: pair(0, 0x3fff_fffe, -1, 0) }));
    normaliser.add(pathCall("utime", "a", { ...given, text: pair(2 ** 60, 0, 0, 0) }));
    normaliser.add(pathCall("utime", "a", { ...given, text: Buffer.alloc(0) }));
    expect(of("file.utime").map(({ accessed, modified }) => [accessed, modified])).toEqual([
      ["now", "2001-09-09T01:46:40.000000001Z"],
      ["as it was", "1969-12-31T23:59:59.000000000Z"],
      ["unknown", "1970-01-01T00:00:00.000000000Z"],
      ["unknown", "unknown"],
    ]);
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
