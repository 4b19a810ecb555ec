import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameSplitter } from "./frames.ts";

function framed(content: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(content.length);
  return Buffer.concat([length, content]);
}

/** Hands the bytes over in pieces that end at the given places. */
function splitAt(bytes: Buffer, cuts: readonly number[]): { splitter: FrameSplitter; frames: Buffer[] } {
  const splitter = new FrameSplitter();
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const frames = places.slice(1).flatMap((end, index) => splitter.push(bytes.subarray(places[index], end)));
  return { splitter, frames };
}

describe("FrameSplitter", () => {
  it("finds every frame, wherever the stream is cut", () => {
    const contents = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 20 });
    fc.assert(
      fc.property(contents, fc.array(fc.nat(), { maxLength: 30 }), (wanted, cuts) => {
        const { splitter, frames } = splitAt(Buffer.concat(wanted.map(framed)), cuts);
        expect(frames.map((frame) => [...frame])).toEqual(wanted.map((content) => [...content]));
        expect(splitter.pendingBytes).toBe(0);
        expect(splitter.broken).toBe(false);
      }),
    );
  });

  it.each([0, (512 << 10) + 1, 0xffff_ffff])(
    "a length of %i breaks the stream, and nothing more is taken",
    (length) => {
      const splitter = new FrameSplitter();
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32LE(length);
      expect(splitter.push(Buffer.concat([framed(Buffer.from("a")), bytes]))).toEqual([Buffer.from("a")]);
      expect(splitter.broken).toBe(true);
      expect(splitter.push(framed(Buffer.from("b")))).toEqual([]);
      expect(splitter.pendingBytes).toBe(0);
    },
  );

  it("holds no more than one frame, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 40 }), (chunks) => {
        const splitter = new FrameSplitter();
        for (const chunk of chunks) {
          splitter.push(Buffer.from(chunk));
          expect(splitter.pendingBytes).toBeLessThanOrEqual((512 << 10) + 4);
        }
      }),
    );
  });

  it("a frame in many small pieces is put together once", () => {
    const content = Buffer.alloc(300_000, 7);
    const bytes = framed(content);
    const splitter = new FrameSplitter();
    const frames: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 1000) frames.push(...splitter.push(bytes.subarray(at, at + 1000)));
    expect(frames).toHaveLength(1);
    expect(frames[0]?.equals(content)).toBe(true);
  });

  it("says how much of a frame is missing at the end", () => {
    const splitter = new FrameSplitter();
    expect(splitter.push(framed(Buffer.from("abc")).subarray(0, 6))).toEqual([]);
    expect(splitter.pendingBytes).toBe(6);
  });
});
