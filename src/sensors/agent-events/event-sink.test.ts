import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CaptureError } from "../../core/errors.ts";
import { createEventSink, type EventSink, type EventSinkLimits } from "./event-sink.ts";

let dir: string;
let outFile: string;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "sink-"));
  fs.mkdirSync(path.join(dir, "pipes"));
  outFile = path.join(dir, "opencode_events.jsonl");
});

afterEach(() => fs.rmSync(dir, { recursive: true }));

const open = (limits: Partial<EventSinkLimits> = {}, file = outFile): EventSink =>
  createEventSink({ dir: path.join(dir, "pipes"), outFile: file, limits });

/** Another process writes to the pipe, as an agent would. */
async function shell(sink: EventSink, script: string): Promise<void> {
  const child: ChildProcess = spawn("bash", ["-c", script], {
    env: { ...process.env, PIPE: sink.pipe },
    stdio: "inherit",
  });
  await once(child, "exit");
}

let nextSeq = 0;
function record(type: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    timestamp: "2026-01-01T00:00:00.000Z",
    native_event_type: type,
    run_id: "capture-1",
    issue_id: "fix_math_utils",
    seq: nextSeq++,
    dropped: 0,
    context: { directory: "/workspace", worktree: "/", source: "event", instance: "a" },
    correlation: {},
    raw_input: {},
    raw_output: null,
    ...more,
  });
}

async function send(sink: EventSink, lines: readonly string[]): Promise<void> {
  const file = path.join(dir, "input");
  fs.writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  await shell(sink, `cat ${file} > "$PIPE"`);
}

beforeEach(() => {
  nextSeq = 0;
});

describe("the pipe", () => {
  test("can be written by everybody and read by its owner only", () => {
    const old = process.umask(0o077);
    const sink = open();
    process.umask(old);
    expect(fs.statSync(sink.pipe).isFIFO()).toBe(true);
    expect(fs.statSync(sink.pipe).mode & 0o777).toBe(0o622);
    return sink.close();
  });

  test("is not made where the kernel would refuse it", () => {
    fs.chmodSync(path.join(dir, "pipes"), 0o1777);
    expect(() => open()).toThrow(CaptureError);
  });
});

