import { expect, it } from "vitest";
import type { CaptureEvent } from "../../src/schema/event.ts";
import { type CaseContext, life, made, type RecallCase } from "./expect.ts";
import { fact } from "./fact.ts";
import { disorder, judgeCase, reportedLoss } from "./judge.ts";
import { ObservedProcesses } from "./observed.ts";

const context: CaseContext = {
  tag: "t1",
  n: 1,
  dir: "/w",
  home: "/h",
  self: "/h/bin/recall",
  selfBytes: 10,
  selfSha256: "0".repeat(64),
};

const entry: RecallCase = {
  number: 0,
  title: "a process and a file",
  each: (_, at) => [
    life(at, [{ exe: "/usr/bin/true", argv: ["true", Buffer.from([0xff])] }], "exit 3"),
    ...made("/w/f", 2),
    fact("file.unlink", { path: "/w/f" }),
  ],
};

const ROOT = "10-1";
const CHILD = "11-2";
const head = { mono_ns: 1, time: "2026-01-01T00:00:00.000Z", source: "kernel" };
const file = { inode: 1, device: "1:1", mode: "100644", links: 1 };

/** Everything that the case expects, as a capture would tell it. */
function events(): CaptureEvent[] {
  const list = [
    {
      kind: "process.exec",
      process: ROOT,
      parent: "1-1",
      exe: "/h/bin/recall",
      cwd: "/w",
      argv: ["recall", "x", "t1"],
    },
    { kind: "process.fork", process: CHILD, parent: ROOT },
    {
      kind: "process.exec",
      process: CHILD,
      parent: ROOT,
      exe: "/usr/bin/true",
      cwd: "/w",
      argv: ["true", "\ufffd"],
      argv_b64: ["dHJ1ZQ==", "/w=="],
      argv_bytes: 7,
    },
    { kind: "process.exit", process: CHILD, comm: "true", code: 3, signal: null, duration_ms: 1 },
    { kind: "file.open", process: ROOT, path: "/w/f", access: "write", created: true, ...file, size: 0 },
    { kind: "file.close-write", process: ROOT, path: "/w/f", ...file, size: 2 },
    { kind: "file.unlink", process: ROOT, path: "/w/f" },
  ];
  return list.map((event, seq) => ({ ...head, seq, ...event }) as unknown as CaptureEvent);
}

const judge = (list: readonly CaptureEvent[]) => judgeCase(entry, context, new ObservedProcesses(list));

/** The list with the first event of a kind changed. */
function changed(kind: string, change: Record<string, unknown>, process = ROOT): CaptureEvent[] {
  const list = events();
  const at = list.findIndex((event) => event.kind === kind && "process" in event && event.process === process);
  const event = list[at];
  if (event === undefined) throw new Error(`no ${kind}`);
  return list.with(at, { ...event, ...change } as CaptureEvent);
}

it("what is expected and told is whole", () => {
  expect(judge(events())).toMatchObject({ expected: 5, seen: 5, missing: [], phantom: [] });
});

it.each(
  events()
    .map(({ kind }, index) => ({ kind, index }))
    .filter(({ kind }) => kind !== "process.fork"),
)("a missing $kind is found", ({ index }) => {
  expect(judge(events().toSpliced(index, 1)).missing).not.toEqual([]);
});

it("a lost fork hides nothing of a process that ran a program", () => {
  expect(judge(events().filter(({ kind }) => kind !== "process.fork"))).toMatchObject({ missing: [], phantom: [] });
});

it("each wrong field is found, as something missing and a phantom", () => {
  for (const list of [
    changed("process.exit", { code: 4 }, CHILD),
    changed("process.exit", { code: null, signal: "SIGKILL" }, CHILD),
    changed("process.exec", { argv_b64: ["dHJ1ZQ==", "/g=="] }, CHILD),
    changed("process.exec", { cwd: "/elsewhere" }, CHILD),
    changed("process.exec", { exe: "/usr/bin/false" }, CHILD),
    changed("file.unlink", { errno: "EPERM" }),
    changed("file.unlink", { path: "/w/g" }),
    changed("file.close-write", { size: 3 }),
  ]) {
    const { missing, phantom } = judge(list);
    expect([missing.length, phantom.length]).toEqual([1, 1]);
  }
});

it("something told twice is a phantom", () => {
  const list = events();
  const judgement = judge([...list, ...list.slice(-1)]);
  const phantom = fact("file.unlink", { path: "/w/f" });
  expect(judgement).toMatchObject({ missing: [], phantom: [phantom] });
  expect(judgement.eventsOf(phantom)).toHaveLength(2);
});

it("loss is what the kernel side counted and did not arrive; disorder is told", () => {
  const counters = { ...head, seq: 0, kind: "sensor.counters", start: 1, emitted: { file: 9 }, received: { file: 7 } };
  expect(reportedLoss([counters as unknown as CaptureEvent])).toBe(2);
  expect(disorder(events())).toEqual([]);
  expect(disorder(events().toSpliced(2, 1))).not.toEqual([]);
});
