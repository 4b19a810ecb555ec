import * as z from "zod";

/**
 * Version of every file we write. Captures of the earlier program have no `schema_version`; they count as 0.
 * A change that old readers can't take raises it and adds an upgrade step in upgrade.ts.
 */
export const SCHEMA_VERSION = 1;

export const schemaVersion = z.literal(SCHEMA_VERSION).describe("Version of this file's format.");

/** ISO 8601 with offset: ours end in `Z`, those of the earlier program in `+00:00`. */
export const timestamp = z.string().describe("Wall-clock time, ISO 8601.");

export const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe("SHA-256, lower-case hex.");

export const riskLevel = z.enum(["safe", "mild", "severe"]).describe("How dangerous the task may become.");
export type RiskLevel = z.infer<typeof riskLevel>;

/** How well one class of events was seen. The order is from best to worst. */
export const completenessLevel = z
  .enum(["complete", "lossy", "sampled", "absent"])
  .describe(
    "`complete`: everything was seen. `lossy`: a known number is missing. `sampled`: looked at intervals, short-lived things are missed. `absent`: not observed at all.",
  );
export type CompletenessLevel = z.infer<typeof completenessLevel>;

export const count = z.number().int().nonnegative();
export const milliseconds = z.number().nonnegative();
