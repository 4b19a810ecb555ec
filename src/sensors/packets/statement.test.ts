import { expect, it } from "vitest";
import { type PacketBooks, packetStatement } from "./statement.ts";

const WHOLE: PacketBooks = {
  from: "2026-01-01T00:00:00.000Z",
  to: "2026-01-01T00:00:09.000Z",
  dropped: 0,
  seen: 12,
  cut: 2,
  payloadOmitted: 5,
  file: { kept: 12, left: 0, bytes: 900, failure: undefined },
  unlisted: 0,
  fault: undefined,
  death: undefined,
  isClosed: true,
};

it("is complete where nothing is missing, and tells what was cut", () => {
  const { level, lost, reason } = packetStatement(WHOLE);
  expect([level, lost]).toEqual(["complete", 0]);
  expect(reason).toContain("of 2 packets only the beginning");
  expect(reason).toContain("of 5 packets to and from the model only the headers");
});

it.each<[string, Partial<PacketBooks>, string, number | null]>([
  ["drops of the kernel", { dropped: 4 }, "lossy", 4],
  ["the limit of the file", { file: { ...WHOLE.file, left: 3 } }, "lossy", 3],
  ["a failing disk", { file: { ...WHOLE.file, left: 3, failure: "no space" } }, "lossy", 3],
  ["lists that are full", { unlisted: 1 }, "lossy", null],
  ["a recorder that died", { death: "SIGKILL", isClosed: false, dropped: null }, "sampled", null],
  ["no last word", { isClosed: false }, "sampled", null],
  ["a stream that breaks off", { fault: "two lengths" }, "sampled", null],
])("says so of %s", (_what, change, level, lost) => {
  expect(packetStatement({ ...WHOLE, ...change })).toMatchObject({ level, lost });
});
