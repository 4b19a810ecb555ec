import * as z from "zod";

export const discrepancyCode = z.enum([
  "command-not-run",
  "call-not-asked",
  "file-not-written",
  "exit-code-differs",
  "named-command-not-run",
  "named-file-not-written",
  "tests-not-run",
  "tests-failed",
  "network-denied",
  "changes-denied",
  "changes-left-out",
  "unattributed-effects",
  "forged-marks",
]);
export type DiscrepancyCode = z.infer<typeof discrepancyCode>;

/** One place where what was said and what was done differ. */
export const discrepancy = z.object({
  code: discrepancyCode.describe("The rule; docs/attribution.md explains each."),
  direction: z
    .enum(["claimed-not-seen", "done-not-said"])
    .describe("Something was said that did not happen, or happened that was not said."),
  severity: z.enum(["low", "medium", "high"]),
  message: z.object({ en: z.string(), zh: z.string() }).describe("One sentence in each language."),
  calls: z.array(z.string()).describe("`key` of the tool calls that it is about."),
  events: z.array(z.number().int()).describe("`seq` of events in observations/events.jsonl that show it, bounded."),
  claim: z.string().nullable().describe("The words or the value that were claimed, bounded."),
});
export type Discrepancy = z.infer<typeof discrepancy>;
