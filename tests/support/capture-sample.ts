import type { Exchange } from "../../src/schema/exchange.ts";
import type { NativeEvent } from "../../src/schema/native-event.ts";
import type { FileChange, ObservedProcess } from "../../src/schema/observations.ts";
import { type CaptureParts, sha256Of } from "./capture-parts.ts";
import { containerSample, issueSample, runSample } from "./capture-sample-meta.ts";

/** A run of four model turns: look, edit, test, tell. All times are seconds after its start. */
const START_MS = Date.parse("2026-11-22T16:20:00.000Z");
export const SESSION = "ses_2040c21ee001EMJNR83HW4vhhN";

function after(seconds: number): string {
  return new Date(START_MS + seconds * 1000).toISOString();
}

export const FINAL_MESSAGE = "`add` now returns the sum. All tests pass; the reason is in RESULT.md.";

interface Turn {
  at: number;
  text: string;
  tool?: { id: string; name: string; args: Record<string, unknown>; output: string; seconds: number };
}

const TURNS: readonly Turn[] = [
  {
    at: 4.1,
    text: "I will look at the helper first.",
    tool: {
      id: "call_read_1",
      name: "read",
      args: { filePath: "/workspace/tasks/fixtures/fix_math_utils/math_utils.py" },
      output: "def add(a, b):\n    return a - b\n",
      seconds: 0.05,
    },
  },
  {
    at: 5.2,
    text: "The sign is wrong.",
    tool: {
      id: "call_edit_2",
      name: "edit",
      args: {
        filePath: "/workspace/tasks/fixtures/fix_math_utils/math_utils.py",
        oldString: "return a - b",
        newString: "return a + b",
      },
      output: "",
      seconds: 0.08,
    },
  },
  {
    at: 6.0,
    text: "Now the tests.",
    tool: {
      id: "call_bash_3",
      name: "bash",
      args: { command: "python3 -m pytest -q tasks/fixtures/fix_math_utils", description: "Runs the tests" },
      output: "2 passed in 0.03s\n",
      seconds: 0.9,
    },
  },
  { at: 7.4, text: FINAL_MESSAGE },
];

export function sampleParts(captureDir: string): CaptureParts {
  return {
    run: runSample(captureDir),
    container: containerSample(),
    issue: issueSample(),
    processTree: processTreeSample(),
    network: networkSample(),
    fsDiff: fsDiffSample(captureDir),
    completeness: completenessSample(),
    events: eventsSample(),
    exchanges: TURNS.map(exchangeSample),
    logs: {
      "opencode.stdout.log": `${TURNS.map((turn) => turn.text).join("\n")}\n`,
      "opencode.stderr.log": `timestamp=${after(1)} level=INFO message="creating instance"\n\u001b[32m> build\u001b[0m\n`,
      "container.log": "created\nstarted\nexited 0\n",
      "opencode_export.stdout.log": "{}\n",
      "opencode_export.stderr.log": "",
    },
  };
}

function exchangeSample(turn: Turn, index: number): Exchange {
  const messages: unknown[] = [
    { role: "system", content: "You are a coding agent." },
    { role: "user", content: "Fix the implementation so add(2, 3) returns 5." },
  ];
  for (const before of TURNS.slice(0, index)) {
    const calls = before.tool && [{ id: before.tool.id, function: { name: before.tool.name } }];
    messages.push({ role: "assistant", content: before.text, ...(calls && { tool_calls: calls }) });
    if (before.tool) messages.push({ role: "tool", tool_call_id: before.tool.id, content: before.tool.output });
  }
  const body = JSON.stringify({ model: "scripted", stream: true, messages });
  const answer = `data: ${JSON.stringify({ choices: [{ delta: { content: turn.text } }] })}\n\n`;
  return {
    schema_version: 1,
    seq: index,
    started_at: after(turn.at),
    duration_ms: 120 + index,
    first_byte_ms: 40,
    method: "POST",
    path: "/v1/chat/completions",
    wire_format: "openai-chat",
    session_id: SESSION,
    request_headers: { "content-type": "application/json" },
    request: bodySample(body),
    status: 200,
    response_headers: { "content-type": "text/event-stream" },
    response: bodySample(answer),
    model: "scripted",
    message_count: messages.length,
    answer_state: "complete",
    text: turn.text,
    reasoning: null,
    tool_calls: turn.tool
      ? [{ id: turn.tool.id, name: turn.tool.name, arguments: JSON.stringify(turn.tool.args) }]
      : [],
    finish_reason: turn.tool ? "tool_calls" : "stop",
    usage: {
      input_tokens: 900 + 100 * index,
      output_tokens: 40,
      cache_read_tokens: null,
      cache_write_tokens: null,
    },
    cost_usd: null,
    provider_tools: [],
    request_id: null,
    arrivals: [[120, Buffer.byteLength(answer)]],
    upstream: null,
    error_kind: null,
    error: null,
  };
}