describe("a run", () => {
  test("with every record is complete, and the file is byte for byte what was sent", async () => {
    const sink = open();
    const lines = [
      record("plugin.alive"),
      record("session.idle", { raw_input: { text: "é\u0000\u2028" } }),
      record("plugin.dispose"),
    ];
    await send(sink, lines);
    const result = await sink.close();
    expect(fs.readFileSync(outFile, "utf8")).toBe(lines.map((line) => `${line}\n`).join(""));
    expect(result).toMatchObject({
      status: "present",
      eventCount: 3,
      validCount: 3,
      invalidCount: 0,
      truncated: false,
    });
    expect(result).toMatchObject({ pluginAlive: true, pluginDisposed: true, dropped: 0, sequenceGaps: 0 });
    expect(result.bytes).toBe(fs.statSync(outFile).size);
    expect(result.completeness).toMatchObject({ class: "native-events", level: "complete", lost: 0 });
  });

  test("takes what still stands in the pipe when it is closed", async () => {
    const sink = open();
    const fd = fs.openSync(sink.pipe, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
    fs.writeSync(fd, `${record("plugin.alive")}\n${record("session.idle")}\n`);
    fs.closeSync(fd);
    // Nothing was read yet: this process has not been back in its event loop.
    expect((await sink.close()).validCount).toBe(2);
  });

  test("without a plugin is missing", async () => {
    const result = await open().close();
    expect(result).toMatchObject({ status: "missing", eventCount: 0, bytes: 0, pluginAlive: false });
    expect(result.completeness.level).toBe("absent");
    expect(fs.statSync(outFile).size).toBe(0);
  });

  test("with garbage only is invalid; the garbage is kept", async () => {
    const sink = open();
    const garbage = ["hello", "{", "[]", "{}", '{"native_event_type": 5}', "\u0000\u0001", ""];
    await send(sink, garbage);
    await shell(sink, `printf 'no newline at the end' > "$PIPE"`);
    const result = await sink.close();
    expect(result).toMatchObject({ status: "invalid", eventCount: 0, invalidCount: 8 });
    expect(fs.readFileSync(outFile, "utf8")).toBe(`${garbage.join("\n")}\nno newline at the end`);
  });

  test("with records among garbage is present; both are counted", async () => {
    const sink = open();
    await send(sink, ["junk", record("plugin.alive"), '{"half":', record("session.idle")]);
    expect(await sink.close()).toMatchObject({ status: "present", eventCount: 2, invalidCount: 2 });
  });

  test("that was killed has no dispose and says so", async () => {
    const sink = open();
    await send(sink, [record("plugin.alive")]);
    const result = await sink.close();
    expect(result).toMatchObject({ pluginAlive: true, pluginDisposed: false });
    expect(result.completeness.level).toBe("lossy");
    expect(result.completeness.reason).toContain("no plugin.dispose");
  });

  test("with holes counts them, per process", async () => {
    const sink = open();
    const other = { instance: "b" };
    await send(sink, [
      record("plugin.alive"),
      record("plugin.alive", { context: other, seq: 0 }),
      record("x", { seq: 5, dropped: 3 }),
      record("x", { context: other, seq: 1, dropped: 0 }),
      record("x", { seq: 5 }),
      record("plugin.dispose", { seq: 6, dropped: 3 }),
    ]);
    const result = await sink.close();
    expect(result).toMatchObject({ sequenceGaps: 4, dropped: 3, sequenceRepeats: 1 });
    expect(result.completeness).toMatchObject({ level: "lossy", lost: 4 });
  });
});

describe("session ids", () => {
  const created = (id: string, parentID?: unknown) =>
    record("session.created", {
      correlation: { id: "evt_1" },
      raw_input: { id: "evt_1", type: "session.created", properties: { sessionID: id, info: { id, parentID } } },
    });

  test("come from session.created; the first without a parent is the root", async () => {
    const sink = open();
    await send(sink, [created("ses_root"), created("ses_kid", "ses_root"), created("ses_two", null)]);
    expect(await sink.close()).toMatchObject({ sessionId: "ses_root", childSessionIds: ["ses_kid"] });
  });

  test("that are none are ignored", async () => {
    const sink = open();
    await send(sink, [created("evt_1"), created("../../etc"), created("ses_"), created("ses_ok")]);
    expect((await sink.close()).sessionId).toBe("ses_ok");
  });
});

describe("limits", () => {
  test("a line that is too long is cut, counted as invalid, and the next one is whole", async () => {
    const sink = open({ recordBytes: 1000 });
    await send(sink, [record("x", { raw_input: "y".repeat(5000) }), record("plugin.alive")]);
    const result = await sink.close();
    expect(result).toMatchObject({ validCount: 1, invalidCount: 1, truncated: true });
    const [cut] = fs.readFileSync(outFile, "utf8").split("\n");
    expect(cut?.length).toBe(1000);
    expect(result.lostBytes).toBe(result.bytes - fs.statSync(outFile).size);
  });

  test("the whole file is cut between two lines", async () => {
    const sink = open({ totalBytes: 2000 });
    const lines = Array.from({ length: 50 }, () => record("x"));
    await send(sink, lines);
    const result = await sink.close();
    const text = fs.readFileSync(outFile, "utf8");
    expect(text.length).toBeLessThanOrEqual(2000);
    expect(text.endsWith("\n")).toBe(true);
    expect(result.validCount).toBe(text.split("\n").length - 1);
    expect(result).toMatchObject({ truncated: true, lostBytes: result.bytes - text.length });
  });

  test("the number of lines is limited", async () => {
    const sink = open({ lines: 10 });
    await shell(sink, `for i in $(seq 50); do echo x; sleep 0.001; done > "$PIPE"`);
    const result = await sink.close();
    expect(result.invalidCount).toBeLessThan(50);
    expect(result.truncated).toBe(true);
  });

  test("one gibibyte without a newline takes no memory", async () => {
    const sink = open();
    const before = process.memoryUsage().rss;
    let peak = 0;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 20);
    await shell(sink, `head -c 1073741824 /dev/zero > "$PIPE"`);
    clearInterval(timer);
    const result = await sink.close();
    expect(result.bytes).toBe(1 << 30);
    expect(fs.statSync(outFile).size).toBe(2 << 20);
    expect(result).toMatchObject({ status: "invalid", invalidCount: 1, truncated: true });
    expect(peak - before).toBeLessThan(60 << 20);
  });

  test("a writer that never stops is cut off at the end", async () => {
    const sink = open();
    const writer = spawn("bash", ["-c", `exec yes > "${sink.pipe}"`], { stdio: "ignore" });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const start = performance.now();
    const result = await sink.close();
    writer.kill("SIGKILL");
    expect(performance.now() - start).toBeLessThan(5000);
    expect(result.truncated).toBe(true);
  });
});

describe("a file system that fails", () => {
  test("is a reported loss, and the writer is not held up", async () => {
    const sink = open({}, "/dev/full");
    await send(
      sink,
      Array.from({ length: 2000 }, () => record("x")),
    );
    const result = await sink.close();
    expect(result).toMatchObject({ eventCount: 0, truncated: true, lostBytes: result.bytes });
    expect(result.failure).toMatch(/ENOSPC/);
    expect(result.completeness).toMatchObject({
      level: "absent",
      reason: expect.stringContaining("none could be kept"),
    });
  });

  test("that takes a part keeps whole lines", () => {
    // A limit on the file size makes the kernel write short and then fail, as a full disk does.
    const script = `
      import * as fs from "node:fs";
      import { createEventSink } from ${JSON.stringify(path.join(import.meta.dirname, "event-sink.ts"))};
      const sink = createEventSink({ dir: process.argv[2], outFile: process.argv[3] });
      const fd = fs.openSync(sink.pipe, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
      const line = process.argv[4];
      for (let i = 0; i < 300; i++) { fs.writeSync(fd, line + "\\n"); if (i % 50 === 0) await new Promise((r) => setTimeout(r, 5)); }
      console.log(JSON.stringify(await sink.close()));`;
    const file = path.join(dir, "short.ts");
    fs.writeFileSync(file, script);
    const args = ["--fsize=20000", process.execPath, file, path.join(dir, "pipes"), outFile, record("x")];
    const child = spawnSync("prlimit", args, { encoding: "utf8" });
    const result = JSON.parse(child.stdout);
    const text = fs.readFileSync(outFile, "utf8");
    expect(result.failure).toMatch(/EFBIG/);
    expect(text.endsWith("\n")).toBe(true);
    expect(text.length).toBeGreaterThan(15_000);
    expect(result.eventCount).toBe(text.split("\n").length - 1);
    expect(result.lostBytes).toBe(result.bytes - text.length);
  });
});
