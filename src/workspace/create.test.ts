import { execFileSync } from "node:child_process";
import builtin, * as fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import * as os from "node:os";
import * as path from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Issue } from "../schema/issue.ts";
import { createWorkspace, type WorkspaceOptions, type WorkspaceResult } from "./create.ts";
import { removeTree } from "./remove-tree.ts";

const UID = 10_001;
const PLUGIN = path.join(import.meta.dirname, "../../package.json");

interface Made extends WorkspaceResult {
  dir: string;
  project: string;
  workspace: string;
  read(file: string): string;
  has(file: string): boolean;
}

async function make(
  files: Record<string, string>,
  issueFiles: Issue["files"] = [],
  more: Partial<WorkspaceOptions> & { prepare?: (project: string, dir: string) => void } = {},
): Promise<Made> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "create-"));
  onTestFinished(() => removeTree(dir));
  const project = path.join(dir, "project");
  for (const [name, content] of Object.entries({ "README.md": "# P\n", ...files })) {
    fs.mkdirSync(path.dirname(path.join(project, name)), { recursive: true });
    fs.writeFileSync(path.join(project, name), content);
  }
  more.prepare?.(project, dir);
  const workspace = path.join(dir, "workspace");
  const result = await createWorkspace({
    project,
    issue: { id: "mine", risk_level: "safe", title: "T", prompt: "P", files: issueFiles },
    prompt: "do it\n",
    destination: workspace,
    uid: UID,
    gid: UID,
    pluginFile: PLUGIN,
    captureRoot: path.join(dir, "captures"),
    ...more,
  });
  const at = (file: string): string => path.join(workspace, file);
  return {
    ...result,
    dir,
    project,
    workspace,
    read: (file) => fs.readFileSync(at(file), "utf8"),
    has: (file) => fs.lstatSync(at(file), { throwIfNoEntry: false }) !== undefined,
  };
}

const same = (file: string): Issue["files"][number] => ({ source: file, destination: file });

