import { expect, it } from "vitest";
import { STREAM_START_BYTES, StreamStart } from "./stream-start.ts";

it("fills the holes between what is there, and keeps first copies", () => {
  const start = new StreamStart(0);
  start.add(4, Buffer.from("EF"));
  start.add(8, Buffer.from("IJ"));
  expect(start.whole).toHaveLength(0);
  start.add(0, Buffer.from("abcdefghijkl"));
  start.add(0, Buffer.from("AAAAAA"));
  expect(start.whole.toString()).toBe("abcdEFghIJkl");
  expect(start.segments).toBe(3);
});

it("takes no more than a beginning", () => {
  const start = new StreamStart(0);
  start.add(STREAM_START_BYTES - 2, Buffer.from("abcd"));
  start.add(STREAM_START_BYTES, Buffer.from("efgh"));
  start.add(0, Buffer.alloc(STREAM_START_BYTES));
  expect(start.whole).toHaveLength(STREAM_START_BYTES);
  expect(start.heldBytes).toBe(STREAM_START_BYTES);
});
