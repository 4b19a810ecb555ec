import { encode } from "dns-packet";
import { describe, expect, it } from "vitest";
import { type Flows, flows as flowsSchema } from "../../schema/flows.ts";
import { PacketAnalyser } from "./analyser.ts";
import { MOST_FLOWS } from "./flow-table.ts";
import { PcapngReader } from "./pcapng.ts";
import * as made from "./test-packets.ts";

const MODEL = "127.0.0.1:4100";

/** What is found in these frames, each a millisecond after the one before. */
function analysed(frames: readonly Buffer[]): Flows {
  const reader = new PcapngReader();
  const analyser = new PacketAnalyser(MODEL);
  const packets = frames.map((data, at) => made.packetBlock(data, { at }));
  for (const { content } of reader.push(Buffer.concat([made.sectionBlock, made.interfaceBlock(), ...packets])))
    analyser.add(content);
  expect(reader.fault).toBeUndefined();
  return flowsSchema.parse(analyser.result({ kept: frames.length, dropped: 0 }));
}

const WEB = { fromPort: 40_000, toPort: 443 };
const DNS = { fromPort: 40_001, to: "127.0.0.53", toPort: 53 };

describe("flows", () => {
  it("know who began, when, how much went each way, and what became of the SYN", () => {
    const back = made.reversed(WEB);
    const { flows } = analysed([
      made.tcpFrame(WEB, made.SYN, 100),
      made.tcpFrame(back, made.SYN | made.ACK, 700),
      made.tcpFrame(WEB, made.ACK, 101, Buffer.from("hello")),
      made.tcpFrame(back, made.ACK, 701, Buffer.from("you")),
    ]);
    expect(flows).toEqual([
      {
        flow: 0,
        transport: "tcp",
        from: "127.0.0.1:40000",
        to: "127.0.0.1:443",
        interface: "lo",
        first_at: "1970-01-01T00:00:00.000Z",
        last_at: "1970-01-01T00:00:00.003Z",
        forward: { packets: 2, bytes: 5 },
        back: { packets: 2, bytes: 3 },
        opening: "answered",
      },
    ]);
  });

  it("tell refused, unanswered and later beginnings apart, and one port used twice", () => {
    const refused = { fromPort: 1001, toPort: 2 };
    const { flows } = analysed([
      made.tcpFrame(refused, made.SYN, 1),
      made.tcpFrame(made.reversed(refused), made.RST | made.ACK, 0),
      made.tcpFrame({ fromPort: 1002, toPort: 2 }, made.SYN, 1),
      made.tcpFrame({ fromPort: 1002, toPort: 2 }, made.SYN, 1),
      made.tcpFrame({ fromPort: 1003, toPort: 2 }, made.ACK, 9, Buffer.from("x")),
      made.tcpFrame(made.reversed({ fromPort: 1004, toPort: 2 }), made.SYN | made.ACK, 9),
      made.tcpFrame(refused, made.SYN, 5),
    ]);
    expect(flows.map(({ from, opening, forward }) => [from, opening, forward.packets])).toEqual([
      ["127.0.0.1:1001", "refused", 1],
      ["127.0.0.1:1002", "unanswered", 2],
      ["127.0.0.1:1003", "not-seen", 1],
      ["127.0.0.1:1004", "answered", 0],
      ["127.0.0.1:1001", "unanswered", 1],
    ]);
  });

  it("are told of IPv6 too; other protocols are counted, nonsense is counted apart", () => {
    const six = { from: "::1", fromPort: 9, to: "2001:db8::7", toPort: 10 };
    const { flows, other_packets, packets } = analysed([
      made.udpFrame(six, Buffer.from("abc")),
      made.ipFrame(1, "127.0.0.1", "127.0.0.1", Buffer.alloc(8)),
      made.ipFrame(6, "127.0.0.1", "127.0.0.1", Buffer.alloc(3)),
      Buffer.alloc(5),
    ]);
    expect(flows).toMatchObject([
      { transport: "udp6", from: "[::1]:9", to: "[2001:db8::7]:10", forward: { bytes: 3 } },
    ]);
    expect(other_packets).toEqual({ icmp: 1 });
    expect(packets).toMatchObject({ seen: 4, unreadable: 2 });
  });

  it("are listed up to a limit, and what is beyond is counted", () => {
    const analyser = new PacketAnalyser();
    analyser.add({ kind: "interface", name: "lo", linkType: 1 });
    for (let i = 0; i < MOST_FLOWS + 7; i++) {
      const data = made.udpFrame({ fromPort: 1 + (i % 60_000), toPort: 7 }, Buffer.alloc(1));
      analyser.add({ kind: "packet", interface: 0, timeNs: 1n, data, lengthBytes: data.length });
    }
    const { flows, unlisted_packets } = analyser.result({ kept: 0, dropped: 0 });
    expect([flows.length, unlisted_packets]).toEqual([MOST_FLOWS, 7]);
  });

  it("say of the model's connection that its payload is not recorded here", () => {
    const reader = new PcapngReader();
    const analyser = new PacketAnalyser(MODEL);
    const whole = made.tcpFrame({ fromPort: 40_002, toPort: 4100 }, made.ACK, 1, Buffer.alloc(900));
    const cut = made.packetBlock(whole.subarray(0, 54), { length: whole.length });
    for (const { content } of reader.push(Buffer.concat([made.sectionBlock, made.interfaceBlock(), cut])))
      analyser.add(content);
    const { flows, packets } = analyser.result({ kept: 1, dropped: 0 });
    expect(flows).toMatchObject([{ payload_omitted: true, forward: { packets: 1, bytes: 900 } }]);
    expect(packets).toMatchObject({ payload_omitted: 1, cut: 0 });
  });
});

