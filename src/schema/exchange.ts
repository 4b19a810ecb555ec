import * as z from "zod";
import { count, milliseconds, schemaVersion, sha256, timestamp } from "./common.ts";

export const toolCall = z.object({
  id: z.string().nullable(),
  name: z.string(),
  arguments: z.string().describe("JSON text as the model wrote it, bounded."),
});
export type ToolCall = z.infer<typeof toolCall>;

export const exchangeBody = z.object({
  bytes: count,
  sha256: sha256,
  text: z.string().nullable().describe("The body where it is small enough; else null and `truncated`."),
  truncated: z.boolean(),
});

/** One line of `model/exchanges.jsonl`: one request to the model and its answer, as the gateway saw them. */
export const exchange = z.object({
  schema_version: schemaVersion,
  seq: count,
  started_at: timestamp,
  duration_ms: milliseconds.nullable(),
  first_byte_ms: milliseconds.nullable(),
  method: z.string(),
  path: z.string(),
  wire_format: z.enum(["openai-chat", "openai-responses", "anthropic-messages", "google-generate", "unknown"]),
  session_id: z.string().nullable().describe("From OpenCode's x-session-id header."),
  request_headers: z.record(z.string(), z.string()).describe("Without credentials and cookies."),
  request: exchangeBody,
  status: z.number().int().nullable().describe("HTTP status; null when no answer began."),
  response_headers: z.record(z.string(), z.string()),
  response: exchangeBody.nullable(),
  model: z.string().nullable(),
  message_count: count.nullable().describe("Messages in the request."),
  text: z.string().nullable().describe("Text of the answer, bounded."),
  tool_calls: z.array(toolCall),
  finish_reason: z.string().nullable(),
  usage: z.object({ input_tokens: count.nullable(), output_tokens: count.nullable() }).nullable(),
  error: z.string().nullable().describe("What went wrong, for example a broken connection."),
});
export type Exchange = z.infer<typeof exchange>;