describe("the working copy", () => {
  it("has a sparse file's data in its place, and its holes as holes", async () => {
    const [start, middle, end] = [0, 300 * 2 ** 20 + 12_345, 2 ** 30 - 5];
    const made = await make({}, [], {
      prepare: (project) => {
        const fd = fs.openSync(path.join(project, "sparse.img"), "w");
        for (const at of [start, middle, end]) fs.writeSync(fd, `at ${at}`.padEnd(5), at);
        fs.closeSync(fd);
        fs.closeSync(fs.openSync(path.join(project, "hole.img"), "w"));
        fs.truncateSync(path.join(project, "hole.img"), 2 ** 40);
      },
    });
    const fd = fs.openSync(path.join(made.workspace, "sparse.img"), "r");
    onTestFinished(() => fs.closeSync(fd));
    const { size, blocks } = fs.fstatSync(fd);
    expect(size).toBe(fs.statSync(path.join(made.project, "sparse.img")).size);
    expect(blocks * 512).toBeLessThan(2 ** 20);
    for (const at of [start, middle, end]) {
      const text = `at ${at}`.padEnd(5);
      const piece = Buffer.alloc(text.length);
      fs.readSync(fd, piece, 0, piece.length, at);
      expect(piece.toString()).toBe(text);
    }
    const hole = fs.statSync(path.join(made.workspace, "hole.img"));
    expect([hole.size, hole.blocks]).toEqual([2 ** 40, 0]);
  });

  it("goes without what the agent must not find", async () => {
    const made = await make(
      {
        "src/a.ts": "a",
        "artifacts/captures/old/meta/run.json": "{}",
        "node_modules/x/index.js": "x",
        "packages/p/node_modules/y/index.js": "y",
        "src/__pycache__/a.pyc": "x",
        ".pytest_cache/v": "x",
        ".env": "SECRET=1",
        "packages/p/.env.local": "SECRET=2",
        "tasks/issues.json": "[]",
        "tasks/README.md": "what the tasks are for",
        "tasks/models/mine.careful.json": "the answer",
        "tasks/truth/mine.careful.json": "what it does",
        "tasks/fixtures/mine/a.py": "mine",
        "tasks/fixtures/other/b.py": "other",
        "dist/out.js": "kept",
        "vendor/lib/.git": "gitdir: elsewhere",
        "secret/notes.txt": "x",
        "secret/public.txt": "y",
        "big.bin": "x",
        ".captureignore":
          "# ours\nsecret/*\n!secret/public.txt\n/big.bin\n!node_modules/\n!tasks/models/\n!tasks/truth/\n",
        "own/captures/x": "x",
      },
      [],
      { captureRoot: "own" },
    ).catch((error: unknown) => error);
    expect(made).toBeInstanceOf(Object);
    if (made instanceof Error) throw made;
    const { has } = made as Made;
    const wanted = [
      "src/a.ts",
      "tasks/fixtures/mine/a.py",
      "dist/out.js",
      "secret/public.txt",
      "node_modules/x/index.js",
      "packages/p/node_modules/y/index.js",
    ];
    const unwanted = [
      "artifacts",
      "src/__pycache__",
      ".pytest_cache",
      ".env",
      "packages/p/.env.local",
      "tasks/issues.json",
      "tasks/README.md",
      "tasks/models",
      "tasks/truth",
      "tasks/fixtures/other",
      "vendor/lib/.git",
      "secret/notes.txt",
      "big.bin",
    ];
    expect(wanted.filter((file) => !has(file))).toEqual([]);
    expect(unwanted.filter(has)).toEqual([]);
  });

  it("goes without the capture root and itself when they lie in the project", async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "create-inside-"));
    onTestFinished(() => removeTree(dir));
    fs.mkdirSync(path.join(dir, "out/captures/run"), { recursive: true });
    fs.writeFileSync(path.join(dir, "a"), "a");
    const destination = path.join(dir, "work/here");
    const issue: Issue = { id: "mine", risk_level: "safe", title: "T", prompt: "P", files: [] };
    const options = { project: dir, issue, prompt: "p", destination, uid: UID, gid: UID, pluginFile: PLUGIN };
    await createWorkspace({ ...options, captureRoot: path.join(dir, "out/captures") });
    expect(fs.readdirSync(destination).toSorted()).toEqual([".opencode", "TASK.md", "a", "out", "work"]);
    expect(fs.readdirSync(path.join(destination, "out"))).toEqual([]);
    expect(fs.readdirSync(path.join(destination, "work"))).toEqual([]);
    await expect(createWorkspace({ ...options, destination: `${dir}/x`, captureRoot: dir })).rejects.toMatchObject({
      code: "capture-root",
    });
  });

  it("keeps contents, permissions, times and link texts, and belongs to the container's user", async () => {
    const made = await make({ "bin/tool": "#!/bin/sh\n", "d/a": "a" }, [], {
      prepare: (project) => {
        fs.chmodSync(path.join(project, "bin/tool"), 0o4755);
        fs.utimesSync(path.join(project, "bin/tool"), 1000, 1000);
        fs.chmodSync(path.join(project, "d"), 0o555);
        fs.symlinkSync("/etc/passwd", path.join(project, "outside"));
        fs.writeFileSync(Buffer.from(`${project}/bad\xff`, "latin1"), "bytes");
        fs.mkdirSync(path.join(project, "empty"));
        fs.writeFileSync(path.join(project, "large"), Buffer.alloc(5 << 20, 7));
      },
    });
    const stat = (file: string) => fs.lstatSync(path.join(made.workspace, file));
    expect(stat("bin/tool")).toMatchObject({ uid: UID, gid: UID, mtimeMs: 1_000_000, mode: 0o100755 });
    expect(stat("d").mode & 0o777).toBe(0o755);
    expect(fs.readlinkSync(path.join(made.workspace, "outside"))).toBe("/etc/passwd");
    expect(stat("outside").uid).toBe(UID);
    expect(fs.readFileSync(Buffer.from(`${made.workspace}/bad\xff`, "latin1"), "utf8")).toBe("bytes");
    expect(stat("empty").isDirectory()).toBe(true);
    expect(fs.readFileSync(path.join(made.workspace, "large")).equals(Buffer.alloc(5 << 20, 7))).toBe(true);
    const foreign = execFileSync("find", [made.workspace, "!", "-uid", String(UID)], { encoding: "utf8" });
    expect(foreign).toBe("");
    expect(made.ownerSet).toBe(true);
    expect(made.files).toBe(8);
  });

  it("goes without FIFOs, sockets and devices, and says so", async () => {
    const made = await make({}, [], {
      prepare: (project) => {
        execFileSync("mkfifo", [path.join(project, "fifo")]);
        execFileSync("mknod", [path.join(project, "null"), "c", "1", "3"]);
      },
    });
    expect(made.skipped).toEqual([
      { path: "fifo", reason: "fifo" },
      { path: "null", reason: "character-device" },
    ]);
  });

  it("holds the task and a copy of the plugin", async () => {
    const made = await make({ "TASK.md": "old", ".opencode/plugins/mas_safe_security.ts": "old" });
    expect(made.read("TASK.md")).toBe("do it\n");
    expect(made.read(".opencode/plugins/mas_safe_security.ts")).toBe(fs.readFileSync(PLUGIN, "utf8"));
    expect((await make({}, [], { pluginFile: undefined })).has(".opencode")).toBe(false);
  });

  it("writes nothing through links that the project has in those places", async () => {
    const made = await make({}, [], {
      prepare: (project, dir) => {
        fs.mkdirSync(path.join(dir, "elsewhere"));
        fs.writeFileSync(path.join(dir, "victim"), "untouched");
        fs.symlinkSync(path.join(dir, "elsewhere"), path.join(project, ".opencode"));
        fs.symlinkSync(path.join(dir, "victim"), path.join(project, "TASK.md"));
      },
    });
    expect(fs.readdirSync(path.join(made.dir, "elsewhere"))).toEqual([]);
    expect(fs.readFileSync(path.join(made.dir, "victim"), "utf8")).toBe("untouched");
    expect(made.read("TASK.md")).toBe("do it\n");
    expect(made.skipped).toEqual([{ path: ".opencode/plugins/mas_safe_security.ts", reason: "symlink" }]);
  });
});

