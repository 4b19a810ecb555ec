import * as z from "zod";
import { count, schemaVersion, timestamp } from "./common.ts";
import { completeness, fsDiff, network, processTree } from "./observations.ts";

export const anomaly = z.object({
  code: z.string(),
  level: z.enum(["info", "warning", "error"]),
  message: z.string().describe("English sentence; the viewer has its own words for known codes."),
  params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});
export type Anomaly = z.infer<typeof anomaly>;

export const timelineEntry = z.object({
  id: z.string().describe("Stable name of the fact, for example `native:12`, `model:3`, `process:4711@88231`."),
  timestamp,
  source: z.enum(["supervisor", "gateway", "process", "network", "filesystem", "agent"]),
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

/**
 * `derived/summary.json`: the normalised summary. Everything in it can be made again from the evidence.
 * Bounded: lists carry at most the number of entries in `limits`, with the true totals beside.
 */
export const summary = z.object({
  schema_version: schemaVersion,
  generated_at: timestamp,
  run: z.record(z.string(), z.unknown()).describe("The keys of meta/run.json that describe the run and its end."),
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
  observations: z.object({
    process: processTree.partial().nullable(),
    filesystem: fsDiff.partial().nullable(),
    network: network.partial().nullable(),
  }),
  completeness: completeness.nullable(),
  anomalies: z.array(anomaly),
  truncated: z.array(z.string()).describe("Names of the lists that were cut."),
});
export type Summary = z.infer<typeof summary>;
