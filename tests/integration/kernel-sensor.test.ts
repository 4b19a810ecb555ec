import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CountersRecord, KernelRecord } from "../../src/sensors/kernel/record.ts";
import { buildSensor, type ObservedRun, observe, ofKind, strings, Workload } from "../support/sensor-workload.ts";

let workload: Workload;

beforeAll(() => {
  buildSensor();
  workload = new Workload();
});

afterAll(() => workload.remove());

function finalCounters(records: readonly KernelRecord[]): CountersRecord | undefined {
  return ofKind(records, "counters").find(({ final }) => final);
}

/** Every number once, in the end without a hole, and as many as the kernel side says it made. */
function expectNothingLost({ records, end, worked }: ObservedRun): void {
  expect(end).toEqual({ faults: 0, failure: undefined });
  for (const [name, [done, wanted]] of Object.entries(worked)) expect([name, done]).toEqual([name, wanted]);
  const numbers = records.flatMap((record) => ("seq" in record ? [record.seq] : [])).sort((a, b) => a - b);
  expect(numbers).toEqual(numbers.map((_, index) => index));
  const counters = finalCounters(records);
  expect(counters).toMatchObject({
    lost: { process: 0, file: 0, network: 0, security: 0 },
    untracked: 0,
    missedRuns: 0,
  });
  const emitted = Object.values(counters?.emitted ?? {}).reduce((sum, count) => sum + count, 0);
  expect(numbers).toHaveLength(emitted);
}

/** How often each tag NAME=NUMBER was executed. */
function tagged(records: readonly KernelRecord[], name: string): string[] {
  return ofKind(records, "exec")
    .map(({ args }) => strings(args)[1] ?? "")
    .filter((word) => word.startsWith(`${name}=`));
}

function expectTags(records: readonly KernelRecord[], name: string, times: number): void {
  const wanted = Array.from({ length: times }, (_, index) => `${name}=${index}`);
  expect(tagged(records, name).sort()).toEqual(wanted.sort());
}

