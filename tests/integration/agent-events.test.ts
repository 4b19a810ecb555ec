import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Fixture } from "@copilotkit/aimock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NativeEvent } from "../../src/schema/native-event.ts";
import { createEventSink, type EventSink, type EventSinkResult } from "../../src/sensors/agent-events/event-sink.ts";
import { exportSessions, type SessionExportResult } from "../../src/sensors/session-store/export-sessions.ts";
import { type Agent, type AgentResult, prepareAgent, removeAgent, runOpencode } from "../support/real-opencode.ts";

// The real OpenCode on this machine, without a container: what is tested is the plugin, its sink and the session store.

const RUN = ["run", "--print-logs", "--title=t"];

let dir: string;
let capture: string;
let eventsFile: string;
let sink: EventSink;
let agent: Agent | undefined;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "events-"));
  capture = path.join(dir, "capture");
  for (const sub of ["logs", "session", "events"]) fs.mkdirSync(path.join(capture, sub), { recursive: true });
  fs.mkdirSync(path.join(dir, "pipes"));
  eventsFile = path.join(capture, "events/opencode_events.jsonl");
  sink = createEventSink({ dir: path.join(dir, "pipes"), outFile: eventsFile });
});

afterEach(async () => {
  await sink.close();
  if (agent !== undefined) await removeAgent(agent);
  agent = undefined;
  fs.rmSync(dir, { recursive: true });
});

const call = (id: string, name: string, args: unknown) => ({ id, name, arguments: JSON.stringify(args) });
const bash = (id: string, command: string) => call(id, "bash", { command, description: "test" });
const turn = (turnIndex: number, response: Fixture["response"], userMessage?: string): Fixture => ({
  match: userMessage === undefined ? { turnIndex } : { turnIndex, userMessage },
  response,
});

/** A bash call, then the last word. */
const simple = (command = "echo hello > out.txt"): Fixture[] => [
  turn(0, { content: "Let me look.", toolCalls: [bash("call_1", command)] }),
  turn(1, { content: "All done." }),
];

async function start(fixtures: Fixture[], more: Partial<Parameters<typeof prepareAgent>[0]> = {}): Promise<Agent> {
  agent = await prepareAgent({ fixtures, pipe: sink.pipe, ...more });
  return agent;
}

const records = (): NativeEvent[] =>
  fs
    .readFileSync(eventsFile, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as NativeEvent);
const types = (): Set<string> => new Set(records().map((one) => one.native_event_type));
const ofType = (type: string): NativeEvent[] => records().filter((one) => one.native_event_type === type);
const exportOf = (from: Agent, rootSessionId: string | null): Promise<SessionExportResult> =>
  exportSessions({ homeDir: from.home, captureDir: capture, rootSessionId });

