import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkTasks } from "./check-tasks.ts";
import { playScript } from "./play-script.ts";

let project: string;
beforeEach(() => {
  project = fs.mkdtempSync(path.join(os.tmpdir(), "project-"));
});
afterEach(() => fs.rmSync(project, { recursive: true }));

function put(file: string, content: unknown): void {
  const full = path.join(project, file);
  fs.mkdirSync(path.dirname(full), { recursive: true });
  fs.writeFileSync(full, typeof content === "string" ? content : JSON.stringify(content));
}

const check = () => checkTasks({ issuesPath: path.join(project, "tasks/issues.json"), projectDir: project });
/** `level issue: message` of every problem. */
const complaints = () => check().problems.map(({ level, issue, message }) => `${level} ${issue ?? "-"}: ${message}`);

const issue = { id: "one", title: "One", prompt: "Do it.", files: ["tasks/fixtures/one/a.py"] };
const call = (id: string, name: string, args: unknown) => ({ id, name, arguments: args });
const turn = (turnIndex: number, response: unknown, match: object = {}) => ({
  match: { turnIndex, ...match },
  response,
});
const read = call("r", "read", { filePath: "/workspace/tasks/fixtures/one/a.py" });
const good = [turn(0, { content: "Look.", toolCalls: [read] }), turn(1, { content: "Done." })];

function putGood(): void {
  put("tasks/issues.json", [issue]);
  put("tasks/fixtures/one/a.py", "x = 1\n");
  put("tasks/models/one.careful.json", { fixtures: good });
}

const putScript = (...fixtures: unknown[]) => put("tasks/models/one.careful.json", { fixtures });

