import { expect, test } from "vitest";
import { captureEvent } from "../../schema/event.ts";
import type { Completeness, FileChange } from "../../schema/observations.ts";
import type { Reconciliation } from "../../schema/reconciliation.ts";
import type { FsDiffView } from "../../schema/view.ts";
import { FileCheck } from "./files.ts";
import { Reconciler, type Witnesses } from "./reconcile.ts";

type Told = Record<string, unknown> & { kind: string };

const FILE = { inode: 5, device: "8:1", mode: "100644", size: 3, links: 1 };
const made = (path: string): Told => ({ kind: "file.open", path, access: "write", created: true, ...FILE });
const closed = (path: string, more: object = {}): Told => ({ kind: "file.close-write", path, ...FILE, ...more });
const fork = (process: string): Told => ({
  kind: "process.fork",
  process,
  parent: "1-1",
  container_pid: 7,
  uid: 1,
  comm: "x",
});
const exec = (process: string, ...argv: string[]): Told => ({
  ...fork(process),
  kind: "process.exec",
  gid: 1,
  exe: "/bin/x",
  ...FILE,
  cwd: "/",
  argv,
  argv_bytes: 1,
  env_bytes: 1,
});
const exit = (process: string): Told => ({
  kind: "process.exit",
  process,
  comm: "x",
  code: 0,
  signal: null,
  duration_ms: 1,
});

function parsed(told: readonly Told[]) {
  return told.map((one, seq) => {
    const head = { seq, mono_ns: seq, time: "2026-11-23T00:00:00.000Z", source: "kernel", process: "1-1" };
    return captureEvent.parse({ ...head, ...one });
  });
}

function change(path: string, type: FileChange["change_type"], more: Partial<FileChange> = {}): FileChange {
  const none = { before_sha256: null, after_sha256: null, before_size: null, after_size: null };
  const sides = { before_type: null, after_type: null, before_mode: null, after_mode: null };
  return { path, change_type: type, sensitive_path: false, ...none, ...sides, ...more };
}

function diffOf(changes: readonly FileChange[], more: Partial<FsDiffView> = {}): FsDiffView {
  return {
    generated_at: null,
    workspace_dir: null,
    counts: null,
    touched_sensitive_paths: null,
    changes: [...changes],
    truncated: false,
    outside_workspace: [],
    excluded: [],
    ...more,
  };
}

const CLASSES = ["process", "file-workspace", "file-outside"] as const;

function completenessOf(level: "complete" | "lossy"): Completeness {
  const statement = { level, sensor: "kernel", reason: "because", lost: null, from: null, to: null };
  return {
    schema_version: 1,
    generated_at: "2026-11-23T00:00:00.000Z",
    verdict: level,
    classes: CLASSES.map((name) => ({ ...statement, class: name, started_before_agent: true })),
    gaps: [],
  };
}

function reconcile(
  told: readonly Told[],
  changes: readonly FileChange[],
  more: Partial<Witnesses> = {},
): Reconciliation {
  const reconciler = new Reconciler();
  for (const event of parsed(told)) reconciler.add(event);
  return reconciler.result({
    completeness: completenessOf("complete"),
    fsDiff: diffOf(changes),
    flows: null,
    brokenLines: 0,
    ...more,
  });
}

function mismatches(told: readonly Told[], changes: readonly FileChange[], more: Partial<Witnesses> = {}): string[] {
  return reconcile(told, changes, more).mismatches.map(({ kind, what }) => `${kind} ${what}`);
}

test("what both witnesses tell of is no mismatch", () => {
  const told = [exec("1-1", "opencode"), made("/workspace/a"), closed("/workspace/a"), exit("1-1")];
  const { total, checks } = reconcile(told, [change("a", "created")]);
  expect(total).toBe(0);
  expect(checks).toMatchObject([
    { check: "changes", compared: 1, matched: 1, skipped: null },
    { check: "file-events", compared: 1, matched: 1, skipped: null },
    { check: "processes", compared: 1, matched: 0, explained: { "first-process": 1 }, skipped: null },
    { check: "flows", compared: 0, skipped: "no packets were recorded" },
    { check: "connects", compared: 0, skipped: "no packets were recorded" },
  ]);
});

test("a change without an event, an event without its change", () => {
  expect(mismatches([], [change("a", "created")])).toEqual(["change-without-event created: /workspace/a"]);
  // A closed file is no created one.
  expect(mismatches([closed("/workspace/a")], [change("a", "created")])).toHaveLength(1);
  const { mismatches: found } = reconcile([made("/workspace/a"), closed("/workspace/a")], []);
  expect(found).toEqual([
    { class: "file", kind: "event-without-change", what: "created: /workspace/a", evidence: ["event:0", "event:1"] },
  ]);
  expect(mismatches([{ kind: "file.unlink", path: "/workspace/a" }], [])).toEqual([
    "event-without-change deleted: /workspace/a",
  ]);
});

test("a call that failed did nothing", () => {
  const failed = { kind: "file.unlink", path: "/workspace/a", errno: "ENOENT" };
  expect(mismatches([failed], [])).toEqual([]);
  expect(mismatches([failed], [change("a", "deleted")])).toHaveLength(1);
});

test("a file that grew has changed; one that was written again may be the same", () => {
  const opened = { kind: "file.open", path: "/workspace/a", access: "write", ...FILE };
  expect(mismatches([opened, closed("/workspace/a")], [])).toEqual([]);
  expect(mismatches([opened, closed("/workspace/a", { size: 9 })], [])).toEqual([
    "event-without-change modified: /workspace/a",
  ]);
  expect(mismatches([opened, closed("/workspace/a", { size: 9 })], [change("a", "modified")])).toEqual([]);
});

