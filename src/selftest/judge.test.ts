import { expect, it } from "vitest";
import type { CaptureEvent } from "../schema/event.ts";
import { Observations, TESTED_CLASSES } from "./classes.ts";
import { judgeClasses, worstVerdict } from "./judge.ts";

const TAG = "t1";
const DONE = { renamed_file: 2, datagram: 2 };

let seq = 0;
const head = (process: string) =>
  ({ seq: seq++, mono_ns: seq, time: "2026-01-01T00:00:00.000Z", source: "kernel", process }) as const;

const rename = (i: number): CaptureEvent => ({
  ...head("7-1"),
  kind: "file.rename",
  path: `/workspace/from-${TAG}-${i}`,
  to: `/workspace/to-${TAG}-${i}`,
});

function judge(events: readonly CaptureEvent[], done: Record<string, number>) {
  const observations = new Observations(TAG);
  for (const event of events) observations.add(event);
  const classes = judgeClasses(observations, { tag: TAG, count: 2, done });
  return { classes, of: (id: string) => classes.find((entry) => entry.id === id) };
}

it("what was done and seen exactly is complete", () => {
  const { of } = judge([rename(0), rename(1)], DONE);
  expect(of("renamed_file")).toMatchObject({ expected: 2, seen: 2, lost: 0, phantom: 0, verdict: "complete" });
  expect(of("datagram")).toMatchObject({ expected: 2, seen: 0, lost: 2, verdict: "blind" });
});

it("what is missing is lost, what is told twice or did not happen is a phantom", () => {
  expect(judge([rename(1)], DONE).of("renamed_file")).toMatchObject({ seen: 1, lost: 1, verdict: "lossy" });
  const twice = judge([rename(0), rename(1), rename(1)], DONE);
  expect(twice.of("renamed_file")).toMatchObject({ lost: 0, phantom: 1, verdict: "lossy" });
  const invented = judge([rename(0), rename(1), rename(5)], DONE);
  expect(invented.of("renamed_file")).toMatchObject({ lost: 0, phantom: 1, verdict: "lossy" });
});

it("a process counts only with its arguments and its exit code", () => {
  const exec = (i: number, process: string): CaptureEvent =>
    ({ ...head(process), kind: "process.exec", argv: ["/bin/true", `${TAG}-${i}`] }) as CaptureEvent;
  const exit = (process: string, code: number): CaptureEvent => ({
    ...head(process),
    kind: "process.exit",
    comm: "true",
    code,
    signal: null,
    duration_ms: 1,
  });
  const { of } = judge([exec(0, "8-1"), exit("8-1", 0), exec(1, "9-1"), exit("9-1", 3), exit("10-1", 0)], {
    process: 2,
  });
  expect(of("process")).toMatchObject({ seen: 1, lost: 1, phantom: 1, verdict: "lossy" });
});

it("the worst class is the verdict", () => {
  const none = Object.fromEntries(TESTED_CLASSES.map(({ id }) => [id, 0]));
  expect(worstVerdict(judge([], none).classes)).toBe("complete");
  expect(worstVerdict(judge([rename(0)], { ...none, renamed_file: 2 }).classes)).toBe("lossy");
  expect(worstVerdict(judge([], { ...none, renamed_file: 2 }).classes)).toBe("blind");
});