describe("names that are asked for", () => {
  const questions = [{ type: "A" as const, name: "example.test" }];

  it("with their answers, and what is no DNS", () => {
    const answers = [{ type: "A" as const, name: "example.test", data: "192.0.2.7" }];
    const { dns, unreadable_dns } = analysed([
      made.udpFrame(DNS, encode({ type: "query", id: 7, questions })),
      made.udpFrame(made.reversed(DNS), encode({ type: "response", id: 7, questions, answers })),
      // NXDOMAIN is the number 3 in the flags.
      made.udpFrame(made.reversed(DNS), encode({ type: "response", flags: 3, id: 8, questions })),
      made.udpFrame(DNS, Buffer.from("not a message")),
    ]);
    expect(dns).toMatchObject([
      { flow: 0, from: "127.0.0.1:40001", to: "127.0.0.53:53", is_answer: false, id: 7, questions },
      { is_answer: true, rcode: "NOERROR", answers: [{ name: "example.test", type: "A", data: "192.0.2.7" }] },
      { is_answer: true, rcode: "NXDOMAIN", answers: [] },
    ]);
    expect(unreadable_dns).toBe(1);
  });
});

describe("names in TLS greetings", () => {
  const hello = made.greetingOf("shop.example.test", ["h2", "http/1.1"]);
  const opened = [made.tcpFrame(WEB, made.SYN, 0xffff_fff0), made.tcpFrame(made.reversed(WEB), made.SYN | made.ACK, 5)];
  const segment = (bytes: Buffer, offset: number): Buffer =>
    made.tcpFrame(WEB, made.ACK, 0xffff_fff1 + offset, bytes.subarray(offset, offset + 100));
  const expected = { from: "127.0.0.1:40000", server_name: "shop.example.test", protocols: ["h2", "http/1.1"] };

  it("of a real client", async () => {
    const { greetings, unread_greetings } = analysed([
      ...opened,
      made.tcpFrame(WEB, made.ACK, 0xffff_fff1, await hello),
    ]);
    expect(greetings).toMatchObject([{ ...expected, flow: 0, segments: 1 }]);
    expect(greetings[0]).not.toHaveProperty("encrypted_hello");
    expect(unread_greetings).toBe(0);
  });

  it("spread over segments that come late, twice and in any order, across the end of the numbers", async () => {
    const bytes = await hello;
    const offsets = Array.from({ length: Math.ceil(bytes.length / 100) }, (_, index) => 100 * index);
    const parts = [...offsets.toReversed(), ...offsets].map((offset) => segment(bytes, offset));
    const { greetings } = analysed([...opened, ...parts]);
    expect(greetings).toMatchObject([{ ...expected, segments: offsets.length }]);
  });

  it("spread over several records", async () => {
    const message = (await hello).subarray(5);
    const records = [message.subarray(0, 3), message.subarray(3, 50), message.subarray(50)].map((part) => {
      const head = Buffer.from([22, 3, 1, 0, 0]);
      head.writeUInt16BE(part.length, 3);
      return Buffer.concat([head, part]);
    });
    const { greetings } = analysed([...opened, made.tcpFrame(WEB, made.ACK, 0xffff_fff1, Buffer.concat(records))]);
    expect(greetings).toMatchObject([expected]);
  });

  it("an encrypted greeting is said so, with the outer name", async () => {
    const bytes = Buffer.concat([await hello, Buffer.from("fe0d000400000000", "hex")]);
    // Three lengths grow by the extension: of the record, of the message, of the list of extensions.
    bytes.writeUInt16BE(bytes.length - 5, 3);
    bytes.writeUIntBE(bytes.length - 9, 6, 3);
    const extensionsAt = lengthOfExtensionsAt(bytes);
    bytes.writeUInt16BE(bytes.length - extensionsAt - 2, extensionsAt);
    const { greetings } = analysed([...opened, made.tcpFrame(WEB, made.ACK, 0xffff_fff1, bytes)]);
    expect(greetings).toMatchObject([{ ...expected, encrypted_hello: true }]);
  });

  it("one of which a part is missing is counted, and none is made up", async () => {
    const bytes = await hello;
    const { greetings, unread_greetings } = analysed([...opened, segment(bytes, 0), segment(bytes, 200)]);
    expect(greetings).toEqual([]);
    expect(unread_greetings).toBe(1);
  });

  it("other streams are no greetings", () => {
    const http = made.tcpFrame(WEB, made.ACK, 0xffff_fff1, Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    const { greetings, unread_greetings } = analysed([...opened, http]);
    expect([greetings.length, unread_greetings]).toEqual([0, 0]);
  });
});

/** Behind version, random, session id, cipher suites and compression methods. */
function lengthOfExtensionsAt(hello: Buffer): number {
  let at = 5 + 4 + 34;
  at += 1 + hello.readUInt8(at);
  at += 2 + hello.readUInt16BE(at);
  return at + 1 + hello.readUInt8(at);
}
