import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { block, bytes, exec, file, head, testBench } from "./test-records.ts";

const LATIN = Buffer.from([0x66, 0xff]);

function hash(value: string): string {
  return createHmac("sha256", Buffer.alloc(32, 1)).update(value).digest("hex").slice(0, 16);
}

describe("exec", () => {
  it("keeps every argument: empty ones, line breaks, and bytes that are not UTF-8", () => {
    const { normaliser, of } = testBench();
    normaliser.add(exec(["prog", "", "a\nb", LATIN, ""]));
    normaliser.add(exec(["prog", ""]));
    const [first, second] = of("process.exec");
    expect(first?.argv).toEqual(["prog", "", "a\nb", "f\uFFFD", ""]);
    expect(first?.argv_b64?.map((text) => Buffer.from(text, "base64"))).toEqual(
      ["prog", "", "a\nb", LATIN, ""].map((part) => Buffer.from(part)),
    );
    expect(first).toMatchObject({
      argv_bytes: 14,
      exe: "/usr/bin/true",
      cwd: "/workspace",
      device: "8:1",
      mode: "100644",
    });
    expect(first?.truncated).toBeUndefined();
    expect(second).toMatchObject({ argv: ["prog", ""] });
    expect(second?.argv_b64).toBeUndefined();
  });

  it("says of cut arguments how long they were", () => {
    const { normaliser, of } = testBench();
    normaliser.add(exec([], { args: Buffer.from("prog\0aaa"), argsBytes: 200_000 }));
    expect(of("process.exec")[0]).toMatchObject({ argv: ["prog", "aaa"], argv_bytes: 200_000, truncated: true });
  });

  it("has hashes of values and never a value, and the name of the tool call", () => {
    const { normaliser, events, of } = testBench();
    normaliser.add(exec(["a"], { env: block("TOKEN=geheim-4711", "OTHER=geheim-4711", "MAS_CALL_ID=call_7", "x") }));
    const [event] = of("process.exec");
    expect(event?.env).toEqual({
      TOKEN: hash("geheim-4711"),
      OTHER: hash("geheim-4711"),
      MAS_CALL_ID: hash("call_7"),
      x: hash(""),
    });
    expect(event?.call_id).toBe("call_7");
    expect(JSON.stringify(events)).not.toContain("geheim");
  });

  it("writes only what differs from the environment that the process came with", () => {
    const { normaliser, of } = testBench();
    normaliser.add(exec(["a"], { env: block("A=1", "B=2", "C=3") }));
    const child = { process: { pid: 200, startNs: 9 }, parent: head().process };
    normaliser.add({ ...head(200), ...child, kind: "fork" });
    normaliser.add(exec(["b"], { ...child, env: block("A=1", "B=5", "D=4") }));
    const [first, second] = of("process.exec");
    expect(second?.env_base).toBe(first?.seq);
    expect(second?.env_set).toEqual({ B: hash("5"), D: hash("4") });
    expect(second?.env_unset).toEqual(["C"]);
    expect(second?.env).toBeUndefined();
  });

  it("does not hash a value whose end is missing", () => {
    const { normaliser, of } = testBench();
    normaliser.add(exec(["a"], { env: Buffer.from("A=1\0B=12"), envBytes: 5000 }));
    const [event] = of("process.exec");
    expect(event?.env).toEqual({ A: hash("1") });
    expect(event).toMatchObject({ env_bytes: 5000, env_truncated: true });
  });

  it("tells of scripts, of programs in memory, and of programs made in this run", () => {
    const { normaliser, of } = testBench();
    const script = { filename: bytes("./x.sh"), interpreter: bytes("/bin/sh"), file: file("/usr/bin/dash") };
    normaliser.add(exec(["sh", "./x.sh"], script));
    normaliser.add(exec(["e"], { memfd: true, file: file("memfd:e", { links: 0 }), filename: bytes("/dev/fd/5") }));
    const made = file("/tmp/made", { inode: 99 });
    normaliser.add({ kind: "open", ...head(), file: made, flags: 0o102, created: true, writable: true });
    normaliser.add(exec(["/tmp/made"], { file: made, filename: bytes("/tmp/made") }));
    const [first, second, third] = of("process.exec");
    expect(first).toMatchObject({ exe: "/usr/bin/dash", script: "/workspace/x.sh", interpreter: "/bin/sh" });
    expect(second).toMatchObject({ memfd: true, exe: "memfd:e", filename: "/dev/fd/5", links: 0 });
    expect(second?.written_in_run).toBeUndefined();
    expect(third?.written_in_run).toBe(true);
    expect(third?.filename).toBeUndefined();
  });

  it("names the error of one that failed", () => {
    const { normaliser, of } = testBench();
    const path = { base: bytes("/workspace"), name: bytes("../bin/nope"), truncated: false };
    normaliser.add({ kind: "exec-failed", ...head(), path, errno: 2 });
    expect(of("process.exec-failed")[0]).toMatchObject({ path: "/bin/nope", errno: "ENOENT" });
  });
});