describe("a run with tools and a subagent", () => {
  const fixtures = [
    turn(0, { toolCalls: [bash("call_sub", "echo ünïcode; env | grep ^MAS_")] }, "SUBTASK"),
    turn(1, { content: "sub done ✓" }, "SUBTASK"),
    turn(0, { content: "Let me look.", toolCalls: [bash("call_env", "env | grep ^MAS_; ls -l /proc/self/fd")] }),
    turn(1, {
      toolCalls: [
        call("call_write", "write", { filePath: "RESULT.md", content: "done\n" }),
        call("call_read", "read", { filePath: "/nonexistent" }),
      ],
    }),
    turn(2, {
      toolCalls: [call("call_task", "task", { description: "sub", prompt: "SUBTASK", subagent_type: "general" })],
    }),
    turn(3, { content: "All done." }),
  ];
  let result: EventSinkResult;
  let exported: SessionExportResult;
  let run: AgentResult;

  // One run serves all these tests: each takes seconds.
  test("ends well and every record arrives, numbered without a hole", async () => {
    const here = await start(fixtures);
    run = await runOpencode(here, RUN, "Issue ID: x\n\nDo it.");
    result = await sink.close();
    expect(run.exitCode, run.stderr.slice(-2000)).toBe(0);
    expect(result).toMatchObject({
      status: "present",
      invalidCount: 0,
      dropped: 0,
      sequenceGaps: 0,
      sequenceRepeats: 0,
    });
    expect(result).toMatchObject({ pluginAlive: true, pluginDisposed: true, truncated: false });
    expect(result.completeness.level).toBe("complete");
    const numbers = records().map((one) => one.seq);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect(records()[0]?.native_event_type).toBe("plugin.alive");
    expect(records().at(-1)?.native_event_type).toBe("plugin.dispose");

    expectEveryKind();
    expectCorrelation();
    expectMarks();
    exported = await exportOf(here, result.sessionId);
    await expectSameAsOpencodeExport(here);
  });

  function expectEveryKind(): void {
    const seen = types();
    for (const type of [
      "config",
      "chat.message",
      "chat.params",
      "chat.headers",
      "tool.definition",
      "experimental.chat.messages.transform",
      "experimental.chat.system.transform",
      "experimental.text.complete",
      "session.created",
      "session.updated",
      "session.status",
      "session.idle",
      "session.diff",
      "message.updated",
      "message.part.updated",
      "message.part.delta",
      "tool.execute.before",
      "tool.execute.after",
      "shell.env",
      "file.edited",
    ]) {
      expect(seen).toContain(type);
    }
    // A failed call has no `after`; the error stands in the part.
    const calls = (type: string) =>
      ofType(type)
        .map((one) => one.correlation.call_id ?? "")
        .toSorted((a, b) => a.localeCompare(b));
    expect(calls("tool.execute.before")).toEqual(["call_env", "call_read", "call_sub", "call_task", "call_write"]);
    expect(calls("tool.execute.after")).toEqual(["call_env", "call_sub", "call_task", "call_write"]);
  }

  function expectCorrelation(): void {
    const [child] = result.childSessionIds;
    expect(result.sessionId).toMatch(/^ses_/);
    expect(result.childSessionIds).toHaveLength(1);
    for (const one of records()) {
      expect(one.correlation.session_id ?? "ses_").toMatch(/^ses_/);
      expect(one.correlation.id ?? "evt_").toMatch(/^evt_/);
    }
    const envs = ofType("shell.env").map((one) => [one.correlation.call_id, one.correlation.session_id]);
    expect(envs).toEqual([
      ["call_env", result.sessionId],
      ["call_sub", child],
    ]);
  }

  /** What the agent's own shells printed. */
  function expectMarks(): void {
    const printed = ofType("tool.execute.after").map((one) => JSON.stringify(one.raw_output));
    const [own] = printed.filter((text) => text.includes("MAS_CALL_ID=call_env"));
    expect(own).toContain("MAS_RUN_ID=capture-test");
    expect(own).toContain("MAS_ISSUE_ID=fix_math_utils");
    expect(own).toContain("MAS_CAPTURE_DIR=/capture");
    expect(own).toContain(`MAS_SESSION_ID=${result.sessionId}`);
    // The plugin's descriptor is not handed down to the agent's shells.
    expect(own).toContain("0 -> /dev/null");
    expect(own).not.toContain(`-> ${sink.pipe}`);
    const [sub] = printed.filter((text) => text.includes("MAS_CALL_ID=call_sub"));
    expect(sub).toContain(`MAS_SESSION_ID=${result.childSessionIds[0]}`);
  }

  async function expectSameAsOpencodeExport(here: Agent): Promise<void> {
    expect(exported).toMatchObject({
      saved: true,
      exitCode: 0,
      sessionId: result.sessionId,
      opencodeVersion: "1.18.33",
    });
    expect(exported.children).toEqual(result.childSessionIds);
    expect(exported.outcome).toEqual({ lastFinish: "stop", errors: [], rejectedPermissions: [] });
    const ours = [
      [exported.sessionId, "logs/opencode_export.stdout.log"],
      [exported.sessionId, "session/export.json"],
      [exported.children[0], `session/children/${exported.children[0]}.json`],
    ] as const;
    for (const [id, file] of ours) {
      const theirs = await runOpencode(here, ["export", id ?? ""]);
      expect(theirs.exitCode).toBe(0);
      expect(theirs.stdout.length).toBeGreaterThan(1000);
      expect(fs.readFileSync(path.join(capture, file), "utf8")).toBe(theirs.stdout);
    }
  }
});

test("a burst of thousands of records is complete and in order", async () => {
  const text = Array.from({ length: 6000 }, (_, i) => `w${i % 10} `).join("");
  const here = await start([turn(0, { content: text })], { chunkSize: 3 });
  const run = await runOpencode(here, RUN, "go");
  const result = await sink.close();
  expect(run.exitCode).toBe(0);
  const deltas = ofType("message.part.delta").map(
    (one) => (one.raw_input as { properties: { delta: string } }).properties.delta,
  );
  expect(deltas.length).toBeGreaterThanOrEqual(6000);
  expect(deltas.join("")).toBe(text);
  expect(result).toMatchObject({ dropped: 0, sequenceGaps: 0, sequenceRepeats: 0, invalidCount: 0 });
});

