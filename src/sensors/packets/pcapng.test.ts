import { expect, it } from "vitest";
import { type PcapngContent, PcapngReader } from "./pcapng.ts";
import * as made from "./test-packets.ts";

const STREAM = Buffer.concat([
  made.sectionBlock,
  made.interfaceBlock("lo"),
  made.packetBlock(Buffer.from("abcde"), { at: 1_767_323_045_123, length: 900 }),
  made.statisticsBlock(7, true),
]);

function read(parts: readonly Buffer[]): { contents: PcapngContent[]; raw: Buffer; fault: string | undefined } {
  const reader = new PcapngReader();
  const blocks = parts.flatMap((part) => reader.push(part));
  const raw = Buffer.concat(blocks.map((one) => one.raw));
  return { contents: blocks.map(({ content }) => content), raw, fault: reader.fault };
}

it("reads blocks, whatever the pieces", () => {
  const whole = read([STREAM]);
  expect(whole.contents).toEqual([
    { kind: "section" },
    { kind: "interface", name: "lo", linkType: 1 },
    { kind: "packet", interface: 0, timeNs: 1_767_323_045_123_000_000n, data: Buffer.from("abcde"), lengthBytes: 900 },
    { kind: "statistics", interface: 0, dropped: 7, isLast: true },
  ]);
  const bytes = Array.from(STREAM, (_, at) => STREAM.subarray(at, at + 1));
  expect(read(bytes).contents).toEqual(whole.contents);
  expect(whole.raw.equals(STREAM)).toBe(true);
});

it.each([
  ["an unknown interface", [made.sectionBlock, made.packetBlock(Buffer.alloc(4))]],
  ["no section", [made.interfaceBlock()]],
  ["a second section", [made.sectionBlock, made.sectionBlock]],
  ["a length that is no length", [made.sectionBlock, made.words(6, 7, 0)]],
  ["two lengths", [made.sectionBlock, Buffer.concat([made.interfaceBlock().subarray(0, -4), made.words(12)])]],
  ["a block of an unknown type", [made.sectionBlock, made.block(77, Buffer.alloc(4))]],
  [
    "a packet longer than its block",
    [made.sectionBlock, made.interfaceBlock(), made.block(6, made.words(0, 0, 0, 9, 9))],
  ],
])("stops at %s", (_what, parts) => {
  const { fault, contents } = read(parts);
  expect(fault).toBeTypeOf("string");
  expect(contents).toHaveLength(parts.length - 1);
});
