import { describe, expect, it } from "vitest";
import { readProc } from "./proc-file.ts";
import { formatElapsed, parseCmdline, parsePids, parseProcStat, parseProcStatus } from "./proc-parse.ts";

const stat = (name: string | Buffer): Buffer =>
  Buffer.concat([
    Buffer.from("42 ("),
    Buffer.from(name),
    Buffer.from(`) S 17 40 41 ${Array.from({ length: 46 }, (_, index) => 100 + index).join(" ")}\n`),
  ]);

describe("/proc/PID/stat", () => {
  it("survives a name made of brackets, blanks and line breaks", () => {
    const name = "a) b)\n (x) R 1 1";
    expect(parseProcStat(stat(name))).toEqual({
      comm: name,
      state: "S",
      ppid: 17,
      session: 41,
      startTime: "115",
      argStart: "141",
    });
  });
  it("shows bytes that are no text as U+FFFD", () => {
    expect(parseProcStat(stat(Buffer.from([0x61, 0xff])))?.comm).toBe("a\ufffd");
  });
  it("is undefined for anything else", () => {
    for (const text of ["", "42", "42 (x", ") ("]) expect(parseProcStat(Buffer.from(text))).toBeUndefined();
  });
  it("reads this process", () => {
    const content = readProc(`/proc/${process.pid}/stat`);
    expect(content && parseProcStat(content)).toMatchObject({ ppid: process.ppid });
  });
});

describe("/proc/PID/status", () => {
  it("tells the pid inside and the user", () => {
    const text = "Name:\ta\\nNSpid:\t1\t2\nUid:\t10001\t0\t0\t0\nNSpid:\t4711\t1\n";
    expect(parseProcStatus(Buffer.from(text))).toEqual({ containerPid: 1, uid: 10001 });
  });
  it("knows no pid inside for a process of the host", () => {
    expect(parseProcStatus(Buffer.from("Uid:\t0\nNSpid:\t4711\n"))).toEqual({ containerPid: null, uid: 0 });
  });
});

describe("command lines", () => {
  it("keep empty arguments and line breaks", () => {
    expect(parseCmdline(Buffer.from("sh\0-c\0a\nb\0\0"))).toEqual(["sh", "-c", "a\nb", ""]);
  });
  it("may be empty or written over by the process", () => {
    expect(parseCmdline(Buffer.alloc(0))).toEqual([]);
    expect(parseCmdline(Buffer.from("a title"))).toEqual(["a title"]);
  });
});

it("pids stand one a line", () => {
  expect(parsePids(Buffer.from("1\n22\n333"))).toEqual([1, 22, 333]);
  expect(parsePids(Buffer.from("0\n"))).toEqual([]);
});

it("times are written as ps does", () => {
  expect([5, 65, 3725, 90_061, -1].map(formatElapsed)).toEqual(["00:05", "01:05", "01:02:05", "1-01:01:01", "00:00"]);
});
