import { afterAll, beforeAll, expect, it } from "vitest";
import type { SocketAddress } from "../../src/sensors/kernel/record.ts";
import { buildSensor, type ObservedRun, observe, ofKind, Workload } from "../support/sensor-workload.ts";

let workload: Workload;
let run: ObservedRun;

beforeAll(async () => {
  buildSensor();
  workload = new Workload();
  const cases = { tcp: 1000, tcp6: 50, unix: 50, refused: 200, dns: 200, datagrams: 100, families: 3 };
  run = await observe(workload, cases);
});

afterAll(() => workload.remove());

function endpoint({ family, raw }: SocketAddress): string {
  if (family === 2) return `${[...raw.subarray(4, 8)].join(".")}:${raw.readUInt16BE(2)}`;
  if (family === 10) return `[${raw.subarray(8, 24).toString("hex")}]:${raw.readUInt16BE(2)}`;
  const path = raw.subarray(2).toString("latin1");
  return path.includes("\0") ? path.slice(0, path.indexOf("\0")) : path;
}

const LOOPBACK6 = `[${"0".repeat(31)}1]:18080`;

function connectsTo(address: string, result: number): number {
  return ofKind(run.records, "connect").filter((call) => endpoint(call.address) === address && call.result === result)
    .length;
}

it("every connect is seen with its result, over IPv4, IPv6 and unix sockets", () => {
  expect(run.worked).toMatchObject({ tcp: [1000, 1000], refused: [200, 200], dns: [200, 200], unix: [50, 50] });
  expect(connectsTo("127.0.0.1:18080", 0)).toBe(1000);
  expect(connectsTo(LOOPBACK6, 0)).toBe(50);
  expect(connectsTo("talk.sock", 0)).toBe(50);
  expect(connectsTo("127.0.0.1:18081", -111)).toBe(200);
  expect(run.end).toEqual({ faults: 0, failure: undefined });
  expect(ofKind(run.records, "counters").at(-1)?.lost).toEqual({ process: 0, file: 0, network: 0, security: 0 });
});

it("bind, listen and accept carry their addresses", () => {
  const address = (kind: "bind" | "listen"): string[] =>
    ofKind(run.records, kind).map((call) => endpoint(call.address));
  expect(address("bind")).toEqual(["127.0.0.1:18080", LOOPBACK6, "talk.sock", "127.0.0.1:53"]);
  expect(address("listen")).toEqual(["127.0.0.1:18080", LOOPBACK6, "talk.sock"]);
  const accepted = ofKind(run.records, "accept");
  expect(accepted).toHaveLength(1100);
  const peers = new Set(ofKind(run.records, "tcp-state").map(({ local }) => endpoint(local)));
  const unknown = accepted.filter(
    ({ address, result }) => result >= 0 && address.family !== 1 && !peers.has(endpoint(address)),
  );
  expect(unknown).toEqual([]);
});

it("a TCP connection is told when it comes up and goes down, with the bytes of both directions", () => {
  const states = ofKind(run.records, "tcp-state");
  expect(states.filter(({ from, to }) => from === 2 && to === 1)).toHaveLength(1050);
  const down = states.filter(({ from, to }) => to === 7 && from !== 2);
  const clients = down.filter(({ remote }) => remote.raw.readUInt16BE(2) === 18_080);
  const servers = down.filter(({ local }) => local.raw.readUInt16BE(2) === 18_080);
  expect(clients).toHaveLength(1050);
  expect(servers).toHaveLength(1050);
  for (const { bytesReceived, bytesSent } of clients) expect([bytesSent, bytesReceived]).toEqual([4, 5]);
  for (const { bytesReceived, bytesSent } of servers) expect([bytesSent, bytesReceived]).toEqual([5, 4]);
  const refused = states.filter(({ from, to }) => from === 2 && to === 7);
  expect(refused.map(({ error }) => error)).toEqual(Array.from({ length: 200 }, () => 111));
});

it("the records of one connection have the same socket", () => {
  const up = ofKind(run.records, "tcp-state").filter(({ from }) => from === 2);
  const connects = ofKind(run.records, "connect").filter(({ protocol }) => protocol === 6);
  expect(up.map(({ socket }) => socket)).toEqual(connects.map(({ socket }) => socket));
});

it("every DNS question and answer is seen, however it was sent and received", () => {
  const datagrams = ofKind(run.records, "datagram");
  const names = (direction: string, answers: number): string[] =>
    datagrams
      .filter(({ payload, ...rest }) => rest.direction === direction && payload.length > 12 && payload[7] === answers)
      .map(({ payload }) => payload.subarray(13, 13 + (payload[12] ?? 0)).toString())
      .sort();
  const wanted = Array.from({ length: 200 }, (_, index) => `host${index}`).sort();
  expect(names("sent", 0)).toEqual(wanted);
  expect(names("received", 1)).toEqual(wanted);
});

it("each datagram of one sendmmsg has its own destination", () => {
  const others = ofKind(run.records, "datagram").filter(
    ({ remote }) => remote.raw.length > 4 && remote.raw.readUInt16BE(2) >= 20_000,
  );
  const sent = others.filter(({ direction, payload }) => direction === "sent" && payload.length === 0);
  expect(sent.map(({ remote, sizeBytes }) => `${endpoint(remote)} ${sizeBytes}`)).toEqual(
    Array.from({ length: 100 }, (_, index) => `127.0.0.1:${20_000 + index} 5`),
  );
});

it("sockets of other families and raw ones are told when they are made", () => {
  const made = ofKind(run.records, "socket").map(({ family, type }) => `${family} ${type}`);
  expect(made).toEqual(["40 1", "17 3", "2 3", "40 1", "17 3", "2 3", "40 1", "17 3", "2 3"]);
});