test("what came and went, what the agent's machinery leaves, and what lies elsewhere", () => {
  const gone = [made("/workspace/t"), { kind: "file.unlink", path: "/workspace/t" }];
  const own = [made("/workspace/.git/opencode")];
  const fsDiff = diffOf([], { excluded: [{ path: ".git/opencode", size_bytes: 40 }] });
  const { total, checks } = reconcile([...gone, ...own, made("/dev/shm/x")], [], { fsDiff });
  expect(total).toBe(0);
  expect(checks[1]?.explained).toEqual({ "gone-again": 1, "agent-machinery": 1 });
});

test("home and /tmp are compared as well", () => {
  const counts = { created: 1, modified: 0, deleted: 0, total: 1, renamed: 0 };
  const outside = [{ root: "/tmp", counts, changes: [change("x", "created")], truncated: false }];
  const fsDiff = diffOf([], { outside_workspace: outside });
  expect(mismatches([made("/tmp/x")], [], { fsDiff })).toEqual([]);
  expect(mismatches([made("/tmp/y")], [], { fsDiff })).toEqual([
    "change-without-event created: /tmp/x",
    "event-without-change created: /tmp/y",
  ]);
});

test("names are compared byte for byte", () => {
  const bytes = Buffer.from("/workspace/\xff", "latin1");
  const told = { ...made("/workspace/\ufffd"), path_b64: bytes.toString("base64") };
  const same = change("\ufffd", "created", { path_b64: Buffer.from("\xff", "latin1").toString("base64") });
  const other = change("\ufffd", "created", { path_b64: Buffer.from("\xfe", "latin1").toString("base64") });
  expect(mismatches([told], [same])).toEqual([]);
  expect(mismatches([told], [other])).toHaveLength(2);
  expect(mismatches([made("/workspace/é")], [change("é", "created")])).toEqual([]);
});

test("a link from before the run gives one file two names", () => {
  const removed = { kind: "file.unlink", path: "/workspace/link/a" };
  const { total, checks } = reconcile([removed], [change("real/a", "deleted")]);
  expect([total, checks[0]?.explained, checks[1]?.explained]).toEqual([
    0,
    { "link-in-path": 1 },
    { "link-in-path": 1 },
  ]);
  expect(mismatches([removed], [change("real/a", "created")])).toHaveLength(2);
});

test("a socket is made by bind, which has only the name that was passed", () => {
  const bound = { kind: "net.bind", connection: 1, transport: "unix", local: "run/agent.sock" };
  const socket = change("run/agent.sock", "created", { after_type: "socket" });
  expect(mismatches([bound], [socket])).toEqual([]);
  expect(mismatches([bound], [change("agent.sock", "created", { after_type: "file" })])).toHaveLength(1);
});

test("processes: everything that begins ends, or still ran at the end", () => {
  const survivor = { kind: "process.survivor", process: "3-1", comm: "x", argv: [] };
  const whole = [exec("1-1", "opencode"), fork("2-1"), exec("2-1", "ls"), exit("2-1"), fork("3-1"), survivor];
  expect(mismatches([...whole, exit("1-1")], [])).toEqual([]);
  expect(mismatches([...whole.slice(0, 3), exit("1-1")], [])).toEqual(["process-without-end 2-1 ls"]);
  expect(mismatches([exec("1-1", "opencode"), exec("9-1", "nc", "-l"), exit("9-1"), exit("1-1")], [])).toEqual([
    "process-without-beginning 9-1 nc -l",
  ]);
  expect(mismatches([exec("1-1", "opencode"), exit("9-1"), exit("1-1")], [])).toEqual([
    "process-without-beginning 9-1 x",
  ]);
});

test("a witness with a hole proves nothing, and that is said", () => {
  const lossy = reconcile([fork("2-1")], [change("a", "created")], { completeness: completenessOf("lossy") });
  expect(lossy.total).toBe(0);
  expect(lossy.checks.slice(0, 3).map(({ skipped }) => skipped)).toEqual([
    "file-workspace: because",
    "file-workspace: because",
    "process: because",
  ]);
  expect(reconcile([], [], { brokenLines: 2 }).checks[0]?.skipped).toMatch("2 lines");
  const cut = reconcile([made("/workspace/b")], [], { fsDiff: diffOf([change("a", "created")], { truncated: true }) });
  expect(cut.total).toBe(1);
  expect(cut.checks[1]?.skipped).toBe("the file diff is cut");
  expect(reconcile([], [], { fsDiff: null }).checks.map(({ check }) => check)).toEqual([
    "processes",
    "flows",
    "connects",
  ]);
});

test("the list is bounded, the number is not", () => {
  const { total, mismatches: listed } = reconcile(
    [],
    Array.from({ length: 150 }, (_, index) => change(`f${index}`, "created")),
  );
  expect([total, listed.length]).toEqual([150, 100]);
});

test("more names than are followed explain what is missing", () => {
  const check = new FileCheck(5);
  const told = Array.from({ length: 10 }, (_, index) => made(`/workspace/f${index}`));
  for (const event of parsed(told)) check.add(event);
  const changes = told.map((_, index) => change(`f${index}`, "created"));
  const [found] = check.results(diffOf(changes), { events: null, diff: null });
  expect(found).toMatchObject({ matched: 3, explained: { "beyond-limit": 7 }, unmatched: 0 });
  expect(found?.skipped).toMatch("more names than are followed");
});
