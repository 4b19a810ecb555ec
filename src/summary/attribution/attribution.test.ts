import { describe, expect, test } from "vitest";
import { AGENT, HandMadeRun } from "./attribution-test-bench.ts";

const bash = (id: string | null, command: string) => ({ id, tool: "bash", args: { command, description: "d" } });
const shell = (command: string) => ["/usr/bin/bash", "-c", command];

describe("a shell command", () => {
  test("is tied to the call that asked for it, and its descendants with it, after its end too", () => {
    const run = new HandMadeRun();
    run.asks(1, [bash("a", "make")]);
    run.starts(1.2, "201-2", AGENT, shell("make"), "a");
    run.starts(1.3, "202-3", "201-2", ["make"], "a");
    run.fork(1.4, "203-4", "202-3");
    run.exit(1.5, "202-3");
    run.exit(1.5, "201-2", 3);
    run.asks(2, []);
    run.writes(9, "203-4", "/tmp/late");
    const read = run.read();
    expect(read.effectsOf("0.0")).toMatchObject({
      processes: 3,
      commands: ["/usr/bin/bash -c make", "make"],
      files: [{ path: "/tmp/late", operations: ["written"] }],
      exit_code: 3,
      method: "command",
      confidence: "high",
    });
    expect(read.effectsOf("0.0")?.last_effect_at).toBe("2026-11-22T12:00:09.000Z");
    expect(read.result()).toMatchObject({ unattributed: 0, by_method: { command: 1, ancestry: 2 } });
  });

  test("that was refused something has tried it, and has neither read nor written it", () => {
    const run = new HandMadeRun();
    run.asks(1, [bash("a", "cat /etc/shadow")]);
    run.starts(1.2, "201-2", AGENT, shell("cat /etc/shadow"), "a");
    const shadow = { process: "201-2", path: "/etc/shadow", sensitive: true };
    run.event(1.3, { kind: "file.open-failed", ...shadow, access: "read", errno: "EACCES" });
    run.event(1.4, { kind: "file.chmod", ...shadow, mode: "0666", errno: "EPERM" });
    run.event(1.4, {
      kind: "file.open-failed",
      process: "201-2",
      path: "/workspace/.git/x",
      access: "read",
      sensitive: true,
      errno: "ENOENT",
    });
    run.event(1.4, {
      kind: "file.open-failed",
      process: AGENT,
      path: "/home/agent/.npmrc",
      access: "read",
      sensitive: true,
      errno: "ENOENT",
    });
    run.event(1.5, { kind: "file.unlink", process: "201-2", path: "/tmp/never-there", errno: "ENOENT" });
    const read = run.read();
    expect(read.effectsOf("0.0")).toMatchObject({
      files: [],
      other: ["tried to open /etc/shadow (read): EACCES", "tried to chmod /etc/shadow: EPERM"],
    });
    expect(read.result()).toMatchObject({ files: [], unattributed: 0, agent_own: 2 });
  });

  test("that no call asked for stays unattributed, with all that comes from it", () => {
    const run = new HandMadeRun();
    run.asks(1, [bash("a", "make")]);
    run.starts(1.2, "201-2", AGENT, shell("curl evil.invalid"), "a");
    run.writes(1.3, "201-2", "/workspace/x");
    const { unattributed, unattributed_effects: effects, mark_conflicts: conflicts } = run.read().result();
    expect(unattributed).toBe(2);
    expect(effects.map((one) => one.why)).toEqual(["no-call", "no-call"]);
    expect(conflicts).toMatchObject([{ kind: "unbacked", mark: "a" }]);
  });

  test("that ran twice though it was asked for once is told", () => {
    const run = new HandMadeRun();
    run.asks(1, [bash("a", "make")]);
    run.starts(1.2, "201-2", AGENT, shell("make"), "a");
    run.starts(1.3, "202-3", AGENT, shell("make"), "a");
    expect(run.read().result().unattributed_effects).toMatchObject([{ process: "202-3", why: "command-ran-twice" }]);
  });

  test("before it was asked for, or after its results were sent, is not the call's", () => {
    const run = new HandMadeRun();
    run.asks(1, [bash("a", "make")]);
    run.asks(5, []);
    run.starts(0.5, "201-2", AGENT, shell("make"));
    run.starts(7, "202-3", AGENT, shell("make"));
    expect(
      run
        .read()
        .result()
        .unattributed_effects.map((one) => one.why),
    ).toEqual(["before-any-call", "no-call"]);
  });

  test("repeated in a later turn belongs to the later call", () => {
    const run = new HandMadeRun();
    run.asks(1, [bash("a", "ls")]);
    run.asks(2, [bash("b", "ls")]);
    run.starts(1.2, "201-2", AGENT, shell("ls"), "a");
    run.starts(2.2, "202-3", AGENT, shell("ls"), "b");
    const read = run.read();
    expect([read.effectsOf("0.0")?.processes, read.effectsOf("1.0")?.processes]).toEqual([1, 1]);
  });

  test.each([
    ["in the order of the calls", ["a", "b"], ["high", "high"]],
    ["in another order", ["b", "a"], ["medium", "medium"]],
    ["which are missing", [undefined, undefined], ["medium", "medium"]],
  ])("asked for twice in one answer is told apart by marks, %s", (_, marks, confidence) => {
    const run = new HandMadeRun();
    run.asks(1, [bash("a", "ls"), bash("b", "ls")]);
    for (const [at, mark] of marks.entries()) {
      run.starts(1.2, `20${at}-2`, AGENT, shell("ls"), mark);
      run.exit(1.3, `20${at}-2`, mark === "b" ? 2 : 1);
    }
    const read = run.read();
    expect([read.effectsOf("0.0")?.confidence, read.effectsOf("0.1")?.confidence]).toEqual(confidence);
    if (marks[0] !== undefined) expect(read.effectsOf("0.1")?.exit_code).toBe(2);
  });

  test("whose first call never ran belongs to the second, also when the model answers at once", () => {
    const run = new HandMadeRun();
    run.asks(1, [bash("a", "ls")]);
    run.asks(1.2, [bash("b", "ls")]);
    run.starts(1.25, "201-2", AGENT, shell("ls"));
    const read = run.read();
    expect(read.effectsOf("0.0")).toBeUndefined();
    expect(read.effectsOf("1.0")).toMatchObject({ processes: 1, confidence: "high" });
  });

  test("asked for a great many times is found among its equals", () => {
    const run = new HandMadeRun();
    for (let n = 0; n < 3000; n++) run.asks(n + 1, [bash(`c${n}`, "ls")]);
    run.starts(2500.5, "201-2", AGENT, shell("ls"));
    expect(run.read().effectsOf("2499.0")).toMatchObject({ processes: 1, confidence: "high" });
  });

  test("is no shell's when the program is another, or one that the agent could have put there", () => {
    const run = new HandMadeRun();
    run.asks(1, [bash("a", "ls")]);
    const start = (process: string, exe: string) => {
      run.fork(1.2, process, AGENT);
      run.exec(1.2, process, shell("ls"), { exe });
    };
    start("201-2", "/usr/bin/python3.11");
    start("202-3", "/workspace/bash");
    expect(run.read().result()).toMatchObject({ attributed: 0, unattributed: 2 });
    start("203-4", "/usr/bin/bash");
    expect(run.read().result()).toMatchObject({ attributed: 1, unattributed: 2 });
  });

  test("of a sub-session, and of a wire format without ids", () => {
    const run = new HandMadeRun();
    run.asks(1, [{ id: "t", tool: "task", args: { prompt: "do" } }], "ses_1");
    run.asks(2, [bash(null, "id")], "ses_child");
    run.asks(3, [], "ses_child");
    run.starts(2.5, "201-2", AGENT, shell("id"), "invented-by-the-agent");
    const read = run.read();
    expect(read.effectsOf("1.0")).toMatchObject({ processes: 1, method: "command" });
  });
});

