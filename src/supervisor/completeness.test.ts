import { expect, it } from "vitest";
import type { CompletenessLevel } from "../schema/common.ts";
import type { CompletenessClass } from "../schema/observations.ts";
import { completenessRecord } from "./completeness.ts";

const entry = (name: CompletenessClass["class"], level: CompletenessLevel): CompletenessClass => ({
  class: name,
  level,
  sensor: "x",
  reason: "x",
  lost: null,
  from: null,
  to: null,
  started_before_agent: null,
});

it("takes the worst class as verdict, and leaves the agent's claims out of it", () => {
  const verdict = (...classes: CompletenessClass[]) => completenessRecord(classes, []).verdict;
  expect(verdict()).toBe("absent");
  expect(verdict(entry("model", "complete"), entry("native-events", "absent"))).toBe("complete");
  expect(verdict(entry("model", "complete"), entry("process", "sampled"), entry("network", "lossy"))).toBe("sampled");
  expect(verdict(entry("process", "absent"), entry("model", "lossy"))).toBe("absent");
  expect(verdict(entry("process", "complete"), entry("file-contents", "absent"))).toBe("complete");
  expect(verdict(entry("network", "complete"), entry("packets", "sampled"))).toBe("complete");
});

it("goes by the best of several statements on one class, and puts it first", () => {
  const classes = [entry("file-workspace", "sampled"), entry("model", "complete"), entry("file-workspace", "complete")];
  const record = completenessRecord(classes, []);
  expect(record.verdict).toBe("complete");
  expect(record.classes.map(({ level }) => level)).toEqual(["complete", "sampled", "complete"]);
  expect(record.classes.length).toBe(3);
});
