import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CaptureEvent, captureEvent, type EventKind, type EventOf } from "../../src/schema/event.ts";
import { BootClock } from "../../src/sensors/kernel/boot-clock.ts";
import { Normaliser } from "../../src/sensors/kernel/normaliser.ts";
import type { KernelRecord } from "../../src/sensors/kernel/record.ts";
import { buildSensor, type ObservedRun, observe, Workload } from "../support/sensor-workload.ts";

const TIMES = 20;
const INTERRUPTED = 2;
const ERESTARTSYS = -512;
const CASES = ["failing-opens", "times", "hidden-closes", "passing", "joined"];

let workload: Workload;
let run: ObservedRun;
let events: CaptureEvent[];

function isAboutContainer(record: KernelRecord): record is Parameters<Normaliser["add"]>[0] {
  return !["counters", "ready", "canary"].includes(record.kind);
}

/** What becomes of the records in a capture; each event valid by the schema. */
function eventsOf(records: readonly KernelRecord[]): CaptureEvent[] {
  const made: CaptureEvent[] = [];
  const emit = (event: object): number => made.push(captureEvent.parse({ seq: made.length, ...event })) - 1;
  const normaliser = new Normaliser({ clock: new BootClock(), emit, sensitivePatterns: ["**/id_rsa*", "**/.env*"] });
  for (const record of records) if (isAboutContainer(record)) normaliser.add(record);
  normaliser.finish();
  return made;
}

function of<K extends EventKind>(kind: K): EventOf<K>[] {
  return events.filter((event): event is EventOf<K> => event.kind === kind);
}

/** Each text with how often it comes. */
function counted(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts)
    counts[text.replace(`${run.place}/`, "")] = (counts[text.replace(`${run.place}/`, "")] ?? 0) + 1;
  return counts;
}

beforeAll(async () => {
  buildSensor();
  workload = new Workload();
  // These wait a second each, for a packet that is sent again.
  const cases = { ...Object.fromEntries(CASES.map((name) => [name, TIMES])), interrupted: INTERRUPTED };
  run = await observe(workload, cases);
  events = eventsOf(run.records);
});

afterAll(() => workload.remove());

it("the workload did what it should, and nothing was lost", () => {
  for (const [name, [done, wanted]] of Object.entries(run.worked)) expect([name, done]).toEqual([name, wanted]);
  expect(run.end).toEqual({ faults: 0, failure: undefined });
  const counters = run.records.findLast((record) => record.kind === "counters");
  expect(counters).toMatchObject({
    lost: { process: 0, file: 0, network: 0, security: 0 },
    missedRuns: 0,
    final: true,
  });
});

describe("opens that fail", () => {
  it("are told where they were refused, were to write, or were for a sensitive path", () => {
    const told = of("file.open-failed").map(
      ({ path, access, create, sensitive, errno }) =>
        `${path} ${access}${create === true ? " create" : ""}${sensitive === true ? " sensitive" : ""} ${errno}`,
    );
    expect(counted(told)).toEqual({
      "link read ELOOP": TIMES,
      "sealed/new write create EROFS": TIMES,
      "sealed/other write create EROFS": TIMES,
      "not-there write ENOENT": TIMES,
      [`${run.place} read-write EISDIR`]: TIMES,
      "/etc/shadow read sensitive EACCES": TIMES,
      "missing/id_rsa read sensitive ENOENT": TIMES,
      "/nowhere/.env read sensitive ENOENT": TIMES,
    });
  });

  it("leave out look-ups for libraries before they reach the reader", () => {
    const names = run.records.flatMap((record) => (record.kind === "open-failed" ? record.path.name.toString() : []));
    expect(names.filter((name) => name.startsWith("/usr/"))).toEqual([]);
  });
});

it("times that are set, and room that is reserved, are told as they were asked for", () => {
  const dated = of("file.utime").map(
    ({ path, accessed, modified, errno }) => `${path} ${accessed} ${modified} ${errno}`,
  );
  expect(counted(dated)).toEqual({
    "dated as it was 2001-09-09T01:46:40.123456789Z undefined": TIMES,
    "dated now now undefined": TIMES,
    "dated 1970-01-01T00:00:01.000002000Z 1970-01-01T00:00:03.000004000Z undefined": TIMES,
    "dated 1970-01-01T00:00:05.000000000Z 1969-12-31T23:59:54.000000000Z undefined": TIMES,
    "never-there now now ENOENT": TIMES,
  });
  expect(of("file.allocate")).toHaveLength(TIMES);
  expect(of("file.allocate")[0]).toMatchObject({ modes: ["keep-size"], offset: 4096, length: 8192 });
});

it("the last close is told when an exec, the end of a process with threads, or a mapping hides it", () => {
  const closed = of("file.close-write").map(
    ({ path, size, still_mapped: mapped }) => `${path} ${size}${mapped === true ? " mapped" : ""}`,
  );
  expect(counted(closed.filter((text) => !text.includes("dated")))).toEqual({
    "closed-by-threads 4": TIMES,
    "closed-early 1": TIMES,
    "closed-by-exec 7": TIMES,
    "kept-by-exec 2": TIMES,
    "still-open 1": TIMES,
    "mapped-file 4096 mapped": TIMES,
    "passed 0": 1,
  });
});

it("a connect that signals interrupt and the kernel makes anew is one", () => {
  const results = run.records.flatMap((record) => (record.kind === "connect" ? record.result : []));
  expect(results.filter((result) => result === ERESTARTSYS).length).toBeGreaterThan(0);
  expect(counted(of("net.connect").map(({ remote, outcome }) => `${remote} ${outcome}`))).toEqual({
    "127.0.0.1:18090 connected": INTERRUPTED,
    "127.0.0.1:18090 refused": INTERRUPTED,
  });
});

it("a descriptor that is passed is told by who sends it and by who receives it", () => {
  const passed = of("net.descriptor").map(({ direction, object, transport }) => {
    const what = object.replace(/\d+$/, "#");
    return `${direction} ${what} ${transport}`;
  });
  expect(counted(passed)).toEqual({
    "sent passed unix": TIMES,
    "sent socket:# unix": TIMES,
    "received passed unix": TIMES,
    "received socket:# unix": TIMES,
  });
});

it("standard input and output of a program are told, so that a pipe joins two", () => {
  const stdio = (word: string): (string[] | undefined)[] =>
    of("process.exec")
      .filter(({ argv }) => argv[1] === word)
      .map((exec) => exec.stdio);
  const [writers, readers] = [stdio("writer"), stdio("reader")];
  expect(writers).toHaveLength(TIMES);
  for (const [index, writer] of writers.entries()) {
    expect(writer?.[0]).toBe("closed");
    expect(writer?.[1]).toMatch(/^pipe:\d+$/);
    expect(readers[index]?.[0]).toBe(writer?.[1]);
    expect(readers[index]?.[2]).toBe("null");
  }
  expect(new Set(writers.map((writer) => writer?.[1])).size).toBe(TIMES);
});
