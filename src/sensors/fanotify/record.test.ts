import { expect, it } from "vitest";
import { decodeWitnessRecord } from "./record.ts";

function frame(
  kind: number,
  fields: { flags?: number; number?: number; size?: number; content?: string } = {},
): Buffer {
  const head = Buffer.alloc(40);
  head.write("WITS", 0, "latin1");
  head.writeUInt16LE(1, 4);
  head.writeUInt16LE(kind, 6);
  head.writeBigUInt64LE(99n, 8);
  head.writeBigUInt64LE(BigInt(fields.number ?? 0), 16);
  head.writeBigUInt64LE(BigInt(fields.size ?? 0), 24);
  head.writeInt32LE(4711, 32);
  head.writeUInt32LE(fields.flags ?? 0, 36);
  return Buffer.concat([head, Buffer.from(fields.content ?? "", "latin1")]);
}

it("decodes each kind", () => {
  const decoded = (...args: Parameters<typeof frame>) => decodeWitnessRecord(frame(...args));
  expect(decoded(1, { number: 1, size: 2, content: "/tmp\0/home\0" })).toEqual({
    kind: "ready",
    directories: ["/tmp", "/home"],
    seen: 1,
  });
  expect(decoded(2, { flags: 1, number: 7, size: 12, content: "/tmp/\xff" })).toEqual({
    kind: "file",
    timeNs: 99,
    number: 7,
    sizeBytes: 12,
    pid: 4711,
    unlinked: true,
    path: Buffer.from("/tmp/\xff", "latin1"),
  });
  expect(decoded(3, { number: 7, content: "x" })).toEqual({ kind: "piece", number: 7, bytes: Buffer.from("x") });
  const end = { kind: "file-end", number: 7, tooLarge: true, failed: false, changed: true };
  expect(decoded(4, { flags: 10, number: 7 })).toEqual(end);
  expect(decoded(5)).toEqual({ kind: "overflow", timeNs: 99 });
  expect(decoded(6, { number: 8, size: 1 })).toEqual({ kind: "end", closes: 8, unreadable: 1 });
});

it("refuses what is no record", () => {
  for (const broken of [Buffer.alloc(0), frame(2).subarray(0, 39), Buffer.alloc(40), frame(0), frame(7)])
    expect(() => decodeWitnessRecord(broken)).toThrow("the file witness");
});
