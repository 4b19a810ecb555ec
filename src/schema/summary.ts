import * as z from "zod";
import { attribution, callEffects } from "./attribution.ts";
import { count, schemaVersion, timestamp } from "./common.ts";
import { discrepancy } from "./discrepancy.ts";
import { completeness } from "./observations.ts";
import { reconciliation } from "./reconciliation.ts";
import { fsDiffView, networkView, processTreeView, runView } from "./view.ts";

export const anomaly = z.object({
  code: z.string().describe("What happened, see above."),
  level: z.enum(["info", "warning", "error"]).describe("How bad it is."),
  message: z.string().describe("English sentence; the viewer has its own words for known codes."),
  params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});
export type Anomaly = z.infer<typeof anomaly>;

export const timelineSource = z
  .enum(["supervisor", "gateway", "process", "network", "filesystem", "agent"])
  .describe("Who saw it. Only `agent` is a claim from inside the container.");
export type TimelineSource = z.infer<typeof timelineSource>;

export const timelineEntry = z.object({
  id: z.string().describe("Stable name of the fact, for example `native:12`, `model:3`, `process:4711@88231`."),
  timestamp,
  source: timelineSource,
  type: z.string().describe("Kind of entry; for the agent the type of the native event."),
  title: z.string().describe("One line."),
  detail: z.string().nullable().describe("More of it, bounded."),
  session_id: z.string().nullable().describe("Session it belongs to."),
  call_id: z.string().nullable().describe("Tool call it belongs to."),
});
export type TimelineEntry = z.infer<typeof timelineEntry>;

export const phase = z.object({
  name: z.string().describe("Name of the phase."),
  started_at: timestamp,
  finished_at: timestamp.nullable(),
  duration_seconds: z.number().nullable().describe("How long it took."),
});
export type Phase = z.infer<typeof phase>;

export const toolUse = z.object({
  key: z
    .string()
    .nullable()
    .describe("`<exchange>.<index>`: names the call at the gateway; null: only the agent tells of it."),
  call_id: z.string().nullable().describe("Tool call it belongs to."),
  session_id: z.string().nullable().describe("Session it belongs to."),
  tool: z.string().describe("Name of the tool."),
  title: z.string().nullable().describe("One line."),
  input: z.string().describe("Arguments, bounded JSON text."),
  status: z
    .enum(["completed", "error", "running", "unknown"])
    .describe("How it ended, by the agent's word; `unknown`: only the model's request was seen."),
  started_at: timestamp.nullable(),
  finished_at: timestamp.nullable(),
  duration_ms: z.number().nullable().describe("How long it took, by the agent's word."),
  output_preview: z.string().nullable().describe("Beginning of its result, by the agent's word."),
  sources: z
    .array(z.enum(["gateway", "agent"]))
    .describe("Who reports it: the gateway saw the model ask for it, the agent says it ran."),
  effects: callEffects
    .nullable()
    .describe("What it really did, by the kernel's events; null: nothing was seen, or there are no such events."),
});
export type ToolUse = z.infer<typeof toolUse>;

export const summaryFile = z.object({
  path: z.string().describe("Relative to the workspace."),
  change_type: z.enum(["created", "modified", "deleted"]).describe("What became of it."),
  sensitive_path: z.boolean().describe("A pattern of config/sensitive_paths.json fits it."),
  claimed: z.boolean().describe("A native event of the agent names it too."),
});
export type SummaryFile = z.infer<typeof summaryFile>;

const summaryRun = runView.omit({ settings: true }).extend({
  title: z.string().nullable().describe("The issue's title, under the earlier program's name."),
});

/**
 * `derived/summary.json`: the normalised summary. Everything in it can be made again from the evidence.
 * Bounded: lists carry at most the number of entries in `limits`, with the true totals beside.
 */
export const summary = z.object({
  schema_version: schemaVersion,
  generated_at: timestamp,
  run: summaryRun.describe("What meta/run.json says of the run and its end; `null`: it does not say."),
  counts: z.object({
    by_type: z.record(z.string(), count).describe("Native events by type."),
    significant_total: count.describe("Native events that are not noise."),
    noise_total: count.describe("Native events that views fold."),
    noise_by_type: z.record(z.string(), count).describe("Those by type."),
    timeline_total: count.describe("Entries of the timeline before it was cut."),
    tools_total: count.describe("Tool calls."),
    files_total: count.describe("Changed paths of the workspace."),
    processes_total: count.describe("Processes that were met."),
    connections_total: count.describe("Connections that were met."),
    exchanges_total: count.describe("Requests to the model."),
    events: z
      .object({
        total: count.describe("Lines of observations/events.jsonl."),
        by_kind: z.record(z.string(), count).describe("Those by kind."),
        commands: count.describe("Programs that were run."),
        hosts: count.describe("Addresses outside the container that were connected to, or tried."),
        names: count.describe("Different names that were asked for."),
      })
      .optional()
      .describe("What the kernel sensor saw; left out where it was not used."),
  }),
  timeline: z.array(timelineEntry).describe("Significant entries in time order; noise only in `noise`."),
  noise: z.array(timelineEntry).describe("Noisy native events, folded when shown; bounded."),
  phases: z.array(phase).describe("The supervisor's phases, with wall-clock times."),
  tools: z.array(toolUse).describe("Tool calls, joined from what the gateway saw and what the agent says."),
  files: z.array(summaryFile).describe("Changed paths of the workspace."),
  final_message: z.string().nullable().describe("The agent's last words; a claim."),
  final_message_source: z
    .enum(["gateway", "agent"])
    .nullable()
    .describe("Where `final_message` was read: the model's last answer at the gateway, or the agent's own events."),
  observations: z.object({
    process: processTreeView.nullable(),
    filesystem: fsDiffView.nullable(),
    network: networkView.nullable(),
  }),
  completeness: completeness.nullable(),
  attribution: attribution
    .nullable()
    .describe("Which tool call caused what; null: the capture has no events of the kernel."),
  discrepancies: z
    .array(discrepancy)
    .nullable()
    .describe("Where what was said and what was done differ, worst first; null: there was nothing to compare with."),
  reconciliation: reconciliation
    .nullable()
    .describe("Where witnesses that should have seen the same differ; null: the capture has no events of the kernel."),
  anomalies: z.array(anomaly).describe("What a reader should know before anything else, worst first."),
  limits: z.record(z.string(), count).describe("Most entries of each list."),
  truncated: z.array(z.string()).describe("Names of the lists that were cut."),
});
export type Summary = z.infer<typeof summary>;