describe("the end of processes", () => {
  it("has code or signal, and tells who survived the first process", () => {
    const { normaliser, of } = testBench();
    normaliser.initPid = 100;
    normaliser.add(exec(["init"]));
    for (const pid of [201, 202, 203]) {
      const process = { pid, startNs: pid };
      normaliser.add({ ...head(pid), process, parent: head().process, kind: "fork" });
    }
    const end = (pid: number, startNs: number, more: { code: number; signal: number; coreDumped: boolean }) =>
      normaliser.add({ ...head(pid), process: { pid, startNs }, kind: "exit", ...more });
    end(201, 201, { code: 42, signal: 0, coreDumped: false });
    end(202, 202, { code: 0, signal: 11, coreDumped: true });
    end(100, head().process.startNs, { code: 0, signal: 0, coreDumped: false });
    end(203, 203, { code: 0, signal: 9, coreDumped: false });
    normaliser.finish();
    expect(of("process.exit").map(({ code, signal, core_dumped }) => [code, signal, core_dumped])).toEqual([
      [42, null, undefined],
      [null, "SIGSEGV", true],
      [0, null, undefined],
      [null, "SIGKILL", undefined],
    ]);
    expect(of("process.survivor").map(({ process, argv }) => [process, argv])).toEqual([["203-203", ["init"]]]);
  });

  it("tells two processes with one pid apart", () => {
    const { normaliser, of } = testBench();
    for (const startNs of [11, 22]) normaliser.add(exec(["a"], { process: { pid: 7, startNs } }));
    expect(of("process.exec").map(({ process }) => process)).toEqual(["7-11", "7-22"]);
  });
});

describe("a sensor that was away", () => {
  const found = (pid: number, startNs: number) => ({
    foundNs: 6_000_000_000,
    key: { pid, startNs },
    parent: { pid: 1, startNs: 0 },
    containerPid: 3,
    uid: 10001,
    comm: "new",
    exe: "/bin/new",
    cwd: "/",
    argv: [bytes("new"), bytes("x")],
  });

  it("tells who is new and who is gone, under the very ids that the kernel side uses", () => {
    const { normaliser, of } = testBench();
    const first = { pid: 300, startNs: 30_000_123 };
    normaliser.add(exec(["old"], { process: first }));
    normaliser.add(exec(["gone"], { process: { pid: 301, startNs: 31_000_456 } }));
    normaliser.resume([found(300, 30_000_000), found(302, 40_000_000), found(303, 50_000_000)]);
    normaliser.add({
      ...head(302),
      process: { pid: 302, startNs: 40_009_999 },
      kind: "exit",
      code: 0,
      signal: 0,
      coreDumped: false,
    });
    normaliser.finish();
    expect(of("process.gone").map(({ process }) => process)).toEqual(["301-31000456"]);
    expect(of("process.found").map(({ process, argv, source }) => [process, argv, source])).toEqual([
      ["302-40009999", ["new", "x"], "supervisor"],
      ["303-50000000", ["new", "x"], "supervisor"],
    ]);
  });
});

it("names what the security records mean", () => {
  const { normaliser, of } = testBench();
  normaliser.add({ kind: "namespace", ...head(), call: "unshare", flags: 0x1002_0000, result: -1 });
  normaliser.add({ kind: "reach", ...head(), call: "kill", request: 9, targetPid: 5, result: 0 });
  normaliser.add({ kind: "reach", ...head(), call: "ptrace", request: 16, targetPid: 5, result: -1 });
  normaliser.add({ kind: "credentials", ...head(), call: "setuid", euid: 0, egid: 0, result: -1 });
  normaliser.add({ kind: "blind-spot", ...head(), interface: "io_uring", number: 425, stage: "attempt", result: -38 });
  expect(of("process.namespace")[0]).toMatchObject({ namespaces: ["mnt", "user"], errno: "EPERM" });
  expect(of("process.reach").map(({ request }) => request)).toEqual(["SIGKILL", "ATTACH"]);
  expect(of("process.credentials")[0]).toMatchObject({ errno: "EPERM", euid: 0 });
  expect(of("blind-spot")[0]).toMatchObject({ interface: "io_uring", errno: "ENOSYS", stage: "attempt" });
});
