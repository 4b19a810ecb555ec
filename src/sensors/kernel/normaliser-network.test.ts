import { encode } from "dns-packet";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDnsMessage } from "./dns-message.ts";
import type { DatagramRecord, SocketAddress } from "./record.ts";
import { formatEndpoint } from "./socket-address.ts";
import { bytes, head, inet, socketCall, tcpState, testBench } from "./test-records.ts";

const ERRNO = { ECONNREFUSED: 111, EINPROGRESS: 115, EALREADY: 114, EISCONN: 106, ETIMEDOUT: 110, ENETUNREACH: 101 };
const PEER = inet("127.0.0.1", 80);

describe("connect", () => {
  it("names the outcome of a call that waited", () => {
    const { normaliser, of } = testBench();
    const results = [0, -ERRNO.ECONNREFUSED, -ERRNO.ETIMEDOUT, -ERRNO.ENETUNREACH, -13];
    for (const [index, result] of results.entries())
      normaliser.add(socketCall("connect", PEER, result, { socket: `s${index}` }));
    expect(of("net.connect").map(({ outcome, errno, connection }) => [outcome, errno, connection])).toEqual([
      ["connected", undefined, 1],
      ["refused", "ECONNREFUSED", 2],
      ["timeout", "ETIMEDOUT", 3],
      ["unreachable", "ENETUNREACH", 4],
      ["failed", "EACCES", 5],
    ]);
  });

  it("waits for the outcome of a call that did not, whichever record comes first", () => {
    const { normaliser, of } = testBench();
    normaliser.add(socketCall("connect", PEER, -ERRNO.EINPROGRESS, { timeNs: 1_000_000 }));
    normaliser.add(socketCall("connect", PEER, -ERRNO.EALREADY));
    expect(of("net.connect")).toEqual([]);
    normaliser.add(tcpState(2, 1, { timeNs: 4_500_000 }));
    normaliser.add(socketCall("connect", PEER, -ERRNO.EISCONN));
    normaliser.add(tcpState(2, 1, { socket: "b2" }));
    normaliser.add(socketCall("connect", PEER, -ERRNO.EINPROGRESS, { socket: "b2" }));
    normaliser.add(tcpState(2, 7, { socket: "c3", error: ERRNO.ECONNREFUSED }));
    normaliser.add(socketCall("connect", PEER, -ERRNO.EINPROGRESS, { socket: "c3" }));
    normaliser.add(socketCall("connect", PEER, -ERRNO.EINPROGRESS, { socket: "d4" }));
    normaliser.finish();
    expect(
      of("net.connect").map(({ outcome, errno, duration_ms, local }) => [outcome, errno, duration_ms, local]),
    ).toEqual([
      ["connected", undefined, 3.5, "127.0.0.1:40000"],
      ["connected", undefined, undefined, "127.0.0.1:40000"],
      ["refused", "ECONNREFUSED", undefined, "127.0.0.1:40000"],
      ["in-progress", undefined, undefined, undefined],
    ]);
  });

  it("tells once of a call that is interrupted and made anew by the kernel, whoever learns first how it ended", () => {
    const { normaliser, of } = testBench();
    const RESTART = -512;
    // The state first, then the call; the call alone; a second call for the outcome of one that did not wait.
    normaliser.add(socketCall("connect", PEER, RESTART));
    normaliser.add(socketCall("connect", PEER, RESTART));
    normaliser.add(tcpState(2, 7, { error: ERRNO.ETIMEDOUT }));
    normaliser.add(socketCall("connect", PEER, -ERRNO.ETIMEDOUT));
    const unix = { family: 1, raw: Buffer.concat([Buffer.of(1, 0), bytes("/run/x")]) };
    normaliser.add(socketCall("connect", unix, RESTART, { socket: "b2", protocol: 0 }));
    normaliser.add(socketCall("connect", unix, 0, { socket: "b2", protocol: 0 }));
    normaliser.add(socketCall("connect", PEER, -ERRNO.EINPROGRESS, { socket: "c3" }));
    normaliser.add(tcpState(2, 1, { socket: "c3" }));
    normaliser.add(socketCall("connect", PEER, 0, { socket: "c3" }));
    normaliser.finish();
    expect(of("net.connect").map(({ outcome, connection }) => [outcome, connection])).toEqual([
      ["timeout", 1],
      ["connected", 2],
      ["connected", 3],
    ]);
  });

  it("takes a new attempt for a new one, also of a socket in the place of an old one", () => {
    const { normaliser, of } = testBench();
    normaliser.add(socketCall("connect", PEER, -ERRNO.EINPROGRESS));
    normaliser.add(tcpState(2, 7, { error: ERRNO.ECONNREFUSED }));
    normaliser.add(tcpState(2, 7, { error: ERRNO.ECONNREFUSED }));
    normaliser.add(socketCall("connect", PEER, -ERRNO.ECONNREFUSED));
    normaliser.add(socketCall("connect", PEER, -ERRNO.EINPROGRESS));
    normaliser.add(tcpState(2, 7, { error: ERRNO.ECONNREFUSED }));
    normaliser.add(socketCall("connect", PEER, -ERRNO.ECONNREFUSED, head(101)));
    expect(of("net.connect").map(({ outcome }) => outcome)).toEqual(["refused", "refused", "refused", "refused"]);
  });

  it("tells both ends of an accepted connection, not what its memory was before", () => {
    const { normaliser, of } = testBench();
    normaliser.add(socketCall("bind", inet("127.0.0.1", 9), 0));
    normaliser.add(socketCall("accept", PEER, 5, { local: inet("127.0.0.1", 21_000) }));
    expect(of("net.accept")).toMatchObject([{ local: "127.0.0.1:21000", remote: "127.0.0.1:80" }]);
  });

  it("counts every attempt of a socket that is tried again", () => {
    const { normaliser, of } = testBench();
    for (let attempt = 0; attempt < 2; attempt++) {
      normaliser.add(tcpState(2, 7, { error: ERRNO.ECONNREFUSED }));
      normaliser.add(socketCall("connect", PEER, -ERRNO.ECONNREFUSED));
    }
    normaliser.add(socketCall("connect", PEER, 0));
    expect(of("net.connect").map(({ outcome }) => outcome)).toEqual(["refused", "refused", "connected"]);
  });

  it("knows the model, unix sockets and IPv6", () => {
    const { normaliser, of } = testBench();
    const raw = Buffer.concat([Buffer.of(10, 0, 0, 80, 0, 0, 0, 0), Buffer.alloc(15), Buffer.of(1), Buffer.alloc(4)]);
    const unix = (name: string): SocketAddress => ({ family: 1, raw: Buffer.concat([Buffer.of(1, 0), bytes(name)]) });
    normaliser.add(socketCall("connect", inet("127.0.0.1", 4100), 0, { socket: "1" }));
    normaliser.add(socketCall("connect", { family: 10, raw }, 0, { socket: "2" }));
    normaliser.add(socketCall("connect", unix("/run/x.sock\0rest"), 0, { socket: "3" }));
    normaliser.add(socketCall("connect", unix("\0abstract"), 0, { socket: "4" }));
    normaliser.add(socketCall("connect", inet("203.0.113.9", 443), 0, { socket: "5" }));
    normaliser.add(socketCall("connect", { family: 2, raw: Buffer.of(2, 0) }, -22, { socket: "6" }));
    expect(of("net.connect").map(({ transport, remote, role }) => [transport, remote, role])).toEqual([
      ["tcp", "127.0.0.1:4100", "model-gateway"],
      ["tcp6", "[::1]:80", "loopback"],
      ["unix", "/run/x.sock", "unix"],
      ["unix", "@abstract", "unix"],
      ["tcp", "203.0.113.9:443", "external"],
      ["tcp", "", "external"],
    ]);
  });
});