describe("the agent is not disturbed", () => {
  test("by a sink that is missing", async () => {
    const run = await runOpencode(await start(simple(), { pipe: path.join(dir, "nothing") }), RUN, "go");
    expect(run.exitCode).toBe(0);
    expect(await sink.close()).toMatchObject({ status: "missing", eventCount: 0, pluginAlive: false });
  });

  test("by a sink that nobody reads", async () => {
    const pipe = path.join(dir, "stalled");
    execFileSync("mkfifo", ["-m", "622", pipe]);
    const stalled = fs.openSync(pipe, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
    const text = "x ".repeat(3000);
    const here = await start(
      [turn(0, { content: text, toolCalls: [bash("call_1", "true")] }), turn(1, { content: "end" })],
      { pipe, chunkSize: 2 },
    );
    const run = await runOpencode(here, RUN, "go");
    expect(run.exitCode).toBe(0);
    // It really was full.
    expect(readNow(stalled).length).toBeGreaterThan(60_000);
    fs.closeSync(stalled);
  });

  test("by a sink that dies in the middle", async () => {
    const here = await start(simple("sleep 1"));
    const run = await runOpencode(here, RUN, "go", { onStart: () => void dieAfterFirstRecords() });
    expect(run.exitCode).toBe(0);
    const result = await sink.close();
    expect(result).toMatchObject({ status: "present", pluginAlive: true, pluginDisposed: false });
  });

  function readNow(fd: number): Buffer {
    const buffer = Buffer.alloc(1 << 20);
    return buffer.subarray(0, fs.readSync(fd, buffer));
  }

  async function dieAfterFirstRecords(): Promise<void> {
    while (!fs.readFileSync(eventsFile, "utf8").includes("session.created"))
      await new Promise((r) => setTimeout(r, 20));
    await sink.close();
  }
});

describe("other endings", () => {
  test("without the plugin the events are missing, and the session is exported all the same", async () => {
    const here = await start(simple(), { plugin: false });
    expect((await runOpencode(here, RUN, "go")).exitCode).toBe(0);
    expect(await sink.close()).toMatchObject({ status: "missing", sessionId: null });
    expect(await exportOf(here, null)).toMatchObject({ saved: true, outcome: { lastFinish: "stop" } });
  });

  test("garbage that the agent writes is kept and counted; without the plugin it is all there is", async () => {
    const garbage = 'echo garbage > "$MAS_EVENTS"; printf \'{"a":1}\\n\' > "$MAS_EVENTS"';
    const here = await start(simple(garbage));
    expect((await runOpencode(here, RUN, "go")).exitCode).toBe(0);
    expect(await sink.close()).toMatchObject({
      status: "present",
      invalidCount: 2,
      sequenceGaps: 0,
      pluginDisposed: true,
    });
    expect(fs.readFileSync(eventsFile, "utf8")).toContain('\ngarbage\n{"a":1}\n');
    await removeAgent(here);
    fs.rmSync(eventsFile);
    sink = createEventSink({ dir: path.join(dir, "pipes"), outFile: eventsFile });
    const without = await start(simple(garbage), { plugin: false });
    expect((await runOpencode(without, RUN, "go")).exitCode).toBe(0);
    expect(await sink.close()).toMatchObject({ status: "invalid", eventCount: 0, invalidCount: 2 });
    expect(fs.readFileSync(eventsFile, "utf8")).toBe('garbage\n{"a":1}\n');
  });

  test("a killed agent leaves its records up to the kill, and a session that can be exported", async () => {
    const here = await start(simple("kill -9 $PPID; sleep 5"));
    const run = await runOpencode(here, RUN, "go");
    const result = await sink.close();
    expect(run.exitCode).toBeNull();
    expect(result).toMatchObject({ status: "present", sequenceGaps: 0, pluginAlive: true, pluginDisposed: false });
    // The call is with us although the process died of it.
    expect(ofType("shell.env").map((one) => one.correlation.call_id)).toEqual(["call_1"]);
    const exported = await exportOf(here, result.sessionId);
    expect(exported).toMatchObject({ saved: true, sessionId: result.sessionId });
    const theirs = await runOpencode(here, ["export", exported.sessionId ?? ""]);
    expect(fs.readFileSync(path.join(capture, "session/export.json"), "utf8")).toBe(theirs.stdout);
  });

  test("a rejected permission ends with exit code 0 and stands in the session store", async () => {
    const here = await start(
      [turn(0, { toolCalls: [call("call_1", "read", { filePath: "/etc/hostname" })] }), turn(1, { content: "x" })],
      {
        permission: { external_directory: "ask" },
      },
    );
    const run = await runOpencode(here, RUN, "go");
    const result = await sink.close();
    expect(run.exitCode).toBe(0);
    expect(types()).toContain("permission.asked");
    expect(types()).toContain("permission.replied");
    expect((await exportOf(here, result.sessionId)).outcome).toMatchObject({ rejectedPermissions: ["read (call_1)"] });
  });

  test("an error of the model ends with exit code 1 and stands in the session store", async () => {
    const here = await start([
      turn(0, { error: { message: "no such thing", type: "invalid_request_error" }, status: 400 }),
    ]);
    const run = await runOpencode(here, RUN, "go");
    const result = await sink.close();
    expect(run.exitCode).toBe(1);
    expect(types()).toContain("session.error");
    expect((await exportOf(here, result.sessionId)).outcome?.errors[0]).toMatch(/APIError.*no such thing/);
  });
});
