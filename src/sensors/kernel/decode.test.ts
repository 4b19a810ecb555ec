import { readFileSync } from "node:fs";
import * as path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DecodedRecord, decodeRecord } from "./decode.ts";
import { RecordFault } from "./decode-frame.ts";
import { FrameSplitter } from "./frames.ts";

const FIXTURES = path.resolve(import.meta.dirname, "../../../tests/fixtures/kernel-sensor");
/** What the loader wrote for one round of every case of native/sensor/test; not changed since. */
const frames = new FrameSplitter().push(readFileSync(path.join(FIXTURES, "records.bin")));

/** As JSON, with bytes as text and long ones as their length. */
function plain(record: DecodedRecord): unknown {
  return JSON.parse(
    JSON.stringify(record, (_, value: unknown) => {
      if (typeof value !== "object" || value === null || !("type" in value) || value.type !== "Buffer") return value;
      const bytes = Buffer.from((value as unknown as { data: number[] }).data);
      return bytes.length > 300 ? `${bytes.length} bytes` : bytes.toString("latin1");
    }),
  );
}

function decoded(kind: string): DecodedRecord[] {
  return frames.map(decodeRecord).filter((record) => record.kind === kind);
}

describe("records of a real run", () => {
  it("are decoded as they were", () => {
    const wanted: unknown = JSON.parse(readFileSync(path.join(FIXTURES, "records.json"), "utf8"));
    expect(frames.map(decodeRecord).map(plain)).toEqual(wanted);
  });

  it("hold every kind that there is", () => {
    const kinds = new Set(frames.map((frame) => decodeRecord(frame).kind));
    expect([...kinds].sort()).toEqual(
      (
        "accept bind blind-spot canary close-write connect counters credentials datagram descriptor exec exec-failed exit " +
        "fork listen namespace open open-failed path reach ready shared-mapping socket tcp-state watching"
      ).split(" "),
    );
    expect(decoded("counters").at(-1)).toMatchObject({ final: true });
  });
});

/** Decodes; a fault is the only way to fail. */
function decodeOrFault(bytes: Buffer): DecodedRecord | undefined {
  try {
    return decodeRecord(bytes);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(RecordFault);
    return undefined;
  }
}

function totalBytes(value: unknown): number {
  if (Buffer.isBuffer(value)) return value.length;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, part: unknown) => sum + totalBytes(part), 0);
}

describe("hostile bytes", () => {
  it("anything is a record or a fault", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void decodeOrFault(Buffer.from(bytes))));
  });

  it("a real record with any bytes changed is a record or a fault, and never more bytes than came", () => {
    const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.nat(), fc.array(change, { minLength: 1, maxLength: 8 }), (pick, changes) => {
        const bytes = Buffer.from(frames[pick % frames.length] ?? []);
        for (const [at, value] of changes) bytes[at % Math.min(bytes.length, 200)] = value;
        const record = decodeOrFault(bytes);
        // Base and an absolute name may be put together once more.
        if (record !== undefined) expect(totalBytes(record)).toBeLessThanOrEqual(2 * bytes.length);
      }),
      { numRuns: 3000 },
    );
  });

  it("a record that is cut is a fault", () => {
    for (const frame of frames) {
      for (const length of [0, 3, 175, frame.length - 1]) {
        expect(() => decodeRecord(frame.subarray(0, length))).toThrow(RecordFault);
      }
    }
  });

  it.each([
    ["another magic", 0, 0],
    ["another version", 2, 1],
    ["an unknown kind", 3, 250],
    ["a segment that reaches beyond the frame", 83, 255],
  ])("%s is a fault", (_, at, value) => {
    const bytes = Buffer.from(frames[0] ?? []);
    bytes[at] = value;
    expect(() => decodeRecord(bytes)).toThrow(RecordFault);
  });
});

describe("paths", () => {
  const exec = frames.find((frame) => decodeRecord(frame).kind === "exec-failed");

  /** The record with other segments in its path. */
  function withPath(base: string, name: string, truncated = 0, foreign = 0): DecodedRecord {
    const header = Buffer.from((exec ?? Buffer.alloc(176)).subarray(0, 176));
    header.fill(0, 80, 112);
    header[6] = truncated;
    header[7] = foreign;
    header.writeUInt32LE(base.length, 80);
    header.writeUInt32LE(name.length, 84);
    return decodeRecord(Buffer.concat([header, Buffer.from(base), Buffer.from(name)]));
  }

  it.each([
    ["relative", "/work", "a", 0, 0, { base: "/work", name: "a", truncated: false }],
    ["absolute", "/", "/a", 0, 0, { name: "/a", truncated: false }],
    ["absolute below another root", "/jail", "/a", 0, 0, { name: "/jail/a", truncated: false }],
    ["by descriptor", "/data/a", "", 0, 0, { name: "/data/a", truncated: false }],
    ["a name that could not be read", "/work", "", 2, 0, { base: "/work", name: "", truncated: true }],
    ["in another namespace", "/host", "a", 0, 1, { base: "/host", name: "a", truncated: false, foreign: true }],
  ])("%s", (_, base, name, truncated, foreign, wanted) => {
    expect(plain(withPath(base, name, truncated, foreign))).toMatchObject({ path: wanted });
    expect(Object.keys((plain(withPath(base, name, truncated, foreign)) as { path: object }).path).sort()).toEqual(
      Object.keys(wanted).sort(),
    );
  });
});