describe("the mark in the environment", () => {
  test("is never believed over the evidence: forged, copied and scrubbed ones are told", () => {
    const run = new HandMadeRun();
    run.asks(1, [bash("a", "one"), bash("b", "two")]);
    run.starts(1.2, "201-2", AGENT, shell("one"), "a");
    run.starts(1.3, "202-3", "201-2", ["evil"], "b");
    run.starts(1.4, "203-4", "201-2", ["worse"], "nobody");
    run.starts(1.5, "204-5", "201-2", ["env-i"]);
    const read = run.read();
    expect(read.effectsOf("0.0")?.processes).toBe(4);
    expect(read.effectsOf("0.1")).toBeUndefined();
    const found = read.result().mark_conflicts.map(({ kind, process, call }) => ({ kind, process, call }));
    expect(found).toEqual([
      { kind: "other-call", process: "202-3", call: "0.0" },
      { kind: "no-such-call", process: "203-4", call: "0.0" },
      { kind: "scrubbed", process: "204-5", call: "0.0" },
    ]);
  });
});

test("a process that is given to the agent as its child belongs to the call of the one that made it", () => {
  const run = new HandMadeRun();
  run.asks(1, [bash("a", "one"), bash("b", "two")]);
  run.starts(1.2, "201-2", AGENT, shell("one"), "a");
  const fork = { kind: "process.fork", process: "202-3", parent: AGENT, container_pid: 7, uid: 1000, comm: "x" };
  run.event(1.3, { ...fork, made_by: "201-2" });
  run.exec(1.3, "202-3", shell("two"), { call_id: "b" });
  const read = run.read();
  expect(read.effectsOf("0.0")?.processes).toBe(2);
  expect(read.effectsOf("0.1")).toBeUndefined();
  expect(read.result().mark_conflicts).toMatchObject([{ kind: "other-call", process: "202-3" }]);
});

