/**
 * Records every event and hook of OpenCode for the supervisor outside the container, and marks the agent's shells with the
 * run, session and tool call they belong to (shell.env).
 *
 * It runs inside the agent's own process, so what it writes is a claim, and it must never disturb the agent: no promise is
 * awaited, nothing is thrown, writing never blocks, memory is bounded. It needs node's built-in modules only (Bun or Node).
 * OpenCode calls every export of a plugin file as a plugin, so there is exactly one.
 */
import { randomBytes } from "node:crypto";
import { constants, openSync, writeSync } from "node:fs";

const PLUGIN_VERSION = 1;
const CAPTURE_DIR = "/capture";

const LIMITS = {
  recordBytes: 1 << 20,
  stringChars: 256 << 10,
  containerEntries: 2000,
  depth: 32,
  /** UTF-16 units of one record's raw values; the smaller ones are tried when escaping made the record too long. */
  budgets: [512 << 10, 64 << 10, 4 << 10],
  /** For a hook that hands out the whole conversation again at each step; its messages are events of their own. */
  historyBudget: 64 << 10,
  remembered: 128,
  queueBytes: 8 << 20,
  /** Longest wait for the reader: for one record, in the whole life of the process, and at the end. */
  waitMs: 20,
  waitTotalMs: 2000,
  disposeMs: 1000,
  notes: 16,
};

/** permission.ask is never called by OpenCode 1.18; later versions may. */
const HOOKS = (
  "chat.message chat.params chat.headers permission.ask command.execute.before tool.execute.before tool.execute.after " +
  "tool.definition experimental.chat.messages.transform experimental.chat.system.transform " +
  "experimental.provider.small_model experimental.session.compacting experimental.compaction.autocontinue " +
  "experimental.text.complete"
).split(" ");

/** Hooks that hand out the merged configuration, which may hold a user's keys. */
const WITH_SECRETS = new Set(["config", "chat.params", "chat.headers", "experimental.provider.small_model"]);
const SECRET_NAME = /^key$|(api[-_]?key|token|secret|password|authorization|cookie|credentials?)$/i;

// The supervisor names the run in the environment of the agent's process; there is no other way in.
// oxlint-disable-next-line node/no-process-env
const { MAS_EVENTS, MAS_RUN_ID, MAS_ISSUE_ID } = process.env;

/** Hooks whose output hardly ever changes: a repetition is recorded as a reference to the record that has it. */
const REPEATING = new Set(["tool.definition", "experimental.chat.system.transform"]);
const HISTORY = "experimental.chat.messages.transform";

type Fields = Record<string, unknown>;
type Note = { field: string; reason: string; original_bytes?: number; omitted_entries?: number };

// ---- sink: a queue in front of a non-blocking descriptor

const queue: Buffer[] = [];
let queuedBytes = 0;
let dropped = 0;
let written = 0;
let waitedMs = 0;
let retry: ReturnType<typeof setTimeout> | undefined;
let descriptor: number | "closed" | "dead" = "closed";

function openSink(): void {
  if (descriptor !== "closed") return;
  const path = MAS_EVENTS ?? `${CAPTURE_DIR}/opencode_events.fifo`;
  // Bun does not set close-on-exec by itself; without it every shell of the agent would inherit the descriptor.
  const closeOnExec = process.platform === "linux" ? 0o2000000 : 0;
  try {
    descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_APPEND | closeOnExec);
  } catch {
    descriptor = "dead"; // no pipe, or nobody reads it: the agent goes on unrecorded
  }
}