describe("without being root", () => {
  it("everybody may write the copy, since it can't be given to the container's user", async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "create-user-"));
    onTestFinished(() => removeTree(dir));
    fs.chmodSync(dir, 0o777);
    const script = `
      import { createWorkspace } from ${JSON.stringify(path.join(import.meta.dirname, "create.ts"))};
      import * as fs from "node:fs";
      import { execFileSync } from "node:child_process";
      process.setgid(65534);
      process.setuid(65534);
      fs.mkdirSync("project/sub", { recursive: true });
      fs.writeFileSync("project/sub/tool", "x", { mode: 0o750 });
      fs.writeFileSync("project/closed", "x", { mode: 0o000 });
      execFileSync("git", ["init", "-q", "project"], { env: { PATH: process.env.PATH, HOME: "/nonexistent" } });
      const issue = { id: "mine", risk_level: "safe", title: "T", prompt: "P", files: [] };
      const options = { project: "project", issue, prompt: "p", destination: "copy", captureRoot: "captures" };
      const result = await createWorkspace({ ...options, uid: ${UID}, gid: ${UID}, pluginFile: undefined });
      console.log(JSON.stringify(result));`;
    const run = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: dir, encoding: "utf8" });
    expect(JSON.parse(run)).toMatchObject({
      ownerSet: false,
      repository: { created: true },
      skipped: [{ path: "closed", reason: "unreadable" }],
    });
    const modeOf = (file: string): string => (fs.statSync(path.join(dir, "copy", file)).mode & 0o777).toString(8);
    expect(["", "sub", "sub/tool", "TASK.md", ".git", ".git/HEAD"].map(modeOf)).toEqual([
      ...["777", "777", "777", "666", "777", "666"],
    ]);
  });
});

describe("the issue's files", () => {
  it("are put in place, directories too", async () => {
    const made = await make(
      { "tasks/fixtures/other/a.py": "A", "tasks/fixtures/other/d/b.py": "B", "a.py": "theirs" },
      [
        { source: "tasks/fixtures/other/a.py", destination: "main.py" },
        { source: "tasks/fixtures/other/d", destination: "lib/deep" },
        { source: "tasks/fixtures/other/a.py", destination: "lib/deep/b.py" },
      ],
    );
    expect([made.read("main.py"), made.read("lib/deep/b.py"), made.read("a.py")]).toEqual(["A", "A", "theirs"]);
    expect(made.has("tasks/fixtures/other")).toBe(false);
    expect(fs.statSync(path.join(made.workspace, "lib")).uid).toBe(UID);
  });

  const refused = (options: Parameters<typeof make>) =>
    expect(make(...options)).rejects.toMatchObject({ code: "issues-invalid", hint: expect.any(String) });

  it("that are missing are an error that names issue and file", async () => {
    await refused([{}, [same("no/such.py")]]);
    await expect(make({}, [same("no/such.py")])).rejects.toThrow(/'mine'.*no\/such\.py.*missing/);
  });

  it("that lead out of the project are refused", async () => {
    const prepare = (project: string, dir: string): void => {
      fs.writeFileSync(path.join(dir, "secret"), "x");
      fs.symlinkSync("../secret", path.join(project, "link"));
      fs.symlinkSync("..", path.join(project, "up"));
    };
    for (const source of ["link", "up/secret", "../secret", "/etc/passwd"]) {
      await refused([{}, [{ source, destination: "x" }], { prepare }]);
    }
  });

  it("are never written through a link, nor into .git", async () => {
    const prepare = (project: string, dir: string): void => {
      fs.mkdirSync(path.join(dir, "elsewhere"));
      fs.symlinkSync(path.join(dir, "elsewhere"), path.join(project, "data"));
    };
    for (const destination of ["data/x", ".git/hooks/pre-commit", "../x", "/x", "README.md/x"]) {
      await refused([{ "a.py": "a" }, [{ source: "a.py", destination }], { prepare }]);
    }
  });
});