describe("what the agent's own process does", () => {
  test("belongs to the call that names the file while it is open", () => {
    const run = new HandMadeRun();
    run.asks(1, [{ id: "w", tool: "write", args: { filePath: "docs/new/a.md", content: "x" } }]);
    run.asks(3, [{ id: "e", tool: "edit", args: { filePath: "/workspace/docs/new/a.md" } }]);
    run.event(1.2, { kind: "file.mkdir", process: AGENT, path: "/workspace/docs/new", mode: "755" });
    run.writes(1.3, AGENT, "/workspace/docs/new/a.md");
    run.writes(3.3, AGENT, "/workspace/docs/new/a.md");
    run.writes(3.4, AGENT, "/workspace/elsewhere");
    const read = run.read();
    expect(read.effectsOf("0.0")?.files).toHaveLength(2);
    expect(read.effectsOf("1.0")?.files).toHaveLength(1);
    expect(read.result().unattributed_effects).toMatchObject([{ text: "written /workspace/elsewhere" }]);
    const written = read.result().files.find((one) => one.path === "/workspace/docs/new/a.md");
    expect(written?.by.map((one) => one.cause.call)).toEqual(["0.0", "1.0"]);
  });

  test("belongs to each of two edits of one file in one answer, in turn", () => {
    const run = new HandMadeRun();
    const edit = (id: string) => ({ id, tool: "edit", args: { filePath: "a.md" } });
    run.asks(1, [{ id: "r", tool: "read", args: { filePath: "a.md" } }, edit("e1"), edit("e2")]);
    run.writes(1.2, AGENT, "/workspace/a.md");
    run.writes(1.3, AGENT, "/workspace/a.md");
    const read = run.read();
    expect(["0.0", "0.1", "0.2"].map((key) => read.effectsOf(key)?.files.length)).toEqual([undefined, 1, 1]);
    expect(read.effectsOf("0.1")?.confidence).toBe("medium");
  });

  test("is not given to the one of two edits that failed", () => {
    const run = new HandMadeRun();
    const edit = (id: string) => ({ id, tool: "edit", args: { filePath: "a.md" } });
    run.asks(1, [edit("e1"), edit("e2")]);
    run.writes(1.2, AGENT, "/workspace/a.md");
    expect(run.read().effectsOf("0.0")).toMatchObject({ confidence: "medium" });
    const told = run.read(new Set(["0.0"]));
    expect(told.effectsOf("0.0")).toBeUndefined();
    expect(told.effectsOf("0.1")).toMatchObject({ confidence: "medium" });
  });

  test("belongs to the fetch whose host was looked up, and to none when only the port fits", () => {
    const run = new HandMadeRun();
    run.asks(1, [{ id: "f", tool: "webfetch", args: { url: "http://docs.example.net:8080/x" } }]);
    const dns = { connection: 1, transport: "udp", server: "127.0.0.1:53", id: 7, size_bytes: 40 };
    const questions = [{ name: "docs.example.net", type: "A" }];
    const answers = [{ name: "docs.example.net", type: "A", data: "198.51.100.7" }];
    run.event(1.1, { kind: "net.dns-answer", process: AGENT, ...dns, questions, rcode: "NOERROR", answers });
    const socket = { connection: 1, transport: "tcp", role: "external", outcome: "refused" };
    for (const remote of ["198.51.100.7:8080", "203.0.113.9:8080", "198.51.100.7:9090"]) {
      run.event(1.2, { kind: "net.connect", process: AGENT, remote, ...socket });
    }
    const read = run.read();
    expect(read.effectsOf("0.0")?.contacts.map((one) => one.remote)).toEqual(["198.51.100.7:8080"]);
    expect(read.result().unattributed).toBe(2);
  });

  test("through a look at the repository is its own, what that writes or starts is not", () => {
    const run = new HandMadeRun();
    run.asks(1, []);
    run.starts(2, "201-2", AGENT, ["git", "config", "--file", "/workspace/x", "a.b", "c"]);
    run.writes(2, "201-2", "/workspace/x");
    run.starts(3, "202-3", AGENT, ["git", "-c", "core.fsmonitor=/workspace/m", "status"]);
    run.starts(3, "203-4", "202-3", ["/bin/sh", "-c", "/workspace/m"]);
    run.writes(3, "203-4", "/workspace/y");
    run.fork(4, "204-5", AGENT);
    run.exec(4, "204-5", ["git", "status"], { exe: "/tmp/git" });
    const { agent_own: own, unattributed_effects: rest } = run.read().result();
    expect(own).toBe(3);
    expect(rest.map((one) => one.text)).toEqual([
      "written /workspace/x",
      "/bin/sh -c /workspace/m",
      "written /workspace/y",
      "git status",
    ]);
  });

  test("with the rights of another user, or as another program, is never its own", () => {
    const run = new HandMadeRun();
    run.asks(1, [bash("a", "ls")]);
    run.event(2, { kind: "process.credentials", process: AGENT, call: "setuid", euid: 0, egid: 0 });
    run.exec(3, AGENT, ["sh"], { container_pid: 1 });
    expect(
      run
        .read()
        .result()
        .unattributed_effects.map((one) => one.text),
    ).toEqual(["setuid → 0:0", "sh"]);
  });

  test("for a patch, a search and a fetch", () => {
    const run = new HandMadeRun();
    const patchText = "*** Begin Patch\n*** Update File: src/a.ts\n@@\n*** Move to: src/b.ts\n*** End Patch";
    run.asks(1, [
      { id: "p", tool: "apply_patch", args: { patchText } },
      { id: "g", tool: "grep", args: { pattern: "needle" } },
      { id: "f", tool: "webfetch", args: { url: "http://198.51.100.7:8080/x" } },
    ]);
    run.event(1.2, { kind: "file.rename", process: AGENT, path: "/workspace/tmp1", to: "/workspace/src/b.ts" });
    run.starts(1.3, "201-2", AGENT, ["rg", "-n", "needle", "."]);
    const socket = { connection: 1, transport: "tcp", role: "external", outcome: "unreachable", errno: "ENETUNREACH" };
    run.event(1.4, { kind: "net.connect", process: AGENT, remote: "198.51.100.7:8080", ...socket });
    run.event(1.5, { kind: "net.connect", process: AGENT, remote: "203.0.113.9:443", ...socket });
    const read = run.read();
    expect(["0.0", "0.1", "0.2"].map((key) => read.effectsOf(key)?.method)).toEqual(["path", "helper", "host"]);
    const renamed = read.effectsOf("0.0")?.files.map((one) => one.path);
    expect(renamed).toEqual(["/workspace/tmp1", "/workspace/src/b.ts"]);
    expect(read.result().unattributed_effects).toMatchObject([{ text: expect.stringContaining("203.0.113.9") }]);
  });

  test("of its own accord is neither a call's nor unattributed", () => {
    const run = new HandMadeRun();
    run.starts(0.5, "201-2", AGENT, ["git", "rev-parse", "--show-toplevel"]);
    run.writes(0.6, AGENT, "/home/agent/.local/share/opencode/opencode.db");
    run.writes(0.7, AGENT, "/home/agent/.bashrc");
    run.starts(0.8, "202-3", AGENT, ["git", "push", "origin"]);
    const reads = { kind: "file.open", process: AGENT, access: "read", sensitive: true };
    const file = { inode: 1, device: "8:1", mode: "100644", size: 1, links: 1 };
    run.event(0.8, { ...reads, path: "/workspace/.npmrc", ...file });
    run.event(0.8, { kind: "file.mkdir", process: AGENT, path: "/home/agent/.local", mode: "755" });
    run.asks(1, []);
    run.event(2, { ...reads, path: "/workspace/.git/index", ...file });
    const { agent_own: own, unattributed_effects: rest } = run.read().result();
    expect(own).toBe(6);
    expect(rest.map((one) => one.text)).toEqual(["written /home/agent/.bashrc", "git push origin"]);
  });
});