describe("the end of a connection", () => {
  it("has bytes and duration", () => {
    const { normaliser, of } = testBench();
    normaliser.add(tcpState(2, 1, { timeNs: 1_000_000 }));
    normaliser.add(socketCall("connect", PEER, 0));
    normaliser.add(tcpState(5, 7, { timeNs: 3_000_000, bytesSent: 10, bytesReceived: 20 }));
    normaliser.add(tcpState(10, 7, { socket: "listening" }));
    expect(of("net.close")).toMatchObject([{ bytes_sent: 10, bytes_received: 20, duration_ms: 2, connection: 1 }]);
  });
});

describe("datagrams", () => {
  const datagram = (payload: Buffer, more: Partial<DatagramRecord> = {}): DatagramRecord => ({
    kind: "datagram",
    ...head(),
    socket: "u1",
    type: 2,
    protocol: 17,
    direction: "sent",
    remote: inet("10.0.0.53", 53),
    sizeBytes: payload.length || 9,
    messages: 1,
    payload,
    result: payload.length,
    ...more,
  });
  const query = encode({ type: "query", id: 7, questions: [{ type: "AAAA", name: "example.org" }] });
  const answer = encode({
    type: "response",
    id: 7,
    questions: [{ type: "A", name: "example.org" }],
    answers: [{ type: "A", name: "example.org", data: "192.0.2.1" }],
  });

  it("to port 53 are questions, from it answers", () => {
    const { normaliser, of } = testBench();
    normaliser.add(datagram(query));
    normaliser.add(datagram(answer, { direction: "received" }));
    expect(of("net.dns-query")[0]).toMatchObject({
      server: "10.0.0.53:53",
      id: 7,
      questions: [{ name: "example.org", type: "AAAA" }],
    });
    expect(of("net.dns-answer")[0]).toMatchObject({ rcode: "NOERROR", answers: [{ type: "A", data: "192.0.2.1" }] });
  });

  it("that are cut still tell the question", () => {
    const { normaliser, of } = testBench();
    normaliser.add(
      datagram(answer.subarray(0, answer.length - 4), { direction: "received", sizeBytes: answer.length }),
    );
    expect(of("net.dns-answer")[0]).toMatchObject({ cut: true, questions: [{ name: "example.org" }], answers: [] });
  });

  it("to port 53 that are no DNS keep their bytes", () => {
    const { normaliser, of } = testBench();
    normaliser.add(datagram(bytes("not dns")));
    normaliser.add(datagram(Buffer.alloc(0), { remote: inet("10.0.0.1", 9), messages: 3 }));
    const [first, second] = of("net.datagram");
    expect(first).toMatchObject({ malformed_dns: true, payload_b64: bytes("not dns").toString("base64") });
    expect(second).toMatchObject({ messages: 3, size_bytes: 9 });
    expect(second?.malformed_dns).toBeUndefined();
  });

  it("of a server in the container are no questions and answers of its own", () => {
    const { normaliser, of } = testBench();
    normaliser.add(datagram(answer, { direction: "sent" }));
    normaliser.add(datagram(query, { direction: "received" }));
    expect(of("net.datagram").map(({ direction, malformed_dns }) => [direction, malformed_dns])).toEqual([
      ["sent", undefined],
      ["received", undefined],
    ]);
    expect(of("net.dns-query").length + of("net.dns-answer").length).toBe(0);
  });

  it("of any bytes do no harm", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (payload, cut) => {
        const message = readDnsMessage(Buffer.from(payload), cut);
        expect(message === undefined || message.questions.length <= 50).toBe(true);
      }),
    );
    // A header that promises thousands of entries, and names that point at themselves.
    expect(readDnsMessage(Buffer.from(`0007010000ff${"ff".repeat(6)}c00c`, "hex"), false)).toBeUndefined();
    expect(formatEndpoint({ family: 99, raw: Buffer.of(99, 0, 1, 2) })).toBe("0102");
  });
});
