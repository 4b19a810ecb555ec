import * as z from "zod";
import { count, milliseconds, schemaVersion, sha256, timestamp } from "./common.ts";

export const wireFormat = z
  .enum(["openai-chat", "openai-responses", "anthropic-messages", "google-generate", "unknown"])
  .describe("Which provider's HTTP interface was spoken.");
export type WireFormatName = z.infer<typeof wireFormat>;

export const toolCall = z.object({
  id: z.string().nullable().describe("Id that the model gave the call; null where the wire format has none."),
  name: z.string().describe("Name of the tool."),
  arguments: z.string().describe("JSON text as the model wrote it, bounded."),
});
export type ToolCall = z.infer<typeof toolCall>;

export const exchangeBody = z.object({
  bytes: count.describe("Bytes that were seen, kept or not."),
  sha256: sha256.describe("Hash of all bytes that were seen."),
  text: z.string().nullable().describe("The body where it is small and text; else null, see `file`."),
  file: z
    .string()
    .nullable()
    .describe(
      "Where a body stands that is not in `text`, relative to `model/`: `bodies/<sha256>`, with `.part` behind it where bytes are missing. Equal bodies share it.",
    ),
  truncated: z.boolean().describe("True when bytes are missing: neither `text` nor `file` has them all."),
});
export type ExchangeBody = z.infer<typeof exchangeBody>;

export const exchangeErrorKind = z
  .enum([
    "client-aborted",
    "gateway-closed",
    "request-malformed",
    "request-too-large",
    "request-refused",
    "gateway-busy",
    "gateway-failed",
    "unscripted",
    "limit-reached",
    "model-unreachable",
    "model-timeout",
    "model-broke-off",
    "model-error",
  ])
  .describe(
    "Who failed. `client-…`, `request-…`: the agent's side. `gateway-…`: ours. `unscripted`: the script has no answer. `limit-reached`: the run may use no more of the model, or not so fast. `model-error`: the model answered with an error status; the other `model-…`: no whole answer came.",
  );
export type ExchangeErrorKind = z.infer<typeof exchangeErrorKind>;

export const answerState = z
  .enum(["complete", "cut", "unfinished", "unreadable", "none"])
  .describe(
    "How far `text` and `tool_calls` tell the answer. `complete`: all of it. `cut`: a limit of ours left something out. `unfinished`: the answer ended before its own end mark. `unreadable`: not in the format it should be. `none`: no answer, or a format that is not parsed.",
  );
export type AnswerState = z.infer<typeof answerState>;

export const exchangeUsage = z.object({
  input_tokens: count.nullable().describe("All of the input, cached parts included."),
  output_tokens: count.nullable().describe("All of the output, reasoning included."),
  cache_read_tokens: count.nullable().default(null).describe("Input that came from the provider's cache."),
  cache_write_tokens: count.nullable().default(null).describe("Input that was put into the provider's cache."),
});
export type ExchangeUsage = z.infer<typeof exchangeUsage>;

const exchangeUpstream = z.object({
  url: z.string().describe("Where the request went, without secrets."),
  content_encoding: z
    .string()
    .nullable()
    .describe("How the provider had packed the answer; it was unpacked before it was passed on and recorded."),
  redactions: count.describe("Places of the answer where the provider repeated the key; it was replaced by `*`."),
  held_ms: milliseconds.describe("How long the gateway held the request back, to keep the limit of requests a minute."),
});

/** One line of `model/exchanges.jsonl`: one request to the model and its answer, as the gateway saw them. */
export const exchange = z.object({
  schema_version: schemaVersion,
  seq: count.describe("Order of the requests' beginnings, from 0. Lines stand in the order of their ends."),
  started_at: timestamp,
  duration_ms: milliseconds.nullable().describe("From the request's beginning to the end of the answer."),
  first_byte_ms: milliseconds
    .nullable()
    .describe("From the request's beginning to the first byte of the answer's body."),
  method: z.string().describe("HTTP method."),
  path: z.string().describe("HTTP path."),
  wire_format: wireFormat,
  session_id: z.string().nullable().describe("From OpenCode's x-session-id header: a claim of the agent."),
  request_headers: z.record(z.string(), z.string()).describe("Without credentials and cookies."),
  request: exchangeBody,
  status: z.number().int().nullable().describe("HTTP status; null when no answer began."),
  response_headers: z.record(z.string(), z.string()).describe("Without credentials and cookies."),
  response: exchangeBody.nullable().describe("What the agent was sent; null when no answer began."),
  model: z.string().nullable().describe("Model asked for."),
  message_count: count.nullable().describe("Messages in the request."),
  answer_state: answerState,
  text: z.string().nullable().describe("Text of the answer, bounded."),
  reasoning: z.string().nullable().describe("What the model wrote as its reasoning, bounded."),
  tool_calls: z.array(toolCall).describe("Tools that the model asked for."),
  finish_reason: z.string().nullable().describe("Why the model stopped, in the words of the wire format."),
  usage: exchangeUsage.nullable(),
  cost_usd: z
    .number()
    .nonnegative()
    .nullable()
    .default(null)
    .describe("What it cost: by the provider's word, else by the known prices; null: not known."),
  provider_tools: z
    .array(z.string())
    .default([])
    .describe(
      "What the request lets the provider do by itself, out of sight: web search, code execution, remote MCP servers, `remote-url`.",
    ),
  request_id: z.string().nullable().default(null).describe("The provider's own id of the request."),
  arrivals: z
    .array(z.tuple([milliseconds, count]))
    .default([])
    .describe(
      "When the answer's body came: pairs of milliseconds since the request's beginning and bytes. Neighbours are put together where there are many.",
    ),
  upstream: exchangeUpstream.nullable().default(null).describe("Live models only."),
  error_kind: exchangeErrorKind.nullable(),
  error: z.string().nullable().describe("What went wrong, in words; null exactly when `error_kind` is."),
});
export type Exchange = z.infer<typeof exchange>;