test("a sensitive file that the agent's own process reads without a call is unattributed", () => {
  const run = new HandMadeRun();
  run.asks(1, [{ id: "r", tool: "read", args: { filePath: "/workspace/.env" } }]);
  const read = { kind: "file.open", process: AGENT, access: "read", sensitive: true };
  const file = { inode: 1, device: "8:1", mode: "100644", size: 1, links: 1 };
  run.event(1.5, { ...read, path: "/workspace/.env", ...file });
  run.event(1.6, { ...read, path: "/home/agent/.ssh/id_rsa", ...file });
  run.event(1.6, { ...read, path: "/workspace/.opencode/plugins/x.ts", ...file });
  // Its index looks again at what was changed.
  run.event(1.7, { kind: "file.close-write", process: AGENT, path: "/workspace/.env", sensitive: true, ...file });
  run.asks(2, []);
  run.event(3, { ...read, path: "/workspace/.env", ...file });
  run.event(3, { ...read, path: "/workspace/.npmrc", ...file });
  // What it asks the model with.
  run.event(3, { ...read, path: "/workspace/AGENTS.md", ...file });
  run.event(3, { ...read, path: "/home/agent/AGENTS.md", ...file });
  expect(run.read().effectsOf("0.0")?.files).toMatchObject([{ path: "/workspace/.env", operations: ["read"] }]);
  expect(
    run
      .read()
      .result()
      .unattributed_effects.map((one) => one.text),
  ).toEqual([
    "read /home/agent/.ssh/id_rsa",
    "written /workspace/.env",
    "read /workspace/.npmrc",
    "read /home/agent/AGENTS.md",
  ]);
});

