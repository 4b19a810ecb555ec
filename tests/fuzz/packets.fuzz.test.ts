import { encode } from "dns-packet";
import { describe, expect } from "vitest";
import { flows as flowsSchema } from "../../src/schema/flows.ts";
import { PacketAnalyser } from "../../src/sensors/packets/analyser.ts";
import { readPacket } from "../../src/sensors/packets/packet.ts";
import { PcapngReader } from "../../src/sensors/packets/pcapng.ts";
import { STREAM_START_BYTES, StreamStart } from "../../src/sensors/packets/stream-start.ts";
import * as made from "../../src/sensors/packets/test-packets.ts";
import { readGreeting } from "../../src/sensors/packets/tls-greeting.ts";
import { fuzz } from "./fuzz.ts";
import { pieces } from "./mutator.ts";

/** The packets that the recorder hands over: the frame is ours, what it carries is the agent's. */
const WEB = { fromPort: 40_000, toPort: 443 };
const question = encode({ type: "query", id: 7, questions: [{ type: "A", name: "example.invalid" }] });
const FRAMES: [Buffer, ...Buffer[]] = [
  made.tcpFrame(WEB, made.SYN, 9),
  made.tcpFrame(WEB, made.ACK, 10, Buffer.from("hello")),
  made.tcpFrame({ from: "::1", fromPort: 1, to: "2001:db8::1", toPort: 443 }, made.SYN | made.ACK, 10),
  made.udpFrame({ fromPort: 40_001, toPort: 53 }, question),
  made.ipFrame(58, "::1", "::1", Buffer.alloc(8)),
];
const STREAM = Buffer.concat([
  made.sectionBlock,
  made.interfaceBlock(),
  ...FRAMES.map((data) => made.packetBlock(data)),
  made.statisticsBlock(3, true),
]);

describe("recorded packets", async () => {
  const hello = await made.greetingOf("shop.example.test", ["h2"]);

  fuzz("the stream's blocks do not depend on the pieces, and no length is believed", {
    seeds: [STREAM, STREAM.subarray(0, 200), made.sectionBlock],
    check(input, random) {
      const read = (parts: readonly Buffer[]): unknown => {
        const reader = new PcapngReader();
        const raw = parts.flatMap((part) => reader.push(part).map((one) => one.raw.toString("base64")));
        expect(reader.pendingBytes).toBeLessThanOrEqual(input.length);
        return [raw, reader.fault];
      };
      expect(read(pieces(random, input))).toEqual(read([input]));
    },
  });

  fuzz("a packet is read, is of another kind, or makes no sense", {
    seeds: FRAMES,
    check(input, random) {
      const packet = readPacket(input, input.length + random.below(2000), random.pick([1, 101, 147]));
      if (packet.kind !== "tcp" && packet.kind !== "udp") return;
      expect(packet.payload.length).toBeLessThanOrEqual(packet.payloadBytes);
      expect([4, 16]).toContain(packet.source.length);
    },
  });

  fuzz("any packets give a record of flows that is valid and bounded", {
    seeds: [...FRAMES, made.tcpFrame(WEB, made.ACK, 10, hello)],
    check(input, random) {
      const analyser = new PacketAnalyser("127.0.0.1:443");
      analyser.add({ kind: "interface", name: "lo", linkType: 1 });
      for (const data of [...FRAMES, input, ...pieces(random, input), input]) {
        const lengthBytes = data.length + random.below(3) * 1000;
        analyser.add({ kind: "packet", interface: random.below(2), timeNs: 1n, data, lengthBytes });
      }
      const { packets, flows } = flowsSchema.parse(analyser.result({ kept: 0, dropped: null }));
      expect(flows.length).toBeLessThanOrEqual(packets.seen);
    },
  });

  fuzz("a greeting is read, wants more, or is none", {
    seeds: [hello, hello.subarray(0, 100), Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    check(input) {
      const read = readGreeting(input);
      if (read.state === "more") expect(read.neededBytes).toBeGreaterThan(input.length);
      if (read.state === "read") expect(read.greeting.serverName?.length ?? 0).toBeLessThanOrEqual(300);
    },
  });

  fuzz("a stream is put together from any segments, first copies first", {
    seeds: [hello, Buffer.alloc(20_000, "x")],
    check(input, random) {
      const base = random.pick([0, 1, 0xffff_ff00]);
      const parts: [number, Buffer][] = [];
      for (let at = 0, part = 1; at < input.length; at += part) {
        part = 1 + random.below(Math.ceil(input.length / 20) + 1);
        parts.push([at, input.subarray(at, at + part + random.below(50))]);
      }
      const start = new StreamStart(base);
      for (const [at, part] of random.below(2) === 0 ? parts : parts.toReversed()) start.add((base + at) >>> 0, part);
      const whole = start.whole;
      expect(whole.equals(input.subarray(0, Math.min(input.length, STREAM_START_BYTES)))).toBe(true);
    },
  });
});
