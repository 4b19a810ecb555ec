import { expect, test, vi } from "vitest";
import { BuildProgress } from "./progress.ts";

test("each line has its time, and a quiet step shows that it lives", () => {
  vi.useFakeTimers();
  const lines: string[] = [];
  {
    using progress = new BuildProgress((line) => lines.push(line));
    progress.step("first");
    vi.advanceTimersByTime(3_000);
    progress.step("second");
    progress.step("");
    vi.advanceTimersByTime(40_000);
  }
  vi.advanceTimersByTime(100_000);
  vi.useRealTimers();
  expect(lines).toEqual(["[  0 s] first", "[  3 s] second", "[ 30 s] … second"]);
});