describe("checkTasks", () => {
  it("finds nothing wrong with whole tasks", () => {
    putGood();
    expect(check()).toEqual({
      ok: true,
      problems: [],
      issues: [
        { id: "one", title: "One", risk_level: "safe", files: ["tasks/fixtures/one/a.py"], personas: ["careful"] },
      ],
    });
  });

  it("knows the tools of MCP servers that a task lets OpenCode start, and no others", () => {
    putGood();
    const ask = call("m", "my_server_get", { anything: 1 });
    putScript(turn(0, { toolCalls: [ask] }), turn(1, { content: "Done." }));
    put("tasks/fixtures/one/opencode.json", { mcp: { "my.server": { type: "local", command: ["true"] } } });
    const files = [{ source: "tasks/fixtures/one/opencode.json", destination: "opencode.json" }];
    put("tasks/issues.json", [{ ...issue, files, project_config: true }]);
    expect(complaints()).toEqual([]);
    put("tasks/issues.json", [{ ...issue, files }]);
    expect(complaints()).toEqual([expect.stringContaining('OpenCode has no tool "my_server_get"')]);
  });

  it("names missing files, links that lead out, and what is no file", () => {
    putGood();
    put("tasks/issues.json", [{ ...issue, files: ["gone.py", "out", "dir", "tasks/fixtures/one"] }]);
    fs.symlinkSync("/etc/passwd", path.join(project, "out"));
    put("dir/inner/b.py", "");
    fs.symlinkSync("../../..", path.join(project, "dir/inner/up"));
    fs.symlinkSync("b.py", path.join(project, "dir/inner/fine"));
    expect(complaints()).toEqual([
      "error one: the file gone.py does not exist",
      "error one: out leads out of the project through a link",
      "error one: dir/inner/up leads out of the project through a link",
    ]);
    expect(check().ok).toBe(false);
  });

  it("wants a careful script, and complains of strays", () => {
    putGood();
    fs.renameSync(
      path.join(project, "tasks/models/one.careful.json"),
      path.join(project, "tasks/models/two.careful.json"),
    );
    put("tasks/fixtures/left-over/x", "");
    put("tasks/issues.json", {
      issues: [
        { ...issue, risk: "severe" },
        { ...issue, id: "bad id" },
      ],
    });
    expect(complaints()).toEqual([
      expect.stringContaining('error -: issue "bad id", id: an id has only'),
      'warning -: issue "one", risk: unknown field; it has no effect',
      "error one: there is no script for the persona careful, which is what a run uses by default",
      "warning -: this script belongs to no issue",
      "warning -: no issue uses these fixtures",
    ]);
  });

  it("tells faults of a script: form, tools, arguments, ids, paths", () => {
    putGood();
    put("tasks/models/one.careful.json", '{"fixtures": [}');
    expect(complaints()).toEqual([expect.stringMatching(/^error one: .*line 1, column 15/)]);
    putScript(
      turn(0, {
        toolCalls: [
          call("a", "shell", { cmd: "ls" }),
          call("b", "bash", { cmd: "ls" }),
          call("b", "read", { filePath: "tasks/fixtures/one/a.py" }),
          call("c", "edit", { filePath: "/workspace/nowhere.py", oldString: "a", newString: "b" }),
          call("d", "write", { filePath: "/workspace/made.py", content: "" }),
          call("e", "read", { filePath: "/workspace/made.py" }),
          call("f", "read", { filePath: "/workspace/TASK.md" }),
        ],
      }),
      turn(1, { content: "Done." }),
      turn(7, { content: "Never." }),
    );
    expect(complaints()).toEqual([
      expect.stringMatching(/^warning one: .*"a": OpenCode has no tool "shell"; it has bash, edit/),
      'warning one: fixtures[0], tool call "b": command: it is missing; a value of type string belongs here',
      'warning one: fixtures[0], tool call "b": Unrecognized key: "cmd"',
      'error one: fixtures[0], tool call "b": this id is used twice',
      "warning one: fixtures[2] is never used",
      "error one: fixtures[0], read: the path tasks/fixtures/one/a.py is not absolute; OpenCode's tools want /workspace/…",
      "warning one: fixtures[0], edit: /workspace/nowhere.py is neither a file of the project nor made before in this script",
    ]);
  });

  it("plays a script: turns that are missing, that never end, and those of sub-agents", () => {
    putGood();
    putScript(turn(0, { toolCalls: [read] }));
    expect(complaints()[0]).toMatch(
      /^error one: no entry answers turn 1 of the session that begins with "Issue ID: one"/,
    );
    putScript({ match: {}, response: { toolCalls: [call("x", "bash", { command: "ls" })] } });
    expect(complaints()[0]).toMatch(/has no end/);
    const task = call("t", "task", { description: "Count", prompt: "Count files.\nNow.", subagent_type: "general" });
    const main = [
      turn(0, { toolCalls: [task] }, { userMessage: "Issue ID" }),
      turn(1, { content: "Done." }, { userMessage: "Issue ID" }),
    ];
    putScript(...main);
    expect(complaints()[0]).toMatch(
      /^error one: no entry answers turn 0 of the session that begins with "Count files\."/,
    );
    putScript(...main, turn(0, { content: "3" }, { userMessage: "Count files" }));
    expect(complaints()).toEqual([]);
    // Turns that do not say which session they are for answer the sub-agent too.
    putScript(turn(0, { toolCalls: [task] }), turn(1, { content: "Done." }));
    expect(complaints()[0]).toMatch(/is a sub-agent's and calls task/);
  });

  it("refuses a list that can't be read", () => {
    put("tasks/issues.json", "[");
    expect(check).toThrow(/line 1, column 2/);
  });
});

describe("playScript", () => {
  it("follows ids of tool calls, and stops where only a run can tell", () => {
    const entries = [
      { match: { toolCallId: "a" }, response: { content: "after a" } },
      {
        match: { hasToolResult: false },
        response: { toolCalls: [{ id: "a", name: "bash", arguments: { command: "ls" } }] },
      },
    ];
    expect(playScript({ fixtures: entries }, "x")).toMatchObject([
      { end: "answer", steps: [{ entry: 1 }, { entry: 0 }] },
    ]);
    const open = [{ match: { toolResultContains: "ok" }, response: { content: "" } }, ...entries];
    expect(playScript({ fixtures: open }, "x")).toMatchObject([{ end: "open", steps: [] }]);
  });
});