test("a process whose beginning was not seen is unattributed, and says why", () => {
  const run = new HandMadeRun();
  run.asks(1, [bash("a", "make")]);
  run.writes(1.5, "999-9", "/workspace/x");
  expect(run.read().result().unattributed_effects).toMatchObject([{ why: "unknown-parent" }]);
});

test("the names that were asked for stand beside the address", () => {
  const run = new HandMadeRun();
  const dns = { connection: 1, transport: "udp", server: "127.0.0.1:53", id: 7, size_bytes: 40 };
  const questions = [{ name: "drop.example.net", type: "A" }];
  run.asks(1, [bash("a", "curl drop.example.net")]);
  run.starts(1.2, "201-2", AGENT, shell("curl drop.example.net"), "a");
  run.event(1.3, { kind: "net.dns-query", process: "201-2", ...dns, questions });
  const answers = [{ name: "drop.example.net", type: "A", data: "198.51.100.7" }];
  run.event(1.3, { kind: "net.dns-answer", process: "201-2", ...dns, questions, rcode: "NOERROR", answers });
  const socket = { connection: 2, transport: "tcp", role: "external", outcome: "refused", errno: "ECONNREFUSED" };
  run.event(1.4, { kind: "net.connect", process: "201-2", remote: "198.51.100.7:80", ...socket });
  const { hosts } = run.read().result();
  expect(hosts.map(({ remote, names }) => ({ remote, names }))).toEqual([
    { remote: "drop.example.net", names: [] },
    { remote: "198.51.100.7:80", names: ["drop.example.net"] },
  ]);
});