describe("processes", () => {
  let run: ObservedRun;

  beforeAll(async () => {
    const cases = { exec: 1000, fork: 50, daemon: 50, memfd: 50, nested: 50, "exec-failed": 50 };
    run = await observe(workload, { ...cases, thread: 20, leader: 20, signals: 20, large: 5, script: 20 });
  });

  it("every exec is seen, with exactly its arguments, and nothing is lost", () => {
    expectNothingLost(run);
    expectTags(run.records, "exec", 1000);
    const first = ofKind(run.records, "exec").find(({ args }) => strings(args)[1] === "exec=0");
    expect(first?.args.toString("latin1")).toBe("/bin/true\0exec=0\0\0a\nb\0\xff\0");
    expect(first?.argsBytes).toBe(first?.args.length);
    expect(first?.filename.toString()).toBe("/bin/true");
    expect(first?.file.path.name.toString()).toMatch(/\/bin\/true$/);
    expect(first?.cwd.name.toString()).toBe(run.place);
  });

  it("daemons, memfds, nested namespaces and threads that become programs are followed", () => {
    for (const [name, times] of Object.entries({ daemon: 50, memfd: 50, nested: 50, thread: 20 })) {
      expectTags(run.records, name, times);
    }
    const hidden = ofKind(run.records, "exec").filter(({ memfd }) => memfd);
    expect(hidden).toHaveLength(50);
    expect(hidden[0]?.file.path.name.toString()).toBe("memfd:hidden");
  });

  it("each process that began has one end, with its code or signal", () => {
    const ends = new Map(
      ofKind(run.records, "exit").map((exit) => [`${exit.process.pid} ${exit.process.startNs}`, exit]),
    );
    const forks = ofKind(run.records, "fork").map(({ process: { pid, startNs } }) => `${pid} ${startNs}`);
    expect(new Set(forks).size).toBe(forks.length);
    expect(forks.filter((key) => !ends.has(key))).toEqual([]);
    // The workload itself was there before it was watched.
    expect(ofKind(run.records, "exit")).toHaveLength(forks.length + 1);
    const codes = (code: number, signal: number): number =>
      [...ends.values()].filter((exit) => exit.code === code && exit.signal === signal).length;
    expect(codes(42, 0)).toBe(50);
    expect(codes(7, 0)).toBe(20);
    expect(codes(0, 9)).toBe(10);
    expect(codes(0, 11)).toBe(10);
  });

  it("an exec that fails says what and why", () => {
    const failed = ofKind(run.records, "exec-failed");
    expect(failed.filter(({ errno }) => errno === 2)).toHaveLength(50);
    expect(failed.filter(({ errno }) => errno === 13)).toHaveLength(50);
    expect(failed[0]?.path).toMatchObject({ base: Buffer.from(run.place), name: Buffer.from("./not-there") });
    expect(failed[1]?.path.name.toString()).toBe("/etc/passwd");
  });

  it("100,000 bytes of arguments are whole, and of the environment the start and the length", () => {
    const large = ofKind(run.records, "exec").filter(({ args }) => args.subarray(0, 6).toString() === "large\0");
    expect(large).toHaveLength(5);
    expect(large[0]).toMatchObject({ argsBytes: 100_007, envBytes: 100_009 });
    expect(large[0]?.args.equals(Buffer.from(`large\0${"a".repeat(100_000)}\0`))).toBe(true);
    expect(large[0]?.env.toString()).toBe(`FIRST=1\0X=${"b".repeat(65_526)}`);
  });

  it("a script is told with its interpreter", () => {
    const scripts = ofKind(run.records, "exec").filter(({ interpreter }) => interpreter.length > 0);
    expect(scripts).toHaveLength(20);
    expect(scripts[0]?.filename.toString()).toBe("./script.sh");
    expect(scripts[0]?.interpreter.toString()).toBe("/bin/sh");
  });

  it("nothing is told of processes outside", () => {
    const outside = run.records.filter(
      (record) => "process" in record && record.kind !== "canary" && record.containerPid === 0,
    );
    expect(outside).toEqual([]);
    expect(ofKind(run.records, "canary").map(({ at }) => at)).toEqual(["start", "end"]);
  });
});