/** Writes what waits; true when nothing is left. Waits at most `budgetMs` for a reader that is behind. */
function flush(budgetMs: number): boolean {
  const end = Date.now() + budgetMs;
  for (let head = queue[0]; head !== undefined; head = queue[0]) {
    if (typeof descriptor !== "number") return false;
    try {
      const count = writeSync(descriptor, head);
      queuedBytes -= count;
      if (count === head.length) queue.shift();
      else queue[0] = head.subarray(count);
      if (count === head.length) written++;
    } catch (thrown) {
      const code = (thrown as { code?: string }).code;
      if (code !== "EAGAIN" && code !== "EINTR") return giveUp();
      if (Date.now() >= end) return false;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
  return true;
}

function giveUp(): false {
  descriptor = "dead";
  dropped += queue.length;
  queue.length = 0;
  queuedBytes = 0;
  return false;
}

function send(line: string, keepAlways: boolean): void {
  const bytes = Buffer.from(line);
  if (typeof descriptor !== "number" || (queuedBytes + bytes.length > LIMITS.queueBytes && !keepAlways)) {
    dropped++;
    return;
  }
  queue.push(bytes);
  queuedBytes += bytes.length;
  if (retry !== undefined) return; // the reader is behind: the timer goes on, order is kept
  const start = Date.now();
  const done = flush(waitedMs < LIMITS.waitTotalMs ? LIMITS.waitMs : 0);
  waitedMs += Date.now() - start;
  if (!done && typeof descriptor === "number") scheduleRetry();
}

function scheduleRetry(): void {
  retry = setTimeout(() => {
    retry = undefined;
    if (!flush(0) && typeof descriptor === "number") scheduleRetry();
  }, 10);
  retry.unref?.(); // never keeps the agent's process alive
}

// ---- any value → plain JSON value of bounded size

type Walk = { left: number; redact: boolean; path: string[]; ancestors: Set<object>; notes: Note[]; cuts: number };

function cut(walk: Walk, reason: string, more: Partial<Note>): void {
  walk.cuts++;
  if (walk.notes.length < LIMITS.notes) {
    walk.notes.push({ field: walk.path.join(".").slice(0, 200), reason, ...more });
  }
}

function plain(value: unknown, walk: Walk): unknown {
  walk.left -= 8;
  switch (typeof value) {
    case "string":
      return plainString(value, walk);
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
      return `${value}n`;
    case "function":
    case "symbol":
      return `[${typeof value}]`;
    case "object":
      return value === null ? null : plainObject(value, walk);
    default:
      return value; // boolean, undefined
  }
}

function plainString(text: string, walk: Walk): string {
  const room = Math.max(0, Math.min(LIMITS.stringChars, walk.left));
  walk.left -= Math.min(text.length, room);
  if (text.length <= room) return text;
  cut(walk, "long-string", { original_bytes: Buffer.byteLength(text) });
  return text.slice(0, room);
}

function plainObject(value: object, walk: Walk): unknown {
  if (walk.ancestors.has(value)) return "[circular]";
  if (walk.ancestors.size >= LIMITS.depth) {
    cut(walk, "deep", {});
    return "[deep]";
  }
  walk.ancestors.add(value);
  try {
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[binary, ${value.byteLength} bytes]`;
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === "function") return plain(toJSON.call(value), walk);
    if (Array.isArray(value)) return plainList(value, value.length, walk);
    if (value instanceof Set) return plainList([...value], value.size, walk);
    if (value instanceof Map) return plainMembers([...value.keys()], (key) => value.get(key), walk);
    const names = value instanceof Error ? ["name", "message", ...Object.keys(value)] : Object.keys(value);
    return plainMembers(names, (key) => (value as Fields)[key as string], walk);
  } catch (thrown) {
    return `[unreadable: ${messageOf(thrown)}]`;
  } finally {
    walk.ancestors.delete(value);
  }
}

function plainList(list: readonly unknown[], length: number, walk: Walk): unknown[] {
  const result: unknown[] = [];
  for (let index = 0; index < length; index++) {
    if (index >= LIMITS.containerEntries || walk.left <= 0) {
      cut(walk, "many-entries", { omitted_entries: length - index });
      break;
    }
    walk.path.push(String(index));
    result.push(plain(list[index], walk) ?? null);
    walk.path.pop();
  }
  return result;
}

function plainMembers(keys: readonly unknown[], read: (key: unknown) => unknown, walk: Walk): Fields {
  const result = Object.create(null) as Fields; // a member called __proto__ stays a member
  for (const [index, key] of keys.entries()) {
    if (index >= LIMITS.containerEntries || walk.left <= 0) {
      cut(walk, "many-entries", { omitted_entries: keys.length - index });
      break;
    }
    const name = String(key).slice(0, 1024);
    walk.left -= name.length;
    walk.path.push(name);
    result[name] = plainMember(name, () => read(key), walk);
    walk.path.pop();
  }
  return result;
}

function plainMember(name: string, read: () => unknown, walk: Walk): unknown {
  try {
    const value = read();
    if (walk.redact && typeof value === "string" && value !== "" && SECRET_NAME.test(name)) {
      cut(walk, "redacted", {});
      return "[redacted]";
    }
    return plain(value, walk);
  } catch (thrown) {
    return `[unreadable: ${messageOf(thrown)}]`;
  }
}

function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown).slice(0, 200);
  } catch {
    return "unknown";
  }
}

// ---- records

type Origin = { type: string; source: "event" | "hook" | "plugin"; directory: unknown; worktree: unknown };

/** One per process: an agent may start OpenCode inside OpenCode, and both would write to the same pipe. */
const instance = randomBytes(6).toString("hex");
let seq = 0;

function record(origin: Origin, input: unknown, output: unknown): void {
  try {
    openSink();
    const number = seq++; // a dropped record leaves a hole
    for (const budget of LIMITS.budgets) {
      if (origin.type === HISTORY && budget > LIMITS.historyBudget) continue;
      const line = `${JSON.stringify(build(origin, number, input, output, budget))}\n`;
      if (Buffer.byteLength(line) > LIMITS.recordBytes) continue;
      send(line, origin.type === "plugin.dispose");
      return;
    }
    dropped++;
  } catch {
    dropped++;
  }
}

function build(origin: Origin, number: number, input: unknown, output: unknown, budget: number): Fields {
  const redact = WITH_SECRETS.has(origin.type);
  const walk: Walk = { left: budget, redact, path: [], ancestors: new Set(), notes: [], cuts: 0 };
  const field = (name: string, value: unknown) => {
    walk.path = [name];
    return plain(value, walk) ?? null;
  };
  const raw_input = field("raw_input", input);
  const raw_output = reference(origin.type, number, raw_input, field("raw_output", output));
  const result: Fields = {
    timestamp: new Date().toISOString(),
    native_event_type: origin.type,
    run_id: MAS_RUN_ID ?? null,
    issue_id: MAS_ISSUE_ID ?? null,
    seq: number,
    dropped,
    context: {
      directory: first(origin.directory),
      worktree: first(origin.worktree),
      source: origin.source,
      instance,
    },
    correlation: correlate(origin, raw_input, raw_output),
    raw_input,
    raw_output,
  };
  if (walk.cuts > walk.notes.length)
    walk.notes.push({ field: "", reason: `and ${walk.cuts - walk.notes.length} more` });
  if (walk.notes.length > 0) result.truncated = walk.notes;
  return result;
}

const remembered = new Map<string, { seq: number; text: string }>();

/** The output itself, or `{same_as_seq}` when an earlier record of the same tool or session holds the same. */
function reference(type: string, number: number, input: unknown, output: unknown): unknown {
  if (!REPEATING.has(type)) return output;
  const key = `${type} ${JSON.stringify(members(input).toolID ?? members(input).sessionID)}`;
  const text = JSON.stringify(output);
  const earlier = remembered.get(key);
  if (earlier?.text === text && earlier.seq !== number) return { same_as_seq: earlier.seq };
  if (remembered.size < LIMITS.remembered || earlier !== undefined) remembered.set(key, { seq: number, text });
  return output;
}

/** The ids of a record, each from where OpenCode really puts it. `evt_…` is an event's own id, never a session's. */
function correlate(origin: Origin, input: unknown, output: unknown): Fields {
  const event = members(input);
  const body = origin.source === "event" ? members(event.properties) : event;
  const [info, part, tool, message] = [
    members(body.info),
    members(body.part),
    members(body.tool),
    members(body.message),
  ];
  const isSession = origin.type.startsWith("session.");
  const isMessage = origin.type.startsWith("message.");
  const sent = members(members(output).message);
  return {
    id: first(event.id),
    session_id: first(body.sessionID, part.sessionID, info.sessionID, isSession && info.id),
    message_id: first(body.messageID, part.messageID, tool.messageID, isMessage && info.id, message.id, sent.id),
    call_id: first(body.callID, part.callID, tool.callID),
    part_id: first(body.partID, part.id),
  };
}

/** The first of the values that is a text with something in it. */
function first(...values: unknown[]): string | null {
  const found = values.find((value) => typeof value === "string" && value !== "") as string | undefined;
  return found?.slice(0, 256) ?? null;
}

function members(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

// ---- the plugin

/** What the agent's shells get. A value that no environment can hold (NUL, far too long) is left out. */
function mark(input: unknown, output: unknown): void {
  const call = members(input);
  const env = members(members(output).env);
  const marks: Fields = {
    MAS_RUN_ID,
    MAS_ISSUE_ID,
    MAS_CAPTURE_DIR: CAPTURE_DIR,
    MAS_CALL_ID: call.callID,
    MAS_SESSION_ID: call.sessionID,
  };
  for (const [name, value] of Object.entries(marks)) {
    if (typeof value === "string" && value !== "" && value.length <= 1024 && !value.includes("\0")) env[name] = value;
  }
}

export const MasSafeSecurity = async (context: { directory?: string; worktree?: string }) => {
  const { directory, worktree } = members(context);
  const origin = (type: string, source: Origin["source"]): Origin => ({ type, source, directory, worktree });
  const hook = (type: string) => async (input: unknown, output?: unknown) =>
    record(origin(type, "hook"), input, output);
  record(
    origin("plugin.alive", "plugin"),
    { version: PLUGIN_VERSION, pid: process.pid, runtime: { ...process.versions } },
    null,
  );
  return {
    ...Object.fromEntries(HOOKS.map((type) => [type, hook(type)])),
    config: hook("config"),
    event: async (input: { event?: unknown }) => {
      const { event } = members(input);
      record(origin(first(members(event).type) ?? "unknown", "event"), event, null);
    },
    "shell.env": async (input: unknown, output: unknown) => {
      try {
        mark(input, output);
      } catch {
        // an odd output object: the shell runs without marks
      }
      record(origin("shell.env", "hook"), input, output);
    },
    dispose: async () => {
      record(origin("plugin.dispose", "plugin"), { written, dropped, seq, waited_ms: waitedMs }, null);
      flush(LIMITS.disposeMs);
    },
  };
};
