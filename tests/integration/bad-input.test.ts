import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { capturesIn, readCapture } from "../support/captures.ts";
import { type CliResult, captureDirOf, runCli } from "../support/cli.ts";
import { bash, type TempProject, tempProject } from "../support/temp-project.ts";

const PODMAN = { OPENCODE_CAPTURE_ENGINE: "podman" };
const MAIN = path.resolve(import.meta.dirname, "../../src/cli/main.ts");
const NOBODY = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
const ID_RULE = "an id has only letters, digits, `_`, `-` and `.`, and does not begin with `-` or `.`";
const ISSUE = { id: "probe", title: "A probe", prompt: "Do it." };

/** What a user must be told: what is wrong, why, and how to mend it; and nothing that a terminal would obey. */
interface Told {
  code: number;
  says: readonly (string | RegExp)[];
  mends: string | RegExp;
}

function expectTold(result: CliResult, { code, says, mends }: Told): void {
  expect(result.code, result.stderr).toBe(code);
  expect(result.stdout).toBe("");
  expect(result.stderr.match(/^error: /gm), result.stderr).toHaveLength(1);
  for (const words of says) expect(result.stderr).toMatch(words instanceof RegExp ? words : asPattern(words));
  const hint = result.stderr
    .split(/\n {2}→ |\n\(/)
    .slice(1)
    .join("\n");
  expect(hint, result.stderr).toMatch(mends instanceof RegExp ? mends : asPattern(mends));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
  expect(result.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  expect(result.stderr).not.toContain("fault of opencode-capture itself");
}

function asPattern(words: string): RegExp {
  return new RegExp(words.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
}

function run(project: TempProject, ...options: string[]): Promise<CliResult> {
  return runCli(["run", "--issue", "probe", ...project.options, ...options], PODMAN);
}

describe("a list of issues that is no good", () => {
  const cases: [string, (file: string) => void, Told["says"], Told["mends"]][] = [
    [
      "not JSON",
      (file) => fs.writeFileSync(file, '[\n  {"id": }\n]'),
      [/issues\.json: line 2, column 10/],
      "README.md",
    ],
    [
      "not UTF-8",
      (file) => fs.writeFileSync(file, Buffer.from([0xff, 0xfe, 0x5b])),
      ["it is not UTF-8"],
      "--issues-path",
    ],
    [
      "1 GB large",
      (file) => fs.truncateSync(file, 1 << 30),
      ["it has 1073741824 bytes, more than the 16777216 allowed"],
      "--issues-path FILE",
    ],
    [
      "a FIFO, which nobody writes to",
      (file) => {
        fs.rmSync(file);
        execFileSync("mkfifo", [file]);
      },
      ["it is not a regular file"],
      "--issues-path FILE",
    ],
    [
      "a directory",
      (file) => {
        fs.rmSync(file);
        fs.mkdirSync(file);
      },
      ["it is not a regular file"],
      "--issues-path FILE",
    ],
    ["not there", (file) => fs.rmSync(file), ["there is no such file"], "--issues-path FILE"],
    ["neither form", (file) => fs.writeFileSync(file, "{}"), ["neither an array nor"], "tasks/README.md"],
  ];
  it.each(cases)("%s", async (_, spoil, says, mends) => {
    using project = tempProject([]);
    spoil(path.join(project.dir, "tasks", "issues.json"));
    expectTold(await run(project), { code: 2, says, mends });
    expect(capturesIn(project.captureRoot)).toEqual([]);
  });

  it("with an id twice, all kinds of ids that are none, and what is left out: every fault in one go", async () => {
    using project = tempProject([]);
    const ids = [
      "../../etc",
      "/etc/passwd",
      "a/b",
      "",
      "x".repeat(300),
      "two\nlines",
      "é",
      "a b",
      ".",
      "-x",
      "a\u202eb",
    ];
    const entries = [ISSUE, ISSUE, ...ids.map((id) => ({ ...ISSUE, id })), { id: "bare" }, 7];
    fs.writeFileSync(path.join(project.dir, "tasks", "issues.json"), JSON.stringify(entries));
    const says = [
      'issue "probe", id: this id stands in the list twice',
      ...['"../../etc"', '"/etc/passwd"', '"a/b"', '"two\\nlines"', '"é"', '"a b"', '"."', '"-x"', '"a⟨U+202E⟩b"'].map(
        (shown) => `issue ${shown}, id: ${ID_RULE}`,
      ),
      "entry 6, id: an id is not empty",
      /issue "x{100,120}…?", id: an id has at most 100 characters, this one has 300/,
      'issue "bare", title: it is missing; a value of type string belongs here',
      "entry 15: Invalid input: expected object",
    ];
    expectTold(await run(project), { code: 2, says, mends: "tasks check --issues-path" });
    const check = await runCli(["tasks", "check", ...project.options]);
    expect(check.code).toBe(2);
    expect(check.stdout).toContain("an id has at most 100 characters");
  });

  it("empty: a batch says so instead of ending well with nothing", async () => {
    using project = tempProject([]);
    fs.writeFileSync(path.join(project.dir, "tasks", "issues.json"), "[]");
    const result = await runCli(["run-all", ...project.options], PODMAN);
    expectTold(result, { code: 2, says: [/is empty: nothing to run/], mends: "--issues-path FILE" });
  });
});

describe("a name that means nothing", () => {
  const cases: [string, string[], Told["says"], Told["mends"]][] = [
    ["an issue, nearly", ["run", "--issue", "prob"], ['there is no issue "prob"'], "did you mean probe?"],
    ["an issue that is a path", ["run", "--issue", "../../etc"], ['"../../etc"'], "known issues: probe"],
    ["an empty issue", ["run", "--issue", ""], ['there is no issue ""'], "known issues: probe"],
    ["an issue that steers terminals", ["run", "--issue", "a\nb\u001b[2J"], ['"a\\nb'], "known issues: probe"],
    ["an issue of 300 letters", ["run", "--issue", "x".repeat(300)], [/"x{100,120}…?"/], "known issues: probe"],
    ["no issue", ["run"], ["which issue: --issue ID"], "one of: probe"],
    ["an option, nearly", ["run", "--isue", "probe"], ["unknown option '--isue'"], "Did you mean --issue?"],
    ["an option that steers terminals", ["run", "--x\u001b[2J"], ["unknown option"], "--help"],
    ["a value that is no choice", ["run", "--issue", "probe", "--engine", "lxc"], ["auto, docker, podman"], "--help"],
    [
      "a limit",
      ["run", "--issue", "probe", "--limit", "stdout=1"],
      ['no limit "stdout"', "agent_stdout"],
      "operations.md",
    ],
    [
      "a project that is not there",
      ["run", "--issue", "probe", "--project", "/nonexistent"],
      ["no such dir"],
      "--project",
    ],
  ];
  it.each(cases)("%s", async (_, args, says, mends) => {
    using project = tempProject([]);
    const options = args.includes("--project") ? [] : project.options;
    expectTold(await runCli([...args, ...options], PODMAN), { code: 2, says, mends });
    expect(capturesIn(project.captureRoot)).toEqual([]);
  });

  it("a command, nearly", async () => {
    const says = ["unknown command 'rnu'"];
    expectTold(await runCli(["rnu", "--issue", "probe"]), { code: 2, says, mends: "Did you mean run?" });
  });
});

describe("files of an issue", () => {
  const outside = path.join(os.tmpdir(), `opencode-capture-secret-${process.pid}`);
  beforeAll(() => fs.writeFileSync(outside, "a secret\n"));
  afterAll(() => fs.rmSync(outside));

  it.each([
    ["that are missing", "gone.txt", "is missing in", "create it, or correct `files`"],
    ["that lead out of the project through a link", "link.txt", "leads out of the project", "put a copy of it"],
  ])("%s stop the run before it begins", async (_, file, why, mends) => {
    using project = tempProject([], { files: [file] });
    fs.symlinkSync(outside, path.join(project.dir, "link.txt"));
    expectTold(await run(project), { code: 2, says: [`issue 'probe': the file "${file}" ${why}`], mends });
    expect(capturesIn(project.captureRoot).filter((name) => name !== ".runs")).toEqual([]);
  });

  it("of 1 GB are put in place", async () => {
    using project = tempProject([bash("stat -c %s big.bin > size.txt; tail -c 5 big.bin >> size.txt")], {
      files: ["big.bin"],
    });
    const big = path.join(project.dir, "big.bin");
    fs.writeFileSync(big, "");
    fs.truncateSync(big, 1e9 - 5);
    fs.appendFileSync(big, "tail\n");
    const result = await run(project, "--keep-workspace");
    expect(result.code, result.stderr).toBe(0);
    const { dir, run: record } = readCapture(captureDirOf(result));
    expect(record.run_status).toBe("completed");
    expect(fs.readFileSync(path.join(dir, "workspace", "size.txt"), "utf8")).toBe("1000000000\ntail\n");
  });
});

describe("a project that this user may not read", () => {
  it.each([
    ["run", ["--issue", "probe"]],
    ["tasks", ["check"]],
    ["list", []],
  ])("%s says so", (command, args) => {
    using project = tempProject([]);
    fs.chmodSync(project.dir, 0o700);
    const started = spawnSync("setpriv", [...NOBODY, process.execPath, MAIN, command, ...args, ...project.options], {
      encoding: "utf8",
      cwd: "/",
      env: { ...process.env, ...PODMAN },
    });
    expectTold(
      { code: started.status, signal: started.signal, stdout: started.stdout, stderr: started.stderr },
      { code: 2, says: [`cannot use the project ${project.dir}: this user may not read it`], mends: "--project DIR" },
    );
  });
});

describe("a capture root", () => {
  it.each([
    ["that is a file", (dir: string) => path.join(dir, "README.md"), "is not a directory"],
    ["below a file", (dir: string) => path.join(dir, "README.md", "sub"), "README.md is not a directory"],
  ])("%s", async (_, rootOf, why) => {
    using project = tempProject([]);
    const root = rootOf(project.dir);
    const told = { code: 3, says: [`cannot write captures to ${root}: `, why], mends: "--capture-root DIR" };
    expectTold(await run(project, "--capture-root", root), told);
  });

  it("that is read-only, and one to be made in such a place", async () => {
    using project = tempProject([]);
    const root = path.join(project.dir, "read-only");
    fs.mkdirSync(root);
    execFileSync("mount", ["--bind", root, root]);
    try {
      execFileSync("mount", ["-o", "remount,ro,bind", root]);
      for (const place of [root, path.join(root, "new", "place")]) {
        const told = { code: 3, says: ["the file system is read-only"], mends: "--capture-root DIR" };
        expectTold(await run(project, "--capture-root", place), told);
      }
    } finally {
      execFileSync("umount", ["--lazy", root]);
    }
  });

  it("that this user may not write to", () => {
    using project = tempProject([]);
    fs.chmodSync(project.dir, 0o755);
    const args = [
      MAIN,
      "run",
      "--issue",
      "probe",
      ...project.options,
      "--capture-root",
      path.join(project.dir, "mine"),
    ];
    const started = spawnSync("setpriv", [...NOBODY, process.execPath, ...args], { encoding: "utf8", cwd: "/" });
    expectTold(
      { code: started.status, signal: started.signal, stdout: started.stdout, stderr: started.stderr },
      { code: 3, says: [`this user may not write to ${project.dir}`], mends: "--capture-root DIR" },
    );
  });

  it("on another file system than the project holds whole captures", async () => {
    using project = tempProject([bash("echo new > new.txt")]);
    const root = path.join(project.dir, "elsewhere");
    fs.mkdirSync(root);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1g", "tmpfs", root]);
    try {
      const result = await run(project, "--capture-root", root);
      expect(result.code, result.stderr).toBe(0);
      const { run: record, fsDiff } = readCapture(captureDirOf(result));
      expect(record).toMatchObject({ run_status: "completed", capture_valid: true });
      expect(fsDiff.changes.map((change) => change.path)).toContain("new.txt");
    } finally {
      execFileSync("umount", ["--lazy", root]);
    }
  });

  it.each(["list", "browse"])("that is a file is told by %s, which then ends", async (command) => {
    using project = tempProject([]);
    const root = path.join(project.dir, "README.md");
    const options = command === "browse" ? ["--port", "0"] : [];
    const result = await runCli([command, "--capture-root", root, ...options, ...project.options]);
    expectTold(result, { code: 3, says: [`${root}: it is not a directory`], mends: "--capture-root DIR" });
  });
});

describe("a port that is taken", () => {
  it("is told by browse, with another", async () => {
    using project = tempProject([]);
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    try {
      const result = await runCli(["browse", "--port", String(port), ...project.options]);
      const told = { code: 3, says: [`127.0.0.1:${port} is already in use`], mends: `--port ${port + 1}` };
      expectTold(result, told);
    } finally {
      server.close();
    }
  });
});