describe("files", () => {
  let run: ObservedRun;

  beforeAll(async () => {
    const cases = { files: 1000, renames: 500, operations: 20, temporary: 20, mappings: 20, closes: 20, reads: 20 };
    run = await observe(workload, { ...cases, mounts: 5, "odd-names": 1 });
  });

  const inPlace = (name: string): string => `${run.place}/${name}`;
  const count = (operation: string, accept = (_: { result: number; name: string }): boolean => true): number =>
    ofKind(run.records, "path").filter(
      (path) =>
        path.operation === operation && accept({ result: path.result, name: path.path.name.toString("latin1") }),
    ).length;

  it("every file that was made, written and deleted is seen, and nothing is lost", () => {
    expectNothingLost(run);
    const wanted = Array.from({ length: 1000 }, (_, index) => `file-${index}.txt`).sort();
    const names = (paths: readonly string[]): string[] =>
      paths
        .filter((path) => /file-\d+\.txt$/.test(path))
        .map((path) => path.replace(`${run.place}/`, ""))
        .sort();
    const opened = ofKind(run.records, "open").filter(({ created, writable }) => created && writable);
    expect(names(opened.map(({ file }) => file.path.name.toString()))).toEqual(wanted);
    const closed = ofKind(run.records, "close-write").filter(({ file }) => file.size === 6);
    expect(names(closed.map(({ file }) => file.path.name.toString()))).toEqual(wanted);
    const unlinked = ofKind(run.records, "path").filter(
      ({ operation, result }) => operation === "unlink" && result === 0,
    );
    expect(names(unlinked.map(({ path }) => path.name.toString()))).toEqual(wanted);
  });

  it("renames carry both names, an exchange its flag", () => {
    const renames = ofKind(run.records, "path").filter(({ operation }) => operation === "rename");
    const plain = renames.filter(({ path }) => path.name.toString().startsWith("from-"));
    expect(plain.map(({ path, target }) => `${path.name.toString()} ${target?.name.toString()}`)).toEqual(
      Array.from({ length: 500 }, (_, index) => `from-${index} to-${index}`),
    );
    expect(plain[0]?.target?.base?.toString()).toBe(run.place);
    expect(renames.filter(({ argument }) => argument === 2)).toHaveLength(20);
  });

  it("every other call on a name is seen, by descriptor too, and also when it failed", () => {
    for (const [operation, times] of Object.entries({
      link: 20,
      symlink: 20,
      mknod: 20,
      rmdir: 20,
      chmod: 40,
      chown: 40,
    })) {
      expect([operation, count(operation)]).toEqual([operation, times]);
    }
    expect(count("truncate", ({ name }) => name === "one")).toBe(20);
    expect(count("truncate", ({ name }) => name === inPlace("two"))).toBe(20);
    expect(count("unlink", ({ name, result }) => name === "never-there" && result === -2)).toBe(20);
    const noted = ofKind(run.records, "path").filter(({ operation }) => operation.endsWith("xattr"));
    expect(noted.map(({ text }) => text.toString())).toEqual(Array.from({ length: 40 }, () => "user.note"));
    const link = ofKind(run.records, "path").find(({ operation }) => operation === "symlink");
    expect(link).toMatchObject({ path: { name: Buffer.from("dir/soft") }, target: { name: Buffer.from("../one") } });
    const chown = ofKind(run.records, "path").find(({ operation }) => operation === "chown");
    expect(chown).toMatchObject({ argument: 1, argument2: 2 });
  });

  it("nameless files, shared mappings and closes without close(2) are seen", () => {
    const nameless = ofKind(run.records, "open").filter(({ file }) => file.links === 0);
    expect(nameless).toHaveLength(20);
    expect(nameless[0]?.created).toBe(true);
    expect(ofKind(run.records, "shared-mapping").map(({ file }) => file.path.name.toString())).toEqual(
      Array.from({ length: 20 }, () => inPlace("mapped")),
    );
    for (const [name, size] of [
      ["exit", 3],
      ["dup", 5],
      ["range", 0],
    ] as const) {
      const closed = ofKind(run.records, "close-write").filter(
        ({ file }) => file.path.name.toString() === inPlace(`closed-by-${name}`),
      );
      expect(closed).toHaveLength(20);
      expect(closed[0]?.file.size).toBe(size);
    }
  });

  it("what is only read is told where it is the user's own, not of the image's programs", () => {
    const reads = ofKind(run.records, "open").filter(({ writable }) => !writable);
    expect(reads.map(({ file }) => file.path.name.toString())).toEqual(Array.from({ length: 20 }, () => "/etc/shadow"));
  });

  it("mounts are seen by the old and the new calls, and files below them", () => {
    const mounts = ofKind(run.records, "path").filter(({ operation }) => operation === "mount");
    const calls = mounts.map(({ call }) => call ?? "mount");
    expect(calls.slice(0, 5)).toEqual(["mount", "fsopen", "fsmount", "move-mount", "open-tree"]);
    expect(mounts[0]).toMatchObject({ text: Buffer.from("tmpfs"), target: { name: Buffer.from("source") } });
    expect(count("umount")).toBe(10);
    const below = ofKind(run.records, "open").filter(
      ({ file }) => file.path.name.toString() === inPlace("mounted/inside"),
    );
    expect(below).toHaveLength(5);
  });

  it("names are bytes, and a path longer than PATH_MAX is whole", () => {
    const names = ofKind(run.records, "open").map(({ file }) => file.path);
    expect(names.some(({ name }) => name.toString("latin1") === inPlace("\xff\xfe\n'\""))).toBe(true);
    const deep = names.find(({ name }) => name.subarray(-5).toString() === "/deep");
    expect(deep?.name.toString()).toBe(`${run.place}${`/${"d".repeat(200)}`.repeat(30)}/deep`);
    expect(deep?.truncated).toBe(false);
  });
});