describe("the repository", () => {
  const git = (made: Made, ...args: string[]): string => {
    fs.chmodSync(made.dir, 0o755);
    const env = { ...process.env, HOME: made.dir };
    return execFileSync("git", args, { cwd: made.workspace, encoding: "utf8", uid: UID, gid: UID, env, stdio: "pipe" });
  };

  it("is fresh, with one commit, and works for the container's user", async () => {
    const made = await make({ "a.txt": "a\n", ".gitignore": "ignored\n", ignored: "x" }, [], {
      prepare: (project) => void execFileSync("git", ["init", "-q", project]),
    });
    expect(made.repository).toEqual({ created: true, reason: undefined });
    expect(git(made, "log", "--format=%s by %an at %aI")).toBe(
      "Working copy by opencode-capture at 2000-01-01T00:00:00+00:00\n",
    );
    expect(git(made, "status", "--porcelain")).toBe("");
    expect(git(made, "ls-files")).toBe(
      [".gitignore", ".opencode/plugins/mas_safe_security.ts", "README.md", "TASK.md", "a.txt", ""].join("\n"),
    );
    expect(git(made, "symbolic-ref", "HEAD")).toBe("refs/heads/main\n");
    expect(fs.existsSync(path.join(made.workspace, ".git/hooks"))).toBe(false);
  });

  it("is made without running anything of the project or the user", async () => {
    const proof = path.join(os.tmpdir(), `create-proof-${process.pid}`);
    const command = `touch ${proof}`;
    vi.stubEnv("GIT_CONFIG_COUNT", "1");
    vi.stubEnv("GIT_CONFIG_KEY_0", "core.fsmonitor");
    vi.stubEnv("GIT_CONFIG_VALUE_0", command);
    onTestFinished(() => void vi.unstubAllEnvs());
    const made = await make({ ".gitattributes": "* filter=evil diff=evil\n", "a.txt": "a" }, [], {
      prepare: (project) => {
        execFileSync("git", ["init", "-q", project]);
        for (const [key, value] of [
          ["core.fsmonitor", command],
          ["filter.evil.clean", command],
          ["core.hooksPath", path.join(project, "hooks")],
        ]) {
          execFileSync("git", ["-C", project, "config", String(key), String(value)]);
        }
        fs.mkdirSync(path.join(project, "hooks"));
        fs.writeFileSync(path.join(project, "hooks/pre-commit"), `#!/bin/sh\n${command}\n`, { mode: 0o755 });
      },
    });
    expect(made.repository?.created).toBe(true);
    expect(fs.existsSync(proof)).toBe(false);
    // The same repository, configured by the environment as above, would have run it.
    git(made, "status");
    expect(fs.existsSync(proof)).toBe(true);
    fs.rmSync(proof);
  });

  it("is not made where the project is none", async () => {
    expect((await make({})).repository).toBeUndefined();
  });
});

describe("refusals", () => {
  it("say how to mend it", async () => {
    await expect(make({}, [], { project: "/nowhere" })).rejects.toMatchObject({
      code: "workspace",
      hint: expect.any(String),
    });
    await expect(make({}, [], { destination: "/etc" })).rejects.toMatchObject({ code: "workspace" });
  });
  it("name a file for which there is no room", async () => {
    const full = fs.statfsSync("/");
    full.bavail = 100;
    const look = vi.spyOn(builtin, "statfsSync").mockReturnValue(full);
    syncBuiltinESMExports();
    onTestFinished(() => {
      look.mockRestore();
      syncBuiltinESMExports();
    });
    const prepare = (project: string): void => fs.writeFileSync(`${project}/README.md`, Buffer.alloc(2 ** 21, "x"));
    await expect(make({}, [], { prepare })).rejects.toMatchObject({
      code: "disk-full",
      message: expect.stringContaining("README.md"),
      hint: expect.stringContaining(".captureignore"),
    });
  });
  it("to go on come from the signal", async () => {
    await expect(make({}, [], { signal: AbortSignal.abort() })).rejects.toThrow("aborted");
  });
});
