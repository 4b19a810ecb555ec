import { encode } from "dns-packet";
import { describe, expect } from "vitest";
import { decodeRecord } from "../../src/sensors/kernel/decode.ts";
import { RecordFault } from "../../src/sensors/kernel/decode-frame.ts";
import { readDnsMessage } from "../../src/sensors/kernel/dns-message.ts";
import { FrameSplitter } from "../../src/sensors/kernel/frames.ts";
import { fuzz } from "./fuzz.ts";
import { pieces, Random } from "./mutator.ts";

/** The stream of the kernel sensor: the frame is ours, what it carries is the agent's. Offsets: native/sensor/record.h. */
const HEADER_BYTES = 168;
const SEGMENT_TABLE_AT = 80;
const SEGMENTS = 6;
const MAGIC = 0x434f;
const VERSION = 1;
const MAX_FRAME_BYTES = 512 << 10;

/** `bytes` with a header that fits: without one, nothing behind it would ever be looked at. */
function headed(bytes: Buffer, kind: number, random: Random): Buffer {
  const record = Buffer.concat([bytes], Math.max(bytes.length, HEADER_BYTES));
  record.writeUInt16LE(MAGIC, 0);
  record.writeUInt8(VERSION, 2);
  record.writeUInt8(kind, 3);
  let left = record.length - HEADER_BYTES;
  for (let index = 0; index < SEGMENTS; index++) {
    const length = index === SEGMENTS - 1 ? left : random.below(left + 1);
    record.writeUInt32LE(length, SEGMENT_TABLE_AT + 4 * index);
    left -= length;
  }
  return record;
}

function frame(kind: number, text = ""): Buffer {
  return headed(Buffer.concat([Buffer.alloc(HEADER_BYTES), Buffer.from(text)]), kind, new Random(1));
}

describe("the kernel sensor's stream", () => {
  const KINDS = [1, 2, 3, 4, 16, 17, 18, 19, 32, 33, 36, 37, 38, 48, 49, 50, 51, 64, 65, 66, 67, 99] as const;

  fuzz("a record is decoded or refused, by one kind of error", {
    seeds: [frame(1), ...KINDS.map((kind) => frame(kind, "/bin/sh\0a\0b\0/tmp"))],
    check(input, random) {
      for (const bytes of [input, headed(input, random.pick(KINDS), random)]) {
        try {
          expect(typeof decodeRecord(bytes).kind).toBe("string");
        } catch (error) {
          if (!(error instanceof RecordFault)) throw error;
        }
      }
    },
  });

  fuzz("frames do not depend on the pieces, and no length is believed", {
    seeds: [
      lengthened(frame(1)),
      Buffer.concat([lengthened(frame(2, "x")), lengthened(frame(3))]),
      Buffer.from("ffffffff00", "hex"),
    ],
    check(input, random) {
      const read = (parts: readonly Buffer[]): { frames: string[]; broken: boolean } => {
        const splitter = new FrameSplitter();
        const frames = parts.flatMap((part) => splitter.push(part).map((one) => one.toString("base64")));
        expect(splitter.pendingBytes).toBeLessThanOrEqual(MAX_FRAME_BYTES + 4 + input.length);
        return { frames, broken: splitter.broken };
      };
      expect(read(pieces(random, input))).toEqual(read([input]));
    },
  });

  const query = encode({ type: "query", id: 7, questions: [{ type: "A", name: "example.invalid" }] });
  const answers = [{ type: "A" as const, name: "example.invalid", ttl: 1, data: "192.0.2.1" }];
  const answer = encode({ type: "response", id: 7, questions: [{ type: "A", name: "example.invalid" }], answers });

  fuzz("a message of DNS is read or is none", {
    seeds: [query, answer, Buffer.from("000700010001000000000000c00c00010001", "hex")],
    check(input, random) {
      const message = readDnsMessage(input, random.below(2) === 0);
      if (message === undefined) return;
      expect(message.questions.length).toBeLessThanOrEqual(50);
      expect(message.answers.length).toBeLessThanOrEqual(50);
      for (const { name } of [...message.questions, ...message.answers]) expect(name.length).toBeLessThanOrEqual(300);
    },
  });
});

function lengthened(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}
