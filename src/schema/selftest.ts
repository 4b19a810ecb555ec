import * as z from "zod";
import { count, schemaVersion, timestamp } from "./common.ts";

const selftestVerdict = z
  .enum(["complete", "lossy", "blind"])
  .describe("`complete`: everything that was done was seen, and nothing else. `blind`: nothing of a class was seen.");

const selftestClass = z.object({
  id: z.string().describe("Name of the class, for scripts."),
  title: z.string().describe("What was done."),
  expected: count.describe("How often it was done, by the programs' own account."),
  seen: count.describe("How many of these the sensor recorded exactly."),
  lost: count.describe("How many it did not."),
  phantom: count.describe("Records of things that were not done."),
  verdict: selftestVerdict,
});
export type SelftestClass = z.infer<typeof selftestClass>;

/** Result of `opencode-capture selftest`: how much of known work the sensor of this machine sees. */
export const selftestResult = z.object({
  schema_version: schemaVersion,
  finished_at: timestamp,
  tool_version: z.string().describe("Version of opencode-capture."),
  kernel: z.string().describe("Release of the kernel."),
  engine: z.string().describe("Engine, version and runtime."),
  sensor: z.string().describe("The sensor that was tested."),
  per_second: count.describe("Instances a second that were done."),
  duration_seconds: z.number().nonnegative(),
  classes: z.array(selftestClass),
  reported_lost: count.nullable().describe("Records that the sensor itself says are missing; null: it can't tell."),
  verdict: selftestVerdict.describe("The worst of the classes."),
});
export type SelftestResult = z.infer<typeof selftestResult>;

/** What `meta/run.json` keeps of the last self-test on the machine. */
export const selftestReference = z.object({
  finished_at: timestamp,
  tool_version: z.string().describe("Version of opencode-capture that was tested."),
  kernel: z.string().describe("Release of the kernel at the time."),
  sensor: z.string().describe("The sensor that was tested."),
  verdict: selftestVerdict,
});
