import * as z from "zod";
import { count, schemaVersion, timestamp } from "./common.ts";
import { completeness } from "./observations.ts";
import { fsDiffView, networkView, processTreeView, runView } from "./view.ts";

export const anomaly = z.object({
  code: z.string(),
  level: z.enum(["info", "warning", "error"]),
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
  type: z.string(),
  title: z.string(),
  detail: z.string().nullable(),
  session_id: z.string().nullable(),
  call_id: z.string().nullable(),
});
export type TimelineEntry = z.infer<typeof timelineEntry>;

export const phase = z.object({
  name: z.string(),
  started_at: timestamp,
  finished_at: timestamp.nullable(),
  duration_seconds: z.number().nullable(),
});
export type Phase = z.infer<typeof phase>;

export const toolUse = z.object({
  call_id: z.string().nullable(),
  session_id: z.string().nullable(),
  tool: z.string(),
  title: z.string().nullable(),
  input: z.string().describe("Arguments, bounded JSON text."),
  status: z.enum(["completed", "error", "running", "unknown"]),
  started_at: timestamp.nullable(),
  finished_at: timestamp.nullable(),
  duration_ms: z.number().nullable(),
  output_preview: z.string().nullable(),
  sources: z
    .array(z.enum(["gateway", "agent"]))
    .describe("Who reports it: the gateway saw the model ask for it, the agent says it ran."),
});
export type ToolUse = z.infer<typeof toolUse>;

export const summaryFile = z.object({
  path: z.string(),
  change_type: z.enum(["created", "modified", "deleted"]),
  sensitive_path: z.boolean(),
  claimed: z.boolean().describe("A native event of the agent names it too."),
});
export type SummaryFile = z.infer<typeof summaryFile>;

export const summaryRun = runView.omit({ settings: true }).extend({
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
    significant_total: count,
    noise_total: count,
    noise_by_type: z.record(z.string(), count),
    timeline_total: count,
    tools_total: count,
    files_total: count,
    processes_total: count,
    connections_total: count,
    exchanges_total: count,
  }),
  timeline: z.array(timelineEntry).describe("Significant entries in time order; noise only in `noise`."),
  noise: z.array(timelineEntry).describe("Noisy native events, folded when shown; bounded."),
  phases: z.array(phase),
  tools: z.array(toolUse),
  files: z.array(summaryFile),
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
  anomalies: z.array(anomaly),
  limits: z.record(z.string(), count).describe("Most entries of each list."),
  truncated: z.array(z.string()).describe("Names of the lists that were cut."),
});
export type Summary = z.infer<typeof summary>;
