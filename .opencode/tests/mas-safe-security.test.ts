import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

type Hooks = Record<string, (input: unknown, output?: unknown) => Promise<void>>;
interface Tree {
  [key: string]: Tree;
}
interface NativeRecord {
  timestamp: string;
  native_event_type: string;
  seq: number;
  dropped: number;
  context: Tree;
  correlation: Tree;
  raw_input: Tree;
  raw_output: Tree;
  truncated?: Tree[];
}

let dir: string;
let fifo: string;
let reader: number | undefined;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "plugin-"));
  fifo = path.join(dir, "opencode_events.fifo");
  execFileSync("mkfifo", ["-m", "622", fifo]);
  reader = fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  vi.stubEnv("MAS_EVENTS", fifo);
  vi.stubEnv("MAS_RUN_ID", "capture-1");
  vi.stubEnv("MAS_ISSUE_ID", "fix_math_utils");
});

afterEach(() => {
  if (reader !== undefined) fs.closeSync(reader);
  vi.unstubAllEnvs();
  fs.rmSync(dir, { recursive: true });
});

/** Loads the plugin anew: its numbering and its sink belong to a process. */
async function load(): Promise<Hooks> {
  vi.resetModules();
  const plugin = await import("../plugins/mas_safe_security.ts");
  return (await plugin.MasSafeSecurity({ directory: "/workspace", worktree: "/" })) as unknown as Hooks;
}

