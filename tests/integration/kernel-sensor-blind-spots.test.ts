import { afterAll, beforeAll, expect, it } from "vitest";
import { buildSensor, type ObservedRun, observe, ofKind, Workload } from "../support/sensor-workload.ts";

let workload: Workload;
let run: ObservedRun;

beforeAll(async () => {
  buildSensor();
  workload = new Workload();
  const cases = { blind: 10, "io-uring": 10, filtered: 10, compat: 10, credentials: 10, namespaces: 10, reaches: 10 };
  run = await observe(workload, cases);
});

afterAll(() => workload.remove());

function attempts(name: string, accept: (result: number) => boolean): number {
  return ofKind(run.records, "blind-spot").filter(
    (spot) => spot.interface === name && spot.stage === "attempt" && accept(spot.result),
  ).length;
}

it("interfaces that could hide effects are told at each attempt", () => {
  expect(run.end).toEqual({ faults: 0, failure: undefined });
  for (const name of ["perf", "userfaultfd", "memfd", "aio", "open-by-handle"]) {
    expect([name, attempts(name, () => true)]).toEqual([name, 10]);
  }
  expect(attempts("bpf", (result) => result === -22)).toBe(10);
});

it("io_uring is told at its set-up and at each operation", () => {
  expect(run.worked["io-uring"]).toEqual([10, 10]);
  expect(attempts("io_uring", (result) => result >= 0)).toBe(10);
  const submitted = ofKind(run.records, "blind-spot").filter(({ stage }) => stage === "submit");
  expect(submitted.map((spot) => [spot.interface, spot.number])).toEqual(
    Array.from({ length: 10 }, () => ["io_uring", 0]),
  );
});

// The filter answers before tracepoint sys_enter; sys_exit is still passed, with its errno.
it("what a seccomp filter refuses is seen as an attempt with the filter's errno", () => {
  expect(run.worked["filtered"]).toEqual([10, 10]);
  expect(attempts("io_uring", (result) => result === -38)).toBe(10);
  expect(attempts("bpf", (result) => result === -38)).toBe(10);
  const refused = ofKind(run.records, "exec-failed").filter(({ errno }) => errno === 38);
  expect(refused).toHaveLength(10);
  // The kernel never looked at the name, so it may not be in memory: then it says so and names no other file.
  for (const { path } of refused) {
    expect(path.truncated ? path.name.length : path.name.toString()).toBe(path.truncated ? 0 : "/bin/filtered");
  }
});

it("calls by the 32-bit door are told once a process, refused or not", () => {
  expect(attempts("compat-call", (result) => result === -1)).toBe(10);
  expect(attempts("compat-call", (result) => result > 0)).toBe(10);
});

it("credentials and namespaces are told with what they became", () => {
  const calls = ofKind(run.records, "credentials").map(
    ({ call, euid, egid, result }) => `${call} ${euid} ${egid} ${result}`,
  );
  expect(calls.slice(0, 4)).toEqual([
    "setgroups 0 0 0",
    "setgid 0 1234 0",
    "setuid 4321 1234 0",
    "setuid 4321 1234 -1",
  ]);
  expect(calls).toHaveLength(40);
  const entered = ofKind(run.records, "namespace").map(({ call, flags }) => `${call} ${flags.toString(16)}`);
  expect(entered.slice(0, 3)).toEqual(["unshare 4000000", "setns 4000000", "clone-namespace 8000000"]);
  expect(entered).toHaveLength(30);
});

it("reaching into another process is told with its pid in the caller's namespace", () => {
  const reaches = ofKind(run.records, "reach");
  const calls = reaches.slice(0, 7).map(({ call, request }) => `${call} ${request}`);
  expect(calls).toEqual([
    "process_vm_readv 0",
    "process_vm_writev 0",
    "ptrace 16",
    "ptrace 17",
    "pidfd_getfd 0",
    "kill 0",
    "kill 9",
  ]);
  expect(reaches).toHaveLength(70);
  const ended = ofKind(run.records, "exit").filter(({ signal }) => signal === 9);
  expect(ended.map(({ containerPid }) => containerPid)).toEqual([
    ...new Set(reaches.map(({ targetPid }) => targetPid)),
  ]);
});
