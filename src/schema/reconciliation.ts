import * as z from "zod";
import { count } from "./common.ts";

/** Parts of derived/summary.json that hold witnesses against each other which did not look at the same thing. */

const mismatchClass = z.enum(["file", "process", "network"]).describe("What it is about.");

const mismatchKind = z
  .enum([
    "change-without-event",
    "event-without-change",
    "process-without-end",
    "process-without-beginning",
    "flow-without-connect",
    "connect-without-flow",
  ])
  .describe("Which of two witnesses is silent; docs/reconciliation.md explains each.");

/** One fact that one witness tells of and the other, who should have seen it too, does not. */
export const mismatch = z.object({
  class: mismatchClass,
  kind: mismatchKind,
  what: z.string().describe("The path, the command or the flow, one line, bounded."),
  evidence: z
    .array(z.string())
    .describe(
      "Where it stands, bounded: `event:<seq>` in observations/events.jsonl, `change:<absolute path>` in observations/fs_diff.json, `flow:<number>` of the packets.",
    ),
});
export type Mismatch = z.infer<typeof mismatch>;

export const crossCheckName = z
  .enum(["changes", "file-events", "processes", "flows", "connects"])
  .describe(
    "`changes`: every changed path has an event that explains it. `file-events`: every path that events leave changed is in the file diff. `processes`: every process has a beginning and an end. `flows`: every flow of packets has a connect. `connects`: every connect has packets.",
  );
export type CrossCheckName = z.infer<typeof crossCheckName>;

/** What one check looked at. */
export const crossCheck = z.object({
  check: crossCheckName,
  compared: count.describe("Facts that were looked at."),
  matched: count.describe("Of these, told by both witnesses."),
  explained: z.record(z.string(), count).describe("Of these, told by one only for a documented reason, by rule."),
  unmatched: count.describe("The rest: told by one witness only."),
  skipped: z
    .string()
    .nullable()
    .describe("Why nothing was compared, or not all: a witness that was absent or had a hole proves nothing."),
});
export type CrossCheck = z.infer<typeof crossCheck>;

export const reconciliation = z.object({
  total: count.describe("Mismatches of all checks."),
  mismatches: z.array(mismatch).describe("The first of each check, bounded."),
  checks: z.array(crossCheck),
});
export type Reconciliation = z.infer<typeof reconciliation>;