function drain(): Buffer {
  const chunks: Buffer[] = [];
  const buffer = Buffer.alloc(1 << 16);
  for (;;) {
    try {
      const count = fs.readSync(reader ?? -1, buffer);
      chunks.push(Buffer.from(buffer.subarray(0, count)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return Buffer.concat(chunks);
      throw error;
    }
  }
}

const parse = (bytes: Buffer): NativeRecord[] =>
  bytes
    .toString()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as NativeRecord);

/** The line that one call of a hook writes, read while the plugin still writes it. */
async function lineOf(hook: string, input: unknown, output?: unknown): Promise<Buffer> {
  const hooks = await load();
  drain();
  await hooks[hook]?.(input, output);
  const chunks: Buffer[] = [];
  await vi.waitFor(
    () => {
      chunks.push(drain());
      expect(Buffer.concat(chunks).at(-1)).toBe(0x0a);
    },
    { timeout: 10_000, interval: 1 },
  );
  return Buffer.concat(chunks);
}

async function recordOf(hook: string, input: unknown, output?: unknown): Promise<NativeRecord> {
  const [only] = parse(await lineOf(hook, input, output));
  if (only === undefined) throw new Error("no record");
  return only;
}

const event = (type: string, properties: unknown) => ({ event: { id: "evt_1", type, properties } });

describe("records", () => {
  test("begin with plugin.alive and end with plugin.dispose", async () => {
    const hooks = await load();
    await hooks["event"]?.(event("session.idle", { sessionID: "ses_1" }));
    await hooks["dispose"]?.(undefined);
    const records = parse(drain());
    expect(records.map((one) => one.native_event_type)).toEqual(["plugin.alive", "session.idle", "plugin.dispose"]);
    expect(records.map((one) => one.seq)).toEqual([0, 1, 2]);
    expect(records[2]?.raw_input).toMatchObject({ written: 2, dropped: 0 });
  });

  test("have the fixed keys, in the order of the earlier captures", async () => {
    const one = await recordOf("event", event("file.edited", { file: "/workspace/a" }));
    expect(Object.keys(one)).toEqual([
      "timestamp",
      "native_event_type",
      "run_id",
      "issue_id",
      "seq",
      "dropped",
      "context",
      "correlation",
      "raw_input",
      "raw_output",
    ]);
    expect(one).toMatchObject({
      native_event_type: "file.edited",
      run_id: "capture-1",
      issue_id: "fix_math_utils",
      context: { directory: "/workspace", worktree: "/", source: "event" },
      raw_input: { id: "evt_1", type: "file.edited", properties: { file: "/workspace/a" } },
      raw_output: null,
    });
    expect(new Date(one.timestamp).toISOString()).toBe(one.timestamp);
  });

  test("exist for every hook of OpenCode that is a function", async () => {
    const hooks = await load();
    drain();
    const names = Object.keys(hooks).filter((name) => name !== "event" && name !== "dispose");
    for (const name of names) await hooks[name]?.({ sessionID: "ses_1" }, { env: {} });
    expect(parse(drain()).map((one) => one.native_event_type)).toEqual(names);
    expect(names).toContain("experimental.chat.messages.transform");
    expect(names.length).toBe(16);
  });

  test("say when a later plugin of the same process starts: numbering goes on", async () => {
    vi.resetModules();
    const plugin = await import("../plugins/mas_safe_security.ts");
    await plugin.MasSafeSecurity({});
    await plugin.MasSafeSecurity({});
    expect(parse(drain()).map((one) => one.seq)).toEqual([0, 1]);
  });
});

describe("correlation", () => {
  test.each([
    ["session.created", { info: { id: "ses_1" } }, { session_id: "ses_1" }],
    ["session.status", { sessionID: "ses_1", status: { type: "busy" } }, { session_id: "ses_1" }],
    ["message.updated", { sessionID: "ses_1", info: { id: "msg_1" } }, { session_id: "ses_1", message_id: "msg_1" }],
    ["message.updated", { info: { id: "msg_1", sessionID: "ses_1" } }, { session_id: "ses_1", message_id: "msg_1" }],
    [
      "message.part.updated",
      { part: { id: "prt_1", messageID: "msg_1", sessionID: "ses_1", callID: "call_1" } },
      { session_id: "ses_1", message_id: "msg_1", part_id: "prt_1", call_id: "call_1" },
    ],
    [
      "message.part.delta",
      { sessionID: "ses_1", messageID: "msg_1", partID: "prt_1", delta: "x" },
      { session_id: "ses_1", message_id: "msg_1", part_id: "prt_1" },
    ],
    [
      "permission.asked",
      { id: "per_1", sessionID: "ses_1", tool: { messageID: "msg_1", callID: "call_1" } },
      { session_id: "ses_1", message_id: "msg_1", call_id: "call_1" },
    ],
    ["file.edited", { file: "a" }, { session_id: null }],
  ])("of %s comes from where the ids really are", async (type, properties, expected) => {
    const one = await recordOf("event", event(type, properties));
    expect(one.correlation).toMatchObject({ id: "evt_1", ...expected });
  });

  test("of a hook comes from its input, or from the message it hands out", async () => {
    const call = { tool: "bash", sessionID: "ses_1", callID: "call_1" };
    const before = await recordOf("tool.execute.before", call, { args: {} });
    expect(before.correlation).toEqual({
      id: null,
      session_id: "ses_1",
      message_id: null,
      call_id: "call_1",
      part_id: null,
    });
    const chat = await recordOf("chat.message", { sessionID: "ses_1" }, { message: { id: "msg_1" }, parts: [] });
    expect(chat.correlation).toMatchObject({ session_id: "ses_1", message_id: "msg_1" });
  });
});

describe("shell.env", () => {
  test("marks the shell with run, issue, session and call", async () => {
    const output = { env: { KEEP: "1" } as Record<string, string> };
    const one = await recordOf("shell.env", { cwd: "/", sessionID: "ses_1", callID: "call_1" }, output);
    const marks = {
      KEEP: "1",
      MAS_RUN_ID: "capture-1",
      MAS_ISSUE_ID: "fix_math_utils",
      MAS_CAPTURE_DIR: "/capture",
      MAS_CALL_ID: "call_1",
      MAS_SESSION_ID: "ses_1",
    };
    expect(output.env).toEqual(marks);
    expect(one.raw_output).toEqual({ env: marks });
  });

  test("leaves out what no environment can hold, and survives an odd output", async () => {
    const output = { env: {} as Record<string, string> };
    await recordOf("shell.env", { callID: "a\0b", sessionID: "x".repeat(5000) }, output);
    expect(Object.keys(output.env).sort()).toEqual(["MAS_CAPTURE_DIR", "MAS_ISSUE_ID", "MAS_RUN_ID"]);
    for (const odd of [undefined, null, {}, { env: null }, { env: Object.freeze({}) }]) {
      const one = await recordOf("shell.env", { callID: "call_1" }, odd);
      expect(one.native_event_type).toBe("shell.env");
    }
  });
});

describe("hostile values", () => {
  test("become plain JSON", async () => {
    const circular: Record<string, unknown> = { name: "a" };
    circular["self"] = circular;
    const shared = { n: 1 };
    const args = {
      circular,
      shared,
      again: shared,
      big: 12n,
      nan: Number.NaN,
      none: undefined,
      fn: () => 1,
      sym: Symbol("s"),
      date: new Date(0),
      map: new Map([["k", new Set([1])]]),
      error: new TypeError("no"),
      bytes: Buffer.from("abc"),
      get throwing(): never {
        throw new Error("not for you");
      },
      proxy: new Proxy({}, { ownKeys: () => ["a", "a"] }),
      toJsonThrows: {
        toJSON: () => {
          throw new Error("broken");
        },
      },
      half: "\ud800",
      ["__proto__"]: { polluted: true },
    };
    Object.defineProperty(args, "__proto__", { value: { polluted: true }, enumerable: true });
    const one = await recordOf("tool.execute.before", { callID: "c" }, { args });
    expect(one.raw_output.args).toMatchObject({
      circular: { name: "a", self: "[circular]" },
      shared: { n: 1 },
      again: { n: 1 },
      big: "12n",
      nan: "NaN",
      fn: "[function]",
      sym: "[symbol]",
      date: "1970-01-01T00:00:00.000Z",
      map: { k: [1] },
      error: { name: "TypeError", message: "no" },
      throwing: "[unreadable: not for you]",
      toJsonThrows: "[unreadable: broken]",
    });
    expect(one.raw_output.args?.proxy).toMatch(/^\[unreadable/);
    expect(Object.hasOwn(one.raw_output.args ?? {}, "__proto__")).toBe(true);
    expect(one.truncated).toBeUndefined();
  });

  test("that are too long are cut, and the record says so", async () => {
    const long = "é".repeat(300_000);
    const one = await recordOf("tool.execute.after", { callID: "c" }, { output: long, list: Array(5000).fill(1) });
    expect(one.raw_output.output?.length).toBe(262_144);
    expect(one.truncated).toEqual([
      { field: "raw_output.output", reason: "long-string", original_bytes: 600_000 },
      { field: "raw_output.list", reason: "many-entries", omitted_entries: 3000 },
    ]);
  });

  test("never make a record longer than one mebibyte", async () => {
    let deep: unknown = "end";
    for (let i = 0; i < 10_000; i++) deep = [deep];
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, "\u0001".repeat(1000)]));
    for (const args of [wide, deep, "\u0001".repeat(1 << 24), Array(1900).fill(wide)]) {
      const line = await lineOf("tool.execute.before", { callID: "c" }, { args });
      expect(line.length).toBeLessThanOrEqual(1 << 20);
      expect(parse(line)[0]?.truncated?.length).toBeGreaterThan(0);
    }
  });

  test("that repeat are recorded once, then by reference", async () => {
    const hooks = await load();
    for (const description of ["a", "a", "b", "b"])
      await hooks["tool.definition"]?.({ toolID: "bash" }, { description });
    await hooks["tool.definition"]?.({ toolID: "read" }, { description: "b" });
    const outputs = parse(drain()).map((one) => one.raw_output);
    const expected = [
      { description: "a" },
      { same_as_seq: 1 },
      { description: "b" },
      { same_as_seq: 3 },
      { description: "b" },
    ];
    expect(outputs.slice(1)).toEqual(expected);
  });

  test("that are the whole conversation are kept small", async () => {
    const messages = Array.from({ length: 100 }, (_, i) => ({
      info: { id: `msg_${i}` },
      parts: [{ text: "x".repeat(10_000) }],
    }));
    const line = await lineOf("experimental.chat.messages.transform", {}, { messages });
    expect(line.length).toBeLessThan(100_000);
  });

  test("secrets of the merged configuration are left out, arguments of tools are kept", async () => {
    const secrets = {
      provider: { x: { options: { apiKey: "sk-1", baseURL: "http://a" }, key: "sk-2" } },
      max_tokens: 5,
    };
    const config = await recordOf("config", secrets);
    expect(config.raw_input).toEqual({
      provider: { x: { options: { apiKey: "[redacted]", baseURL: "http://a" }, key: "[redacted]" } },
      max_tokens: 5,
    });
    const headers = await recordOf("chat.headers", {}, { headers: { Authorization: "Bearer 1", accept: "a" } });
    expect(headers.raw_output.headers).toEqual({ Authorization: "[redacted]", accept: "a" });
    const tool = await recordOf("tool.execute.before", {}, { args: { token: "abc" } });
    expect(tool.raw_output.args?.token).toBe("abc");
  });
});

