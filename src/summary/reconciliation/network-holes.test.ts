import { expect, test } from "vitest";
import type { Flows } from "../../schema/flows.ts";
import type { Completeness, CompletenessClass } from "../../schema/observations.ts";
import { holeInConnects, holeInPackets } from "./network-holes.ts";

const TIME = "2026-11-23T00:00:00.000Z";

function stated(name: CompletenessClass["class"], sensor: string, level: CompletenessClass["level"]): Completeness {
  const rest = { lost: null, from: null, to: null, started_before_agent: null };
  const one: CompletenessClass = { class: name, sensor, level, reason: "because", ...rest };
  return { schema_version: 1, generated_at: TIME, verdict: "complete", classes: [one], gaps: [] };
}

function flowsWith(dropped: number | null, unlisted: number): Flows {
  const counts = { seen: 1, bytes: 1, kept: 1, dropped, cut: 0, payload_omitted: 0, unreadable: 0 };
  const lists = { interfaces: [], flows: [], other_packets: {}, dns: [], greetings: [] };
  const rest = { unread_greetings: 0, unreadable_dns: 0, unlisted: 0, unlisted_packets: unlisted };
  return { schema_version: 1, generated_at: TIME, packets: counts, ...lists, ...rest };
}

test("flows are held against events of which some are known to be missing, not against looks", () => {
  expect(holeInConnects(stated("network", "kernel", "complete"), 0)).toBeNull();
  expect(holeInConnects(stated("network", "kernel", "lossy"), 0)).toBeNull();
  expect(holeInConnects(stated("network", "kernel", "sampled"), 0)).toBe("network: because");
  expect(holeInConnects(stated("network", "polling", "sampled"), 0)).toContain("states nothing");
  expect(holeInConnects(stated("network", "kernel", "complete"), 3)).toContain("3 lines");
});

test("connects are held against a list that is whole, whatever became of the file of packets", () => {
  const whole = flowsWith(0, 0);
  expect(holeInPackets(whole, stated("packets", "packets", "complete"))).toBeNull();
  expect(holeInPackets(whole, stated("packets", "packets", "lossy"))).toBeNull();
  expect(holeInPackets(whole, stated("packets", "packets", "sampled"))).toBe("packets: because");
  expect(holeInPackets(flowsWith(2, 0), stated("packets", "packets", "lossy"))).toContain("2 packets were dropped");
  expect(holeInPackets(flowsWith(null, 0), stated("packets", "packets", "lossy"))).toContain("an unknown number");
  expect(holeInPackets(flowsWith(0, 5), stated("packets", "packets", "lossy"))).toContain("5 packets");
  expect(holeInPackets(null, stated("packets", "packets", "lossy"))).toContain("no list");
  expect(holeInPackets(whole, null)).toBe("no packets were recorded");
});
