import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { compare, nothing, only, write } from "./compare-test-bench.ts";

describe("contents", () => {
  it("of a created, a modified and a deleted file come with hashes, sizes and diffs", async () => {
    const result = await compare(
      (root) => {
        write("modified")(root);
        write("deleted")(root);
        write("same")(root);
      },
      (root) => {
        write("created", "new\n")(root);
        write("modified", "one\n2\n")(root);
        fs.rmSync(path.join(root, "deleted"));
      },
    );
    expect(result.counts).toEqual({ created: 1, modified: 1, deleted: 1, total: 3, renamed: 0 });
    expect(result.changes).toMatchObject([
      { path: "created", change_type: "created", before_sha256: null, before_type: null, after_size: 4 },
      { path: "deleted", change_type: "deleted", after_sha256: null, after_type: null, before_size: 8 },
      { path: "modified", change_type: "modified", before_size: 8, after_size: 6, after_mode: "0644" },
    ]);
    expect(result.changes.map(({ diff }) => diff)).toEqual([
      "--- a/created\n+++ b/created\n@@ -0,0 +1,1 @@\n+new\n",
      "--- a/deleted\n+++ b/deleted\n@@ -1,2 +0,0 @@\n-one\n-two\n",
      "--- a/modified\n+++ b/modified\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n",
    ]);
    const [, , modified] = result.changes;
    expect(modified?.before_sha256).toBe(modified && result.changes[1]?.before_sha256);
    expect(modified?.after_sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("with the same size and a forged time are found", async () => {
    const result = await compare(write("a", "1234"), (root) => {
      const file = path.join(root, "a");
      const { atime, mtime } = fs.statSync(file);
      fs.writeFileSync(file, "4321");
      fs.utimesSync(file, atime, mtime);
    });
    expect(only(result)).toMatchObject({ path: "a", change_type: "modified" });
  });

  it("that were written again, touched or replaced by a copy are no change", async () => {
    const result = await compare(
      (root) => {
        for (const name of ["again", "touched", "replaced"]) write(name)(root);
      },
      (root) => {
        write("again")(root);
        fs.utimesSync(path.join(root, "touched"), 1, 1);
        write("copy")(root);
        fs.renameSync(path.join(root, "copy"), path.join(root, "replaced"));
      },
    );
    expect(result.changes).toEqual([]);
  });

  it("that are binary or large get no diff but a reason", async () => {
    const large = "line\n".repeat(200_000);
    const huge = Buffer.alloc(3 << 20, 1);
    const result = await compare(
      (root) => {
        write("binary", Buffer.from([0, 1, 2]))(root);
        write("large", large)(root);
        write("huge", huge)(root);
      },
      (root) => {
        write("binary", Buffer.from([0, 1, 3]))(root);
        write("large", `${large}x`)(root);
        fs.appendFileSync(path.join(root, "huge"), "x");
        write("latin1", Buffer.from([0xe4, 0xf6]))(root);
      },
    );
    expect(result.changes.map(({ path: name, diff_omitted }) => [name, diff_omitted])).toEqual([
      ["binary", "binary"],
      ["huge", "too-large"],
      ["large", "too-large"],
      ["latin1", "binary"],
    ]);
    expect(result.changes.every(({ after_sha256 }) => after_sha256 !== null)).toBe(true);
  });

  it("larger than the limit are not read: a sparse file of 10 TiB costs nothing", async () => {
    const result = await compare(nothing, (root) => {
      write("sparse", "")(root);
      fs.truncateSync(path.join(root, "sparse"), 10 * 2 ** 40);
    });
    expect(only(result)).toMatchObject({ after_size: 10 * 2 ** 40, after_sha256: null, diff_omitted: "too-large" });
  });

  it("that change while they are read are marked", async () => {
    const result = await compare(nothing, (root) => {
      const file = path.join(root, "growing");
      fs.writeFileSync(file, Buffer.alloc(64 << 20));
      const writer = setInterval(() => fs.appendFileSync(file, "x"), 1);
      onTestFinished(() => clearInterval(writer));
    });
    expect(only(result)).toMatchObject({ path: "growing", unstable: true });
  });
});

describe("names", () => {
  it("that are no text keep their bytes", async () => {
    const name = Buffer.from("bad\xff\xfe\n.txt", "latin1");
    const result = await compare(nothing, (root) => {
      fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), "x");
    });
    expect(only(result)).toMatchObject({ path: "bad\ufffd\ufffd\n.txt", path_b64: name.toString("base64") });
  });

  it("that are no text keep their bytes also in links, renames and other names of a file", async () => {
    const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
    const within = (root: string, name: string): Buffer => Buffer.concat([Buffer.from(`${root}/`), bytes(name)]);
    const base64 = (text: string): string => bytes(text).toString("base64");
    const result = await compare(
      (root) => {
        fs.writeFileSync(within(root, "old\xff"), "x");
        fs.symlinkSync(bytes("before\xff"), path.join(root, "link"));
        fs.writeFileSync(within(root, "kept\xff"), "y");
      },
      (root) => {
        fs.renameSync(within(root, "old\xff"), path.join(root, "new"));
        fs.unlinkSync(path.join(root, "link"));
        fs.symlinkSync(bytes("after\xfe"), path.join(root, "link"));
        fs.linkSync(within(root, "kept\xff"), path.join(root, "other"));
      },
    );
    const by = (name: string) => result.changes.find((change) => change.path === name);
    expect(by("link")).toMatchObject({
      symlink_target: "after\ufffd",
      symlink_target_b64: base64("after\xfe"),
      before_symlink_target_b64: base64("before\xff"),
    });
    expect(by("new")).toMatchObject({ renamed_from: "old\ufffd", renamed_from_b64: base64("old\xff") });
    expect(by("other")).toMatchObject({ hard_link_of: "kept\ufffd", hard_link_of_b64: base64("kept\xff") });
  });

  it("with control characters are quoted in the headline of the diff", async () => {
    const result = await compare(nothing, write("a\n+++ b\u001b[2J", "x"));
    expect(only(result).diff?.split("\n")[0]).toBe('--- "a/a\\n+++ b\\033[2J"');
    expect(only(result).path_b64).toBeUndefined();
  });

  it("differing in case only are different files", async () => {
    const result = await compare(write("a"), write("A"));
    expect(only(result).path).toBe("A");
  });

  it("may lie deeper than a path can be long", async () => {
    const depth = 60;
    const part = "d".repeat(200);
    const deep = (command: string) => (root: string) => {
      // A shell walks down step by step; no path is ever longer than one name.
      const steps = `for i in $(seq ${depth}); do [ -d ${part} ] || mkdir ${part}; cd -P ${part} || exit 1; done; ${command}`;
      execFileSync("bash", ["-c", steps], { cwd: root, stdio: "ignore" });
    };
    const result = await compare(deep("echo old > changed; echo x > gone"), deep("echo new > changed; rm gone"));
    expect(result.changes.map(({ path: name, change_type }) => [name.length, change_type])).toEqual([
      [depth * 201 + "changed".length, "modified"],
      [depth * 201 + "gone".length, "deleted"],
    ]);
    expect(result.changes[0]?.diff).toContain("-old\n+new\n");
  });
});

describe("directories", () => {
  it("are listed when they are empty, and follow from their files otherwise", async () => {
    const result = await compare(
      (root) => {
        fs.mkdirSync(path.join(root, "was-empty"));
        fs.mkdirSync(path.join(root, "was-full"));
        write("was-full/a")(root);
        fs.mkdirSync(path.join(root, "emptied"));
        write("emptied/a")(root);
      },
      (root) => {
        fs.rmdirSync(path.join(root, "was-empty"));
        fs.rmSync(path.join(root, "was-full"), { recursive: true });
        fs.rmSync(path.join(root, "emptied/a"));
        fs.mkdirSync(path.join(root, "now-empty/below"), { recursive: true });
        fs.mkdirSync(path.join(root, "now-full"));
        write("now-full/a")(root);
      },
    );
    expect(result.changes.map(({ path: name, change_type }) => `${change_type} ${name}`)).toEqual([
      "deleted emptied/a",
      "created now-empty/below",
      "created now-full/a",
      "deleted was-empty",
      "deleted was-full/a",
    ]);
    expect(result.changes[1]).toMatchObject({ after_type: "directory", after_size: null, diff_omitted: "not-a-file" });
  });

  it("are listed when they themselves changed, the root too", async () => {
    const result = await compare(
      (root) => fs.mkdirSync(path.join(root, "d"), 0o755),
      (root) => {
        fs.chmodSync(path.join(root, "d"), 0o1777);
        fs.chmodSync(root, 0o700);
      },
    );
    expect(result.changes).toMatchObject([
      { path: ".", change_type: "modified", after_mode: "0700", diff_omitted: "metadata-only" },
      { path: "d", before_mode: "0755", after_mode: "1777", diff_omitted: "metadata-only" },
    ]);
  });
});

describe("metadata", () => {
  it("alone is a change: permissions and owner", async () => {
    const result = await compare(
      (root) => {
        write("mode")(root);
        write("owner")(root);
      },
      (root) => {
        fs.chmodSync(path.join(root, "mode"), 0o4755);
        fs.chownSync(path.join(root, "owner"), 4711, 4712);
      },
    );
    expect(result.changes).toMatchObject([
      { path: "mode", before_mode: "0644", after_mode: "4755", diff_omitted: "metadata-only" },
      { path: "owner", before_owner: "0:0", after_owner: "4711:4712", diff_omitted: "metadata-only" },
    ]);
  });
});

describe("renames", () => {
  it("are one deleted and one created path that know each other, also when the content changed", async () => {
    const result = await compare(
      (root) => {
        write("plain")(root);
        write("edited")(root);
        fs.mkdirSync(path.join(root, "dir/sub"), { recursive: true });
        write("dir/sub/a")(root);
        fs.mkdirSync(path.join(root, "dir/empty"));
      },
      (root) => {
        fs.renameSync(path.join(root, "plain"), path.join(root, "plain2"));
        fs.renameSync(path.join(root, "edited"), path.join(root, "edited2"));
        fs.appendFileSync(path.join(root, "edited2"), "more\n");
        fs.renameSync(path.join(root, "dir"), path.join(root, "moved"));
      },
    );
    const pairs = result.changes.filter(({ renamed_from }) => renamed_from !== undefined);
    expect(pairs.map(({ path: name, renamed_from }) => [renamed_from, name])).toEqual([
      ["edited", "edited2"],
      ["dir/empty", "moved/empty"],
      ["dir/sub/a", "moved/sub/a"],
      ["plain", "plain2"],
    ]);
    expect(result.counts).toMatchObject({ created: 4, deleted: 4, renamed: 4, total: 8 });
  });

  it("are not seen in a file that only got the inode of a deleted one", async () => {
    const result = await compare(write("old", "same"), (root) => {
      fs.rmSync(path.join(root, "old"));
      for (let index = 0; index < 20; index++) write(`new${index}`, "same")(root);
    });
    expect(result.counts).toMatchObject({ created: 20, deleted: 1, renamed: 0 });
  });
});

describe("hard links", () => {
  it("say whose other name they are", async () => {
    const result = await compare(write("old"), (root) => {
      fs.linkSync(path.join(root, "old"), path.join(root, "link"));
      write("new")(root);
      fs.linkSync(path.join(root, "new"), path.join(root, "new-too"));
      fs.symlinkSync("old", path.join(root, "soft"));
    });
    expect(result.counts).toMatchObject({ created: 4, modified: 0, renamed: 0 });
    const linked = result.changes.flatMap(({ path: name, hard_link_of }) =>
      hard_link_of ? [[name, hard_link_of]] : [],
    );
    expect(linked[0]).toEqual(["link", "old"]);
    expect(linked[1]?.toSorted()).toEqual(["new", "new-too"]);
    expect(linked).toHaveLength(2);
  });
  it("make a change of one name a change of all", async () => {
    const result = await compare(
      (root) => {
        write("a")(root);
        fs.linkSync(path.join(root, "a"), path.join(root, "b"));
      },
      (root) => fs.appendFileSync(path.join(root, "a"), "x"),
    );
    expect(result.changes.map(({ path: name }) => name)).toEqual(["a", "b"]);
  });
});

describe("other kinds of files", () => {
  it("are told by type, never opened, never followed", async () => {
    const result = await compare(
      (root) => {
        fs.symlinkSync("target", path.join(root, "link"));
        write("becomes-link")(root);
        write("becomes-dir")(root);
        fs.mkdirSync(path.join(root, "becomes-file"));
        write("becomes-file/a")(root);
      },
      async (root) => {
        fs.unlinkSync(path.join(root, "link"));
        fs.symlinkSync("/etc/shadow", path.join(root, "link"));
        fs.rmSync(path.join(root, "becomes-link"));
        fs.symlinkSync("/etc", path.join(root, "becomes-link"));
        fs.rmSync(path.join(root, "becomes-dir"));
        fs.mkdirSync(path.join(root, "becomes-dir"));
        write("becomes-dir/b")(root);
        fs.rmSync(path.join(root, "becomes-file"), { recursive: true });
        write("becomes-file")(root);
        execFileSync("mkfifo", [path.join(root, "fifo")]);
        spawnSync("mknod", [path.join(root, "zero"), "c", "1", "5"]);
        const server = net.createServer().listen(path.join(root, "socket"));
        onTestFinished(() => void server.close());
        await new Promise((resolve) => server.once("listening", resolve));
      },
    );
    const told = result.changes.map((change) => [change.path, change.before_type, change.after_type]);
    expect(told).toEqual([
      ["becomes-dir", "file", "directory"],
      ["becomes-dir/b", null, "file"],
      ["becomes-file", "directory", "file"],
      ["becomes-file/a", "file", null],
      ["becomes-link", "file", "symlink"],
      ["fifo", null, "fifo"],
      ["link", "symlink", "symlink"],
      ["socket", null, "socket"],
      ["zero", null, "character-device"],
    ]);
    expect(result.changes.find(({ path: name }) => name === "link")).toMatchObject({
      symlink_target: "/etc/shadow",
      before_symlink_target: "target",
      after_sha256: null,
    });
    expect(result.changes.find(({ path: name }) => name === "becomes-file")?.diff).toContain("+one\n");
  });

  it("a link whose text is no UTF-8 and whose status changed is no change", async () => {
    const target = Buffer.from([0xff, 0xfe]);
    const result = await compare(
      (root) => fs.symlinkSync(target, path.join(root, "link")),
      (root) => fs.lutimesSync(path.join(root, "link"), 1, 1),
    );
    expect(result.changes).toEqual([]);
  });
});