describe("the sink", () => {
  const burst = async (hooks: Hooks, count: number, size: number) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) await hooks["event"]?.(event("test.burst", { i, fill: "x".repeat(size) }));
    return performance.now() - start;
  };

  test("that is missing does not matter", async () => {
    vi.stubEnv("MAS_EVENTS", path.join(dir, "nothing"));
    const hooks = await load();
    expect(await burst(hooks, 100, 10)).toBeLessThan(1000);
    await hooks["dispose"]?.(undefined);
  });

  test("that nobody reads does not matter", async () => {
    fs.closeSync(reader ?? -1);
    reader = undefined;
    const hooks = await load();
    expect(await burst(hooks, 100, 10)).toBeLessThan(1000);
    await hooks["dispose"]?.(undefined);
  });

  test("that dies in the middle does not matter", async () => {
    const hooks = await load();
    await burst(hooks, 3, 10);
    fs.closeSync(reader ?? -1);
    reader = undefined;
    expect(await burst(hooks, 1000, 1000)).toBeLessThan(2000);
    await hooks["dispose"]?.(undefined);
  });

  test("that stalls costs little time and memory; what is lost is counted, what is kept is in order", async () => {
    const hooks = await load();
    const before = process.memoryUsage().rss;
    const tookMs = await burst(hooks, 12_000, 1000);
    expect(tookMs).toBeLessThan(15_000); // 20 ms for each record would be minutes
    expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20);
    const got: Buffer[] = [];
    await vi.waitFor(
      async () => {
        got.push(drain());
        await hooks["event"]?.(event("test.after", {}));
        expect(Buffer.concat(got).includes("test.after")).toBe(true);
      },
      { timeout: 10_000, interval: 2 },
    );
    const records = parse(Buffer.concat(got));
    const numbers = records.map((one) => one.seq);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    const dropped = records.at(-1)?.dropped ?? 0;
    const missing = (numbers.at(-1) ?? 0) + 1 - numbers.length;
    expect(dropped).toBeGreaterThan(1000);
    expect(missing).toBe(dropped);
  });

  test("a stalled reader can't hold up the end for long", async () => {
    const hooks = await load();
    await burst(hooks, 200, 1000);
    const start = performance.now();
    await hooks["dispose"]?.(undefined);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

test("the file has exactly one export, a function: OpenCode takes every export for a plugin", async () => {
  const plugin = await import("../plugins/mas_safe_security.ts");
  expect(Object.values(plugin).map((one) => typeof one)).toEqual(["function"]);
});