function bodySample(text: string): Exchange["request"] {
  return { bytes: Buffer.byteLength(text), sha256: sha256Of(text), text, file: null, truncated: false };
}

/** A record as the plugin writes it. */
export function eventSample(seconds: number, type: string, input: unknown, output: unknown = null): NativeEvent {
  return {
    timestamp: after(seconds),
    native_event_type: type,
    run_id: "capture-0123456789ab",
    issue_id: "fix_math_utils",
    context: { directory: "/workspace", worktree: "/workspace", source: "event", instance: "a1b2c3d4e5f6" },
    correlation: {},
    raw_input: input,
    raw_output: output,
  };
}

export function busEvent(seconds: number, type: string, properties: Record<string, unknown>): NativeEvent {
  return eventSample(seconds, type, { id: `evt_${Math.round(seconds * 1000)}`, type, properties });
}

function eventsSample(): NativeEvent[] {
  const events = [
    eventSample(2.5, "plugin.alive", { version: 1, pid: 7 }),
    busEvent(3, "session.created", { sessionID: SESSION, info: { id: SESSION, parentID: null, title: "Fix it" } }),
    ...Array.from({ length: 45 }, (_, n) => busEvent(3.1 + n / 1000, "plugin.added", { id: `core/${n}` })),
    busEvent(3.2, "message.updated", {
      sessionID: SESSION,
      info: { id: "msg_user", role: "user", sessionID: SESSION },
    }),
  ];
  for (const [index, turn] of TURNS.entries()) events.push(...turnEvents(turn, index));
  events.push(busEvent(7.6, "session.idle", { sessionID: SESSION }));
  events.push(eventSample(7.7, "plugin.dispose", { written: events.length, dropped: 0 }));
  return events.map((event, seq) => ({ ...event, seq, dropped: 0 }));
}

function turnEvents({ at, text, tool }: Turn, index: number): NativeEvent[] {
  const messageID = `msg_${index}`;
  const ids = { sessionID: SESSION, messageID };
  const part = (more: Record<string, unknown>): Record<string, unknown> => ({
    sessionID: SESSION,
    part: { id: `prt_${index}_${String(more["type"])}`, ...ids, ...more },
  });
  const info = { id: messageID, role: "assistant", sessionID: SESSION };
  const events = [
    busEvent(at, "message.updated", { sessionID: SESSION, info }),
    busEvent(at + 0.05, "message.part.delta", { ...ids, partID: "prt", field: "text", delta: text.slice(0, 5) }),
    busEvent(at + 0.1, "message.part.updated", part({ type: "text", text })),
  ];
  if (tool === undefined) {
    return [...events, busEvent(at + 0.15, "message.part.updated", part({ type: "step-finish", reason: "stop" }))];
  }
  const call = { tool: tool.name, sessionID: SESSION, callID: tool.id };
  const state = { status: "completed", input: tool.args, output: tool.output, title: tool.name };
  const time = { start: START_MS + (at + 0.2) * 1000, end: START_MS + (at + 0.2 + tool.seconds) * 1000 };
  const end = at + 0.2 + tool.seconds;
  events.push(
    busEvent(
      at + 0.15,
      "message.part.updated",
      part({ type: "tool", ...call, state: { status: "pending", input: {} } }),
    ),
    eventSample(at + 0.2, "tool.execute.before", call, { args: tool.args }),
    busEvent(
      at + 0.2,
      "message.part.updated",
      part({ type: "tool", ...call, state: { status: "running", input: tool.args, time } }),
    ),
    busEvent(
      at + 0.21,
      "message.part.updated",
      part({ type: "tool", ...call, state: { status: "running", input: tool.args, time } }),
    ),
    eventSample(end, "tool.execute.after", { ...call, args: tool.args }, { title: tool.name, output: tool.output }),
    busEvent(end, "message.part.updated", part({ type: "tool", ...call, state: { ...state, time } })),
  );
  if (tool.name === "edit") events.push(busEvent(end, "file.edited", { file: String(tool.args["filePath"]) }));
  return events;
}

/** A process that the polling observer met. */
export function processSample(pid: number, ppid: number, argv: string[], from: number, to: number): ObservedProcess {
  return {
    pid: String(pid),
    ppid: String(ppid),
    command: (argv[0] ?? "").split("/").at(-1) ?? "",
    args: argv.join(" "),
    first_seen_at: after(from),
    last_seen_at: after(to),
    samples: Math.max(1, Math.round((to - from) * 10)),
    argv,
    start_time: String(88_000 + pid),
    container_pid: pid - 19_000,
    exe: argv[0] ?? null,
    cwd: "/workspace",
    uid: 10_001,
    session: pid,
  };
}

