import { describe, expect, it } from "vitest";
import { network, processTree } from "../../schema/observations.ts";
import { EventConnectionList } from "./connection-list.ts";
import { EventProcessList } from "./process-list.ts";
import { exec, head, inet, socketCall, tcpState, testBench } from "./test-records.ts";

const HEAD = { schema_version: 1, generated_at: "2026-01-01T00:00:00.000Z" } as const;

describe("process_tree.json", () => {
  it("has an entry for every program that was run, and for a process that only forked", () => {
    const { normaliser, events } = testBench();
    const shell = head(100).process;
    const child = { process: { pid: 200, startNs: 70_000_001 }, parent: shell };
    normaliser.add(exec(["sh", "-c", "x"], { comm: Buffer.from("sh") }));
    normaliser.add({ ...head(200), ...child, kind: "fork" });
    normaliser.add(exec(["a", "b c"], child));
    normaliser.add(exec(["second"], child));
    normaliser.add({ ...head(201), process: { pid: 201, startNs: 5 }, parent: shell, kind: "fork" });
    normaliser.add({ ...head(200), ...child, kind: "exit", code: 3, signal: 0, coreDumped: false });
    normaliser.finish();
    const list = new EventProcessList();
    for (const event of events) list.apply(event);
    const tree = processTree.parse({ ...HEAD, ...list.result() });
    expect(tree.truncated).toBe(false);
    expect(
      tree.processes.map(({ pid, ppid, args, exit_code, survivor }) => [pid, ppid, args, exit_code, survivor]),
    ).toEqual([
      ["100", "1", "sh -c x", undefined, true],
      ["200", "100", "a b c", undefined, undefined],
      ["200", "100", "second", 3, undefined],
      ["201", "100", "sh -c x", undefined, true],
    ]);
    expect(tree.processes[1]).toMatchObject({
      argv: ["a", "b c"],
      start_time: "7",
      process: "200-70000001",
      cwd: "/workspace",
    });
    expect(tree.processes.map(({ copy_of_parent }) => copy_of_parent)).toEqual([undefined, undefined, undefined, true]);
  });

  it("keeps who lived at each look", () => {
    const { normaliser, events } = testBench();
    const list = new EventProcessList();
    normaliser.add(exec(["a"]));
    for (const event of events) list.apply(event);
    list.snapshot(Date.parse("2026-01-01T00:00:01Z"));
    normaliser.add({ ...head(), kind: "exit", code: 0, signal: 0, coreDumped: false });
    for (const event of events.slice(1)) list.apply(event);
    list.snapshot(Date.parse("2026-01-01T00:00:02Z"));
    const { snapshots, snapshot_count, processes } = list.result();
    expect(snapshot_count).toBe(2);
    expect(snapshots.map((one) => one.processes.map(({ args }) => args))).toEqual([["a"], []]);
    expect(processes[0]).toMatchObject({ samples: 1, exit_code: 0, exit_signal: null });
  });

  it("is bounded and says so", () => {
    const list = new EventProcessList();
    const { normaliser, events } = testBench();
    normaliser.add(exec(["a"]));
    const [event] = events;
    if (event?.kind !== "process.exec") throw new Error("no exec");
    for (let pid = 0; pid < 20_010; pid++) list.apply({ ...event, process: `${pid}-1` });
    expect(list.result().processes.length).toBe(20_000);
    expect(list.result().truncated).toBe(true);
  });
});

describe("network.json", () => {
  it("has an entry for every connection, listening socket and partner", () => {
    const { normaliser, events } = testBench();
    const peer = inet("127.0.0.1", 80);
    normaliser.add(socketCall("listen", peer, 0, { socket: "server" }));
    normaliser.add(tcpState(2, 1));
    normaliser.add(socketCall("connect", peer, 0));
    normaliser.add(socketCall("accept", inet("127.0.0.1", 40_000), 5, { socket: "served" }));
    normaliser.add(socketCall("accept", peer, -11, { socket: "server" }));
    normaliser.add(tcpState(4, 7, { bytesSent: 3, bytesReceived: 4 }));
    normaliser.add(socketCall("connect", peer, -111, { socket: "no" }));
    const datagram = { payload: Buffer.alloc(0), messages: 1, result: 5, sizeBytes: 5, type: 2, protocol: 17 };
    for (const direction of ["sent", "sent", "received"] as const)
      normaliser.add({
        kind: "datagram",
        ...head(),
        socket: "u",
        remote: inet("192.0.2.1", 9),
        direction,
        ...datagram,
      });
    const list = new EventConnectionList();
    for (const event of events) list.apply(event);
    const net = network.parse({ ...HEAD, ...list.result() });
    expect(
      net.connections.map(({ proto, state, remote, role, outcome, direction, bytes_sent, bytes_received }) =>
        [proto, state, remote, role, outcome, direction, bytes_sent, bytes_received]
          .map((value) => value ?? "-")
          .join(" "),
      ),
    ).toEqual([
      "tcp LISTEN  loopback - - - -",
      "tcp ESTABLISHED 127.0.0.1:80 loopback connected out 3 4",
      "tcp ESTABLISHED 127.0.0.1:40000 loopback - in - -",
      "tcp CLOSE 127.0.0.1:80 loopback refused out - -",
      "udp UNCONNECTED 192.0.2.1:9 external - - 10 5",
    ]);
    expect(net.connections[1]).toMatchObject({ local: "127.0.0.1:40000", pids: ["100"], process: "100-100000000" });
  });
});
