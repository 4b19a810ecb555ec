import { expect, test } from "vitest";
import { captureEvent } from "../../schema/event.ts";
import type { PacketFlow } from "../../schema/flows.ts";
import type { CrossCheckResult } from "./cross-check.ts";
import { NetworkCheck, type NetworkHoles } from "./network.ts";

type Told = Record<string, unknown> & { kind: string };

const WHOLE: NetworkHoles = { events: null, packets: null };

function connect(remote: string, outcome: string, more: object = {}): Told {
  return { kind: "net.connect", transport: "tcp", remote, role: "loopback", outcome, ...more };
}

function sent(remote: string, more: object = {}): Told {
  const rest = { role: "loopback", direction: "sent", size_bytes: 3, ...more };
  return { kind: "net.datagram", transport: "udp", remote, ...rest };
}

function flow(number: number, from: string, to: string, more: Partial<PacketFlow> = {}): PacketFlow {
  const time = "2026-11-23T00:00:00.000Z";
  const none = { packets: 0, bytes: 0 };
  const rest = { interface: "lo", first_at: time, last_at: time, forward: { packets: 1, bytes: 1 }, back: none };
  return { flow: number, transport: "tcp", from, to, ...rest, ...more };
}

function checked(
  told: readonly Told[],
  flows: PacketFlow[] | undefined,
  holes = WHOLE,
): Record<string, CrossCheckResult> {
  const check = new NetworkCheck();
  for (const [seq, one] of told.entries()) {
    const head = { seq, mono_ns: seq, time: "2026-11-23T00:00:00.000Z", source: "kernel", process: "1-1" };
    check.add(captureEvent.parse({ ...head, connection: 1, ...one }));
  }
  const results = check.results(flows && { flows }, holes);
  return Object.fromEntries(results.map((one) => [one.check, one]));
}

test("each connect has its flow, and each flow its connect", () => {
  const found = checked(
    [
      connect("127.0.0.1:80", "connected", { local: "127.0.0.1:1000" }),
      connect("127.0.0.1:80", "refused"),
      connect("[::ffff:127.0.0.1]:81", "connected", { transport: "tcp6", local: "[::ffff:127.0.0.1]:1002" }),
      connect("0.0.0.0:82", "connected"),
      connect("192.0.2.1:443", "unreachable", { errno: "ENETUNREACH" }),
      { kind: "net.connect", transport: "unix", remote: "@x", role: "unix", outcome: "connected" },
      sent("127.0.0.1:53"),
    ],
    [
      flow(0, "127.0.0.1:1001", "127.0.0.1:80", { opening: "refused" }),
      flow(1, "127.0.0.1:1000", "127.0.0.1:80"),
      flow(2, "127.0.0.1:1002", "127.0.0.1:81"),
      flow(3, "127.0.0.1:1003", "127.0.0.1:82"),
      flow(4, "127.0.0.1:1004", "127.0.0.1:53", { transport: "udp" }),
    ],
  );
  expect(found["flows"]).toMatchObject({ compared: 5, matched: 5, unmatched: 0, skipped: null });
  expect(found["connects"]).toMatchObject({ compared: 5, matched: 5, unmatched: 0, skipped: null });
});

test("what one witness alone tells of is listed, with where it stands", () => {
  const found = checked(
    [
      connect("127.0.0.1:80", "connected", { local: "127.0.0.1:1000" }),
      connect("127.0.0.1:81", "timeout"),
      sent("127.0.0.9:9"),
    ],
    [flow(0, "127.0.0.1:1000", "127.0.0.1:8080"), flow(1, "127.0.0.1:7", "127.0.0.1:53", { transport: "udp" })],
  );
  expect(found["flows"]?.mismatches).toEqual([
    {
      class: "network",
      kind: "flow-without-connect",
      what: "tcp 127.0.0.1:1000 → 127.0.0.1:8080",
      evidence: ["flow:0"],
    },
    { class: "network", kind: "flow-without-connect", what: "udp 127.0.0.1:7 → 127.0.0.1:53", evidence: ["flow:1"] },
  ]);
  expect(found["connects"]).toMatchObject({ compared: 3, matched: 0, unmatched: 2, explained: { "not-connected": 1 } });
  expect(found["connects"]?.mismatches.map(({ what, evidence }) => [what, evidence])).toEqual([
    ["tcp 127.0.0.1:1000 → 127.0.0.1:80", ["event:0"]],
    ["udp → 127.0.0.9:9", ["event:2"]],
  ]);
});

test("one connect explains one flow, and the one with its own port first", () => {
  const found = checked(
    [connect("127.0.0.1:80", "refused"), connect("127.0.0.1:80", "connected", { local: "127.0.0.1:1000" })],
    [1002, 1001, 1000].map((port, number) => flow(number, `127.0.0.1:${port}`, "127.0.0.1:80")),
  );
  expect(found["flows"]).toMatchObject({ matched: 2, unmatched: 1 });
  expect(found["flows"]?.mismatches.map(({ evidence }) => evidence)).toEqual([["flow:1"]]);
  expect(found["connects"]).toMatchObject({ matched: 2, unmatched: 0 });
});

test("a flow whose beginning was missed may have begun on either side", () => {
  const found = checked(
    [connect("127.0.0.1:80", "connected", { local: "127.0.0.1:1000" }), sent("127.0.0.1:53")],
    [
      flow(0, "127.0.0.1:80", "127.0.0.1:1000", { opening: "not-seen" }),
      flow(1, "127.0.0.1:53", "127.0.0.1:1001", { transport: "udp" }),
      flow(2, "127.0.0.1:80", "127.0.0.1:1002", { opening: "answered" }),
    ],
  );
  expect(found["flows"]?.mismatches.map(({ evidence }) => evidence)).toEqual([["flow:2"]]);
  expect(found["connects"]).toMatchObject({ matched: 2, unmatched: 0 });
});

test("a witness with a hole proves nothing", () => {
  const one = [connect("127.0.0.1:80", "connected")];
  const lone = [flow(0, "127.0.0.1:1000", "127.0.0.1:8080")];
  const events = checked(one, lone, { events: "it was away", packets: null });
  expect(events["flows"]).toMatchObject({ unmatched: 0, skipped: "it was away" });
  expect(events["connects"]).toMatchObject({ unmatched: 1, skipped: null });
  const packets = checked(one, lone, { events: null, packets: "packets were dropped" });
  expect(packets["flows"]).toMatchObject({ unmatched: 1, skipped: null });
  expect(packets["connects"]).toMatchObject({ unmatched: 0, skipped: "packets were dropped" });
  expect(checked(one, undefined)["flows"]).toMatchObject({ compared: 0, skipped: "there is no list of flows" });
});
