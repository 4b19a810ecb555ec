import { expect, it } from "vitest";
import { Snapshots } from "./snapshots.ts";

it("thins evenly, and covers the whole time", () => {
  const snapshots = new Snapshots<number>(10, 1000);
  for (let at = 0; at < 95; at++) snapshots.offer(at, () => [at]);
  const times = snapshots.kept.map(({ atMs }) => atMs);
  expect(snapshots.taken).toBe(95);
  expect(times.length).toBeLessThanOrEqual(10);
  expect(times.length).toBeGreaterThan(4);
  expect(new Set(times.slice(1).map((time, index) => time - (times[index] ?? 0))).size).toBe(1);
  expect(times[0]).toBe(0);
  expect(times.at(-1)).toBeGreaterThanOrEqual(80);
});

it("is bounded by what the snapshots hold, too", () => {
  const snapshots = new Snapshots<number>(1000, 100);
  for (let at = 0; at < 50; at++) snapshots.offer(at, () => Array.from({ length: 30 }, () => at));
  expect(snapshots.kept.length * 30).toBeLessThanOrEqual(100);
});