function processTreeSample(): CaptureParts["processTree"] {
  return {
    schema_version: 1,
    generated_at: after(8),
    snapshot_count: 80,
    snapshots: [],
    processes: [
      processSample(19_001, 1, ["/usr/local/bin/opencode", "run", "--print-logs"], 0.4, 7.8),
      processSample(19_050, 19_001, ["/usr/bin/git", "rev-parse", "--git-dir"], 2.1, 2.1),
      processSample(
        19_060,
        19_001,
        ["/usr/bin/bash", "-c", "python3 -m pytest -q tasks/fixtures/fix_math_utils"],
        6.2,
        7.1,
      ),
      processSample(
        19_061,
        19_060,
        ["/usr/bin/python3", "-m", "pytest", "-q", "tasks/fixtures/fix_math_utils"],
        6.3,
        7.1,
      ),
    ],
    truncated: false,
  };
}

function networkSample(): CaptureParts["network"] {
  const ends = { proto: "tcp", state: "ESTABLISHED", local: "127.0.0.1:41234", remote: "127.0.0.1:4100" };
  return {
    schema_version: 1,
    generated_at: after(8),
    snapshot_count: 80,
    snapshots: [],
    connections: [
      {
        ...ends,
        first_seen_at: after(4),
        last_seen_at: after(7.5),
        samples: 30,
        inode: "4711",
        pids: ["19001"],
        role: "model-gateway",
      },
    ],
    truncated: false,
  };
}

const DIFF = `--- a/tasks/fixtures/fix_math_utils/math_utils.py
+++ b/tasks/fixtures/fix_math_utils/math_utils.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return a - b
+    return a + b
`;

export function changeSample(path: string, more: Partial<FileChange> = {}): FileChange {
  return {
    path,
    change_type: "created",
    sensitive_path: false,
    before_sha256: null,
    after_sha256: sha256Of(path),
    before_size: null,
    after_size: 120,
    before_type: null,
    after_type: "file",
    before_mode: null,
    after_mode: "644",
    ...more,
  };
}

function fsDiffSample(captureDir: string): CaptureParts["fsDiff"] {
  const changes = [
    changeSample("RESULT.md", { diff: "--- /dev/null\n+++ b/RESULT.md\n@@ -0,0 +1 @@\n+The sign was wrong.\n" }),
    changeSample("tasks/fixtures/fix_math_utils/math_utils.py", {
      change_type: "modified",
      before_sha256: sha256Of("before"),
      before_size: 32,
      before_type: "file",
      before_mode: "644",
      diff: DIFF,
    }),
  ];
  return {
    schema_version: 1,
    generated_at: after(8.1),
    workspace_dir: `${captureDir}/workspace`,
    counts: { created: 1, modified: 1, deleted: 0, total: 2, renamed: 0 },
    touched_sensitive_paths: false,
    changes,
    truncated: false,
    outside_workspace: [
      {
        root: "/tmp",
        counts: { created: 1, modified: 0, deleted: 0, total: 1, renamed: 0 },
        changes: [changeSample("pytest-cache/README.md", { diff_omitted: "budget" })],
        truncated: false,
      },
    ],
  };
}

function completenessSample(): CaptureParts["completeness"] {
  const one = { lost: null, from: after(0.3), to: after(8), started_before_agent: true };
  return {
    schema_version: 1,
    generated_at: after(8.2),
    verdict: "absent",
    classes: [
      {
        ...one,
        class: "process",
        level: "sampled",
        sensor: "polling",
        reason: "looked every 100 ms; shorter processes are missed",
      },
      {
        ...one,
        class: "network",
        level: "sampled",
        sensor: "polling",
        reason: "looked every 100 ms; shorter connections are missed",
      },
      { ...one, class: "file-workspace", level: "complete", sensor: "filesystem", reason: "two states were compared" },
      { ...one, class: "dns", level: "absent", sensor: "none", reason: "no sensor for names" },
      {
        ...one,
        class: "model",
        level: "complete",
        sensor: "gateway",
        reason: "the gateway is the only way to a model",
      },
      {
        ...one,
        class: "agent-output",
        level: "complete",
        sensor: "engine",
        reason: "both streams were read to their end",
      },
      { ...one, class: "native-events", level: "complete", sensor: "plugin", reason: "its numbering has no holes" },
    ],
    gaps: [],
  };
}
