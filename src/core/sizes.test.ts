import fc from "fast-check";
import { expect, it } from "vitest";
import { formatSize, parseSize } from "./sizes.ts";

it("reads sizes as people write them", () => {
  expect(["0", "17", "17b", "1k", "64MiB", "64 MB", "1.5GiB", "2t"].map(parseSize)).toEqual([
    0,
    17,
    17,
    1024,
    64 << 20,
    64 << 20,
    1.5 * 1024 ** 3,
    2 * 1024 ** 4,
  ]);
  for (const text of ["", "-1", "1e3", "MiB", "1 2", "1XiB", "∞", "9".repeat(30)])
    expect(parseSize(text)).toBeUndefined();
});

it("reads what it writes, to a tenth of a unit", () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 50 }), (bytes) => {
      const back = parseSize(formatSize(bytes).replace(" bytes", "")) ?? -1;
      expect(Math.abs(back - bytes)).toBeLessThanOrEqual(Math.max(0, bytes * 0.05));
    }),
  );
});
