import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { constants, gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { visible } from "../../src/schema/display.ts";
import { removeTree } from "../../src/workspace/remove-tree.ts";
import { runWalk, type TreeVisitor, walkTree } from "../../src/workspace/walk-tree.ts";
import { ObservedTree, told } from "../support/file-sensor.ts";
import { naively } from "../support/naive.ts";
import { setAttribute } from "../support/set-attribute.ts";

/**
 * What an agent can leave behind in its working copy against whoever looks at it. Each test first shows the attack at work
 * on a program without the one defence, then on the file sensor. More of the same inside real containers:
 * sensors-filesystem.test.ts.
 */
function tree(): ObservedTree {
  const made = new ObservedTree();
  onTestFinished(() => made.remove());
  return made;
}

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");
const beside = (made: ObservedTree, name: string): Buffer =>
  Buffer.concat([Buffer.from(`${made.root}/`), latin1(name)]);

describe("names", () => {
  test("F01: a line break in a name makes no second record", async () => {
    const made = tree();
    const { diff } = await made.observe(() => fs.writeFileSync(made.at("a\nb"), "x"));
    const lines = execFileSync("find", [".", "-type", "f"], { cwd: made.root, encoding: "utf8" }).trim().split("\n");
    expect(lines).toEqual(["./a", "b"]);
    expect(told(diff.changes)).toEqual(["created a\nb"]);
  });

  test("F02: a name that is no UTF-8 leads back to its file", async () => {
    const made = tree();
    const name = "bad\xff\xfe.txt";
    const { diff } = await made.observe(() => fs.writeFileSync(beside(made, name), "found"));
    const [asText = ""] = fs.readdirSync(made.root);
    expect(() => fs.readFileSync(made.at(asText))).toThrow("ENOENT");
    const [change] = diff.changes;
    const bytes = Buffer.from(change?.path_b64 ?? "", "base64");
    expect(fs.readFileSync(Buffer.concat([Buffer.from(`${made.root}/`), bytes]), "utf8")).toBe("found");
    expect(change?.path).toBe("bad\ufffd\ufffd.txt");
  });

  test("F03: every byte that a name can have is kept, and none of them reaches a terminal", async () => {
    const made = tree();
    const bytes = Array.from({ length: 255 }, (_, index) => index + 1).filter((byte) => byte !== 0x2f);
    const names = [
      ...bytes.map((byte) => latin1(`n${String.fromCharCode(byte)}`)),
      Buffer.from("n\u202egpj.exe\u200b"),
    ];
    const { diff } = await made.observe(() => {
      for (const name of names) fs.writeFileSync(Buffer.concat([Buffer.from(`${made.root}/`), name]), "x");
    });
    const kept = diff.changes.map(({ path: shown, path_b64 }) => path_b64 ?? Buffer.from(shown).toString("base64"));
    expect(kept.toSorted()).toEqual(names.map((name) => name.toString("base64")).toSorted());
    const obeyed = /[\p{Cc}\p{Cf}]/u;
    expect(diff.changes.filter((change) => obeyed.test(change.path)).length).toBeGreaterThan(30);
    expect(diff.changes.filter((change) => obeyed.test(visible(change.path)))).toEqual([]);
  });

  test("names that differ in case or in the form of an accent are different files", async () => {
    const made = tree();
    const names = ["Readme", "README", "readme", "caf\u00e9", "cafe\u0301"];
    const { diff } = await made.observe(() => names.forEach((name, at) => fs.writeFileSync(made.at(name), `${at}`)));
    const folded = new Map(names.map((name) => [name.normalize("NFC").toLowerCase(), name]));
    expect(folded.size).toBe(2);
    expect(diff.changes.map((change) => change.path).toSorted()).toEqual(names.toSorted());
    expect(new Set(diff.changes.map(({ after_sha256 }) => after_sha256)).size).toBe(5);
  });
});

describe("kinds of files", () => {
  test("F05: a FIFO does not block", async () => {
    const made = tree();
    const { diff } = await made.observe(() => void execFileSync("mkfifo", [made.at("pipe")]));
    expect(naively(made.root, `fs.readFileSync("pipe")`).hung).toBe(true);
    expect(diff.changes).toMatchObject([{ path: "pipe", after_type: "fifo", after_sha256: null, after_size: null }]);
  });

  test("F06: devices and sockets are told by type and never read", async () => {
    const made = tree();
    const { diff } = await made.observe(() => {
      execFileSync("mknod", [made.at("zero"), "c", "1", "5"]);
      execFileSync("mknod", [made.at("disk"), "b", "7", "250"]);
      const server = net.createServer().listen(made.at("socket"));
      onTestFinished(() => void server.close());
      return new Promise((resolve) => server.once("listening", resolve));
    });
    const swallowed = naively(
      made.root,
      `const b = Buffer.alloc(9); fs.readSync(fs.openSync("zero"), b); console.log("read")`,
    );
    expect(swallowed.stdout).toBe("read\n");
    const types = diff.changes.map((change) => [change.path, change.after_type, change.after_sha256]);
    expect(types).toEqual([
      ["disk", "block-device", null],
      ["socket", "socket", null],
      ["zero", "character-device", null],
    ]);
  });

  test("F07: a link to a file of the host is a text", async () => {
    const made = tree();
    const secret = path.join(made.dir, "secret");
    fs.writeFileSync(secret, "the host's secret");
    const { diff } = await made.observe(() => fs.symlinkSync(secret, made.at("notes.txt")));
    expect(naively(made.root, `console.log(fs.readFileSync("notes.txt", "utf8"))`).stdout).toBe("the host's secret\n");
    expect(diff.changes).toMatchObject([{ after_type: "symlink", symlink_target: secret, after_sha256: null }]);
    expect(JSON.stringify(diff)).not.toContain("the host's secret");
  });

  test("F08: a directory that turns into a link between two looks leads nowhere", async () => {
    const made = tree();
    const outside = path.join(made.dir, "outside");
    fs.mkdirSync(outside);
    fs.writeFileSync(path.join(outside, "secret"), "x");
    const swap = (): void => {
      fs.renameSync(made.at("dir"), made.at("aside"));
      fs.symlinkSync(outside, made.at("dir"));
    };
    const restore = (): void => {
      fs.rmSync(made.at("dir"));
      fs.renameSync(made.at("aside"), made.at("dir"));
    };
    fs.mkdirSync(made.at("dir"));
    // Looked at, found to be a directory, and swapped before it is opened: by path this leads out.
    expect(fs.lstatSync(made.at("dir")).isDirectory()).toBe(true);
    swap();
    expect(fs.readdirSync(made.at("dir"))).toEqual(["secret"]);
    restore();
    const seen: string[] = [];
    const failed: string[] = [];
    const visitor: TreeVisitor<string> = {
      entry(dir, name, stat) {
        seen.push(`${dir}/${name.toString()}`);
        if (name.toString() === "dir") swap();
        return stat.isDirectory();
      },
      enter: (_, name) => name.toString(),
      failed: (_, name) => void failed.push(String(name)),
    };
    await runWalk(walkTree(made.root, "", visitor));
    expect(seen).toEqual(["/dir"]);
    expect(failed).toEqual(["dir"]);
  });

  test("F13: what changes no content is told: hard links, extended attributes, mode, owner", async () => {
    const made = tree();
    for (const name of ["linked", "attribute", "mode", "owner"]) fs.writeFileSync(made.at(name), "same");
    const { diff } = await made.observe(() => {
      fs.linkSync(made.at("linked"), made.at("second-name"));
      setAttribute(made.at("attribute"), "user.payload", Buffer.from("hidden"));
      fs.chmodSync(made.at("mode"), 0o4755);
      fs.chownSync(made.at("owner"), 0, 4711);
    });
    const contents = fs.readdirSync(made.root).map((name) => fs.readFileSync(made.at(name), "utf8"));
    expect(new Set(contents)).toEqual(new Set(["same"]));
    expect(diff.changes).toMatchObject([
      { path: "attribute", xattrs: [{ name: "user.payload", size_bytes: 6 }] },
      { path: "mode", before_mode: "0644", after_mode: "4755", diff_omitted: "metadata-only" },
      { path: "owner", before_owner: "0:0", after_owner: "0:4711" },
      { path: "second-name", change_type: "created", hard_link_of: "linked" },
    ]);
  });
});

describe("sizes", () => {
  test("F10: a sparse file of 10 TiB costs no time", async () => {
    const made = tree();
    const { diff, report } = await made.observe(() => {
      fs.writeFileSync(made.at("sparse"), "");
      fs.truncateSync(made.at("sparse"), 10 * 2 ** 40);
    });
    const hash = `const h = require("node:crypto").createHash("sha256"); const fd = fs.openSync("sparse"), b = Buffer.alloc(1 << 20);
      while (fs.readSync(fd, b) > 0) h.update(b);`;
    expect(naively(made.root, hash).hung).toBe(true);
    expect(diff.changes).toMatchObject([{ after_size: 10 * 2 ** 40, after_sha256: null, diff_omitted: "too-large" }]);
    expect(report.gaps).toEqual([]);
  });

  test("F11: a directory of very many entries is counted whole and listed up to a stated cut", async () => {
    const made = new ObservedTree("/dev/shm");
    onTestFinished(() => made.remove());
    const count = 60_000;
    const { diff, report } = await made.observe(() => {
      for (let index = 0; index < count; index++) fs.writeFileSync(made.at(`file${index}`), "");
    });
    expect(diff).toMatchObject({ counts: { created: count, total: count }, truncated: true });
    expect(diff.changes).toHaveLength(50_000);
    expect(report.completeness[0]?.reason).toContain("the list is cut, the counts are not");
  });

  test("F11: the memory it takes does not grow with the number of files", () => {
    const made = new ObservedTree("/dev/shm");
    onTestFinished(() => made.remove());
    const peak = (program: string, count: number): number => {
      const args = [program, made.dir, String(count), "1000"];
      return Number(execFileSync(process.execPath, args, { encoding: "utf8" }).split(" ")[0]);
    };
    const program = path.join(import.meta.dirname, "../support/peak-memory.ts");
    const [few, many] = [peak(program, 20_000), peak(program, 100_000)];
    // Keeping one record a file, as the baseline does, would take 80 bytes for each of them; keeping changes, a kilobyte.
    expect(many - few).toBeLessThan(40 << 20);
  });

  test("F11, F12: 60 levels of 200 bytes are seen to the last file and removed", async () => {
    const made = tree();
    const name = "d".repeat(200);
    const build = `mkdir ${name}; echo deep > ${name}/end; for i in $(seq 59); do mkdir t; mv ${name} t/; mv t ${name}; done`;
    const { diff } = await made.observe(() => void execFileSync("sh", ["-c", build], { cwd: made.root }));
    const walk = `(function walk(at) { for (const e of fs.readdirSync(at, { withFileTypes: true })) if (e.isDirectory()) walk(at + "/" + e.name); })(process.cwd())`;
    expect(naively(made.root, walk).stderr).toContain("ENAMETOOLONG");
    expect(diff.changes).toMatchObject([{ change_type: "created", diff: expect.stringContaining("+deep") }]);
    expect(diff.changes[0]?.path).toHaveLength(60 * 201 + 3);
    const remove = `fs.rm(process.cwd(), { recursive: true }, (error) => console.log(error.code));`;
    expect(naively(made.root, remove).stdout).toBe("ENAMETOOLONG\n");
    await removeTree(made.root);
    expect(fs.existsSync(made.root)).toBe(false);
  });

  test("F14: an archive is a file: nothing unpacks it", async () => {
    const made = tree();
    const bomb = gzipSync(Buffer.alloc(300 << 20), { level: constants.Z_BEST_SPEED });
    const before = process.memoryUsage().rss;
    const { diff } = await made.observe(() => {
      for (const name of ["a.gz", "b.zip", "c.tar.gz"]) fs.writeFileSync(made.at(name), bomb);
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
    expect(diff.changes).toHaveLength(3);
    for (const change of diff.changes)
      expect(change).toMatchObject({
        after_size: bomb.length,
        diff_omitted: expect.stringMatching(/binary|too-large/),
      });
    // What a program that looks inside would get from each.
    expect(gunzipSync(bomb).length / bomb.length).toBeGreaterThan(100);
  });
});

describe("F15: a hostile .git", () => {
  /** Everything by which a repository makes git run a program. */
  function poison(made: ObservedTree, proof: string): void {
    const git = (...args: string[]): void => void execFileSync("git", ["-C", made.root, ...args]);
    git("init", "-q");
    fs.writeFileSync(made.at("file"), "one\n");
    git("add", "file");
    const run = `touch ${proof}; cat #`;
    fs.writeFileSync(made.at(".git/evil.config"), `[core]\n\tpager = "${run}"\n`);
    for (const [key, value] of [
      ["core.fsmonitor", run],
      ["core.sshCommand", run],
      ["core.editor", run],
      ["diff.external", run],
      ["filter.evil.clean", run],
      ["filter.evil.smudge", run],
      ["diff.evil.textconv", run],
      ["includeIf.gitdir:/**.path", made.at(".git/evil.config")],
      ["core.hooksPath", made.at(".git/hooks")],
    ] as const)
      git("config", key, value);
    fs.mkdirSync(made.at(".git/hooks"), { recursive: true });
    for (const hook of ["pre-commit", "post-checkout", "post-index-change", "reference-transaction"])
      fs.writeFileSync(made.at(`.git/hooks/${hook}`), `#!/bin/sh\n${run}\n`, { mode: 0o755 });
    fs.writeFileSync(made.at(".gitattributes"), "* filter=evil diff=evil\n");
    fs.writeFileSync(made.at("file"), "two\n");
    fs.rmSync(proof, { force: true });
  }

  test("makes whoever runs git in it run a program; the sensor and the clean-up run none", async () => {
    const made = tree();
    const proof = path.join(made.dir, "proof");
    const { diff } = await made.observe(() => poison(made, proof), [".git/**"]);
    expect(fs.existsSync(proof)).toBe(false);
    expect(diff.touched_sensitive_paths).toBe(true);
    expect(told(diff.changes)).toContain("created .git/config");
    execFileSync("git", ["-C", made.root, "status"], { stdio: "ignore" });
    expect(fs.existsSync(proof)).toBe(true);
    fs.rmSync(proof);
    await removeTree(made.root);
    expect(fs.existsSync(proof)).toBe(false);
  });
});
