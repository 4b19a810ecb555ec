import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "./line-splitter.ts";

function split(chunks: readonly Buffer[], maxLineBytes: number): { text: string; cut: number; ended: boolean }[] {
  const lines: { text: string; cut: number; ended: boolean }[] = [];
  const splitter = new LineSplitter(maxLineBytes, ({ bytes, cutBytes, ended }) => {
    lines.push({ text: bytes.toString("latin1"), cut: cutBytes, ended });
  });
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

test("lines do not depend on how the stream was cut into chunks, and a limit cuts only their ends", () => {
  const chunk = fc.array(fc.constantFrom("a", "b", "\n"), { maxLength: 12 }).map((letters) => letters.join(""));
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 12 }), fc.integer({ min: 1, max: 9 }), (chunks, max) => {
      const expected = chunks.join("").split("\n");
      const rest = expected.pop();
      const lines = expected.map((text) => ({ text, ended: true }));
      if (rest !== undefined && rest !== "") lines.push({ text: rest, ended: false });
      expect(
        split(
          chunks.map((text) => Buffer.from(text)),
          max,
        ),
      ).toEqual(
        lines.map(({ text, ended }) => ({ text: text.slice(0, max), cut: Math.max(0, text.length - max), ended })),
      );
    }),
  );
});

test("a line that comes byte by byte takes no more memory than its length", () => {
  const before = process.memoryUsage().rss;
  const splitter = new LineSplitter(2 << 20, () => undefined);
  const byte = Buffer.from("x");
  for (let i = 0; i < 3 << 20; i++) splitter.push(byte);
  expect(process.memoryUsage().rss - before).toBeLessThan(60 << 20);
});
