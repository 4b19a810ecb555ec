import * as z from "zod";
import { count, timestamp } from "./common.ts";
import { eventHead } from "./event-parts.ts";

const perClass = z.record(z.string(), count);

export const readyEvent = z
  .object({
    kind: z.literal("sensor.ready"),
    ...eventHead,
    start: count.describe("1 for the first start of the sensor in this run, 2 after it had to be started again, …"),
    programs: count.describe("Programs that the kernel took."),
    refused: z.array(z.string()).describe("Programs that the kernel refused: what they would have seen is missing."),
    ring_bytes: count.describe("Room between kernel and sensor."),
  })
  .describe("The sensor sees from here on.");

export const canaryEvent = z
  .object({ kind: z.literal("sensor.canary"), ...eventHead, at: z.enum(["start", "end"]).describe("When it was run.") })
  .describe(
    "A process that the sensor itself ran, outside the container, was seen: the way from kernel to file works.",
  );

export const countersEvent = z
  .object({
    kind: z.literal("sensor.counters"),
    ...eventHead,
    start: count.describe("Which start of the sensor they belong to."),
    emitted: perClass.describe("Records that the kernel side made since that start, a class."),
    lost: perClass.describe("Of these, how many found no room."),
    received: perClass.describe("How many arrived here."),
    untracked: count.describe("Processes that could not be followed."),
    paths_truncated: count.describe("Paths that were cut."),
    final: z.literal(true).optional().describe("Nothing follows."),
  })
  .describe("What the kernel side counted, beside what arrived. Written when the sensor ends.");

export const gapEvent = z
  .object({
    kind: z.literal("sensor.gap"),
    ...eventHead,
    class: z.string().describe("Class of events that is affected; `all`: every one."),
    from: timestamp,
    to: timestamp.nullable().describe("null: until the end."),
    lost: count.nullable().describe("How many are missing; null: not known."),
    reason: z.string().describe("What happened."),
  })
  .describe("Something could not be seen or kept. The same stands in completeness.json.");
