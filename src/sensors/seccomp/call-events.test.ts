import { expect, test } from "vitest";
import { captureEvent, type EventBody, type EventKind, type EventOf } from "../../schema/event.ts";
import { BootClock } from "../kernel/boot-clock.ts";
import { CallEvents } from "./call-events.ts";
import { type ListenerLine, listenerLine } from "./line.ts";

const hex = (text: string): string => Buffer.from(text, "latin1").toString("hex");
let nextCall = 1;

function head(pid: number) {
  return {
    t: 5_000_000_000,
    id: nextCall++,
    pid,
    start: pid * 10_000_000,
    ppid: 1,
    pstart: 10_000_000,
    cpid: pid - 90,
    uid: 10_001,
    comm: hex("sh"),
  };
}

const FILE = { ino: 42, major: 8, minor: 1, mode: 0o100755, size: 7, links: 1 };

function bench() {
  const events: EventBody[] = [];
  const calls = new CallEvents({
    clock: new BootClock(1_000_000),
    emit: (event) => events.push(event) - 1,
    sensitivePatterns: ["config/**"],
    modelAddress: "127.0.0.1:4100",
  });
  const tell = (line: Record<string, unknown>): void => {
    const read: ListenerLine = listenerLine.parse(JSON.parse(JSON.stringify(line)));
    if (read.k === "found") calls.found(read);
    else if (read.k === "exec" || read.k === "exec-failed" || read.k === "open") calls.add(read);
    else if (read.k === "path" || read.k === "connect" || read.k === "bind") calls.add(read);
  };
  const of = <K extends EventKind>(kind: K): EventOf<K>[] =>
    events.flatMap((event, seq): EventOf<K>[] => {
      const parsed = captureEvent.parse({ seq, ...event });
      return parsed.kind === kind ? [parsed as EventOf<K>] : [];
    });
  return { calls, tell, of };
}

function exec(pid: number, argv: readonly string[], more: Record<string, unknown> = {}) {
  const args = argv.map((word) => `${word}\0`).join("");
  return {
    k: "exec",
    ...head(pid),
    ...FILE,
    path: hex(argv[0] ?? ""),
    args: hex(args),
    args_bytes: args.length,
    env: hex("MAS_CALL_ID=call_1\0"),
    env_bytes: 19,
    cwd: hex("/workspace"),
    gid: 10_001,
    exe: hex("/usr/bin/bash"),
    ...more,
  };
}

test("an exec is an attempt with the very arguments, its mark, and where it came from", () => {
  const { tell, of } = bench();
  tell(exec(100, ["/bin/bash", "-c", 'echo "\xff"']));
  expect(of("process.exec")).toMatchObject([
    {
      source: "seccomp",
      attempted: true,
      process: "100-1000000000",
      parent: "1-10000000",
      container_pid: 10,
      comm: "bash",
      exe: "/usr/bin/bash",
      filename: "/bin/bash",
      cwd: "/workspace",
      argv: ["/bin/bash", "-c", 'echo "\ufffd"'],
      call_id: "call_1",
    },
  ]);
  expect(of("process.exec")[0]?.argv_b64?.[2]).toBe(Buffer.from('echo "\xff"', "latin1").toString("base64"));
});

test("a script has the arguments that its interpreter gets", () => {
  const { tell, of } = bench();
  const script = { path: hex("./run.py"), path_base: hex("/workspace"), interpreter: hex("/usr/bin/env") };
  tell(exec(100, ["./run.py", "x"], { ...script, option: hex("python3 -u"), exe: hex("/usr/bin/env") }));
  expect(of("process.exec")).toMatchObject([
    { argv: ["/usr/bin/env", "python3 -u", "./run.py", "x"], script: "/workspace/run.py", interpreter: "/usr/bin/env" },
  ]);
});

test("an open that will make the file has no identity yet; names are as the container sees them", () => {
  const { tell, of } = bench();
  const place = { path: hex("../etc/a"), path_base: hex("/workspace/config/x") };
  tell({
    k: "open",
    ...head(100),
    path: hex("config/k"),
    path_base: hex("/workspace"),
    flags: 0o1101,
    new_mode: 0o640,
  });
  tell({ k: "open", ...head(100), ...FILE, ...place, flags: 0o1001 });
  expect(of("file.open")).toMatchObject([
    { path: "/workspace/config/k", created: true, inode: 0, mode: "100640", access: "write", sensitive: true },
    { path: "/workspace/config/etc/a", emptied: true, inode: 42, device: "8:1", attempted: true },
  ]);
});

test("a rename has both names, and a connect its far end without an outcome", () => {
  const { tell, of } = bench();
  const names = { path: hex("a"), path_base: hex("/workspace"), target: hex("/tmp/b") };
  tell({ k: "path", ...head(100), ...names, op: "rename", arg: 1, arg2: 0 });
  const address = Buffer.from([2, 0, 16, 4, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]).toString("hex");
  tell({ k: "connect", ...head(100), address, socket: 77, type: 1, protocol: 6 });
  expect(of("file.rename")).toMatchObject([{ path: "/workspace/a", to: "/tmp/b", flags: ["noreplace"] }]);
  expect(of("net.connect")).toMatchObject([
    { remote: "127.0.0.1:4100", role: "model-gateway", outcome: "in-progress", transport: "tcp", attempted: true },
  ]);
});

test("a call that two workers tell of is one event", () => {
  const { tell, of } = bench();
  const line = exec(100, ["/bin/true"]);
  tell(line);
  tell(line);
  tell({ ...line, id: line.id + 1000 });
  expect(of("process.exec").length).toBe(2);
});

test("a process is found once, and gone when it is no longer listed or its pid has a new owner", () => {
  const { calls, tell, of } = bench();
  const found = { k: "found", ...head(300), exe: hex("/bin/sh"), cwd: "", args: hex("sh\0") };
  tell(exec(100, ["/bin/bash"]));
  tell(found);
  tell(found);
  expect(of("process.found")).toMatchObject([
    { process: "300-3000000000", cwd: null, argv: ["sh"], source: "seccomp" },
  ]);
  calls.look([100, 300]);
  expect(of("process.gone")).toEqual([]);
  calls.look([100]);
  tell(exec(100, ["/bin/other"], { start: 7_000_000_000 }));
  expect(of("process.gone").map(({ process }) => process)).toEqual(["300-3000000000", "100-1000000000"]);
});

test("before the agent's first program nothing is looked at: it is the runtime that runs", () => {
  const { calls, of } = bench();
  calls.look([process.pid]);
  calls.look([process.pid]);
  expect(of("process.found")).toEqual([]);
});
