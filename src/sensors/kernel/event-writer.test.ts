import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type CaptureEvent, captureEvent } from "../../schema/event.ts";
import { EventWriter } from "./event-writer.ts";
import { exec, pathCall, testBench } from "./test-records.ts";

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oc-events-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

function linesOf(file: string): CaptureEvent[] {
  const text = fs.readFileSync(file, "utf8");
  expect(text === "" || text.endsWith("\n")).toBe(true);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => captureEvent.parse(JSON.parse(line)));
}

function someEvents(count: number) {
  const { normaliser, events } = testBench();
  normaliser.add(exec(["ü", "\u2028", '"']));
  for (let index = 0; index < count; index++) normaliser.add(pathCall("unlink", `file-${index}-ü`));
  return events;
}

it("numbers lines without a hole, and gives each event its number", () => {
  const file = path.join(dir, "events.jsonl");
  const writer = new EventWriter(file);
  const numbers = someEvents(5000).map((event) => writer.write(event));
  const stats = writer.close();
  expect(numbers).toEqual(Array.from({ length: 5001 }, (_, index) => index));
  expect(linesOf(file).map(({ seq }) => seq)).toEqual(numbers);
  expect(stats).toMatchObject({ written: 5001, bytes: fs.statSync(file).size, failure: undefined });
  expect(stats.dropped.file).toBe(0);
});

it("keeps whole lines up to the limit, counts the rest, and has room for the sensor's last words", () => {
  const file = path.join(dir, "events.jsonl");
  const writer = new EventWriter(file, 40_000, 5000);
  const events = someEvents(1000);
  const numbers = events.map((event) => writer.write(event));
  const gap = { class: "file", from: "", to: null, lost: 1, reason: "r" };
  const last = writer.write({ kind: "sensor.gap", mono_ns: 1, time: "", source: "supervisor", ...gap });
  const stats = writer.close();
  const lines = linesOf(file);
  expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: lines.length }, (_, index) => index));
  expect(fs.statSync(file).size).toBeLessThanOrEqual(40_000);
  expect(fs.statSync(file).size).toBeGreaterThan(30_000);
  expect(last).toBe(lines.length - 1);
  expect(stats.dropped).toEqual({
    process: 0,
    file: numbers.filter((one) => one === undefined).length,
    network: 0,
    security: 0,
    sensor: 0,
  });
  expect(stats.dropped.file + lines.length).toBe(events.length + 1);
});
