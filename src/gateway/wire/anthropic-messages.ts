import * as z from "zod";
import { type AnswerBuilder, answerParser } from "./answer-builder.ts";
import { isObject, modelOf, namedOnce, nameOf, objectsOf, remoteUrls, senseless } from "./request-parts.ts";
import type { RequestFacts, WireFormat } from "./wire-format.ts";

const tokens = z.number().int().nonnegative().nullish();

const usage = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  cache_read_input_tokens: tokens,
  cache_creation_input_tokens: tokens,
});

const block = z.object({
  type: z.string(),
  text: z.string().nullish(),
  thinking: z.string().nullish(),
  id: z.string().nullish(),
  name: z.string().nullish(),
  input: z.unknown().optional(),
});
type Block = z.infer<typeof block>;

/** Every kind of event of the stream, and the whole answer (`type: "message"`), in one. */
const event = z.object({
  type: z.string(),
  index: z.number().int().nonnegative().nullish(),
  message: z.object({ usage: usage.nullish() }).nullish(),
  content_block: block.nullish(),
  delta: z
    .object({
      text: z.string().nullish(),
      thinking: z.string().nullish(),
      partial_json: z.string().nullish(),
      stop_reason: z.string().nullish(),
    })
    .nullish(),
  usage: usage.nullish(),
  error: z.object({ message: z.string() }).nullish(),
  content: z.array(block).nullish(),
  stop_reason: z.string().nullish(),
});
type Event = z.infer<typeof event>;

/** Tools that the client runs although Anthropic defines them; every other type acts at the provider. */
const CLIENT_TOOL = /^(?:custom|(?:bash|text_editor|computer|memory)(?:_\d+)?)$/;

function providerTools(body: Record<string, unknown>): string[] {
  const types = objectsOf(body["tools"]).map((tool) => nameOf(tool["type"] ?? "custom"));
  const servers = objectsOf(body["mcp_servers"]).map((server) => `mcp:${nameOf(server["url"])}`);
  const container = body["container"] === undefined || body["container"] === null ? [] : ["container"];
  const parts = objectsOf(body["messages"]).flatMap((message) => objectsOf(message["content"]));
  const results = parts.flatMap((part) => objectsOf(part["content"]));
  const urls = remoteUrls([...parts, ...results]);
  return namedOnce([...types.filter((type) => !CLIENT_TOOL.test(type)), ...servers, ...container, ...urls]);
}

/** `POST …/messages`, streamed or whole. */
export const anthropicMessages: WireFormat = {
  name: "anthropic-messages",
  matches: (method, path) => method === "POST" && /\/messages(?:\?|$)/.test(path),
  describeRequest(body): RequestFacts {
    if (!isObject(body) || !Array.isArray(body["messages"])) return senseless("it has no list `messages`");
    return {
      model: modelOf(body["model"]),
      messageCount: body["messages"].length,
      providerTools: providerTools(body),
    };
  },
  createParser: (contentType, limits) => answerParser(contentType, limits, take),
};

function take(json: unknown, builder: AnswerBuilder): boolean {
  const parsed = event.safeParse(json);
  if (!parsed.success) return false;
  add(parsed.data, builder);
  return true;
}

function add(one: Event, builder: AnswerBuilder): void {
  if (one.error) builder.fail(one.error.message);
  addUsage(one.message?.usage ?? one.usage, builder);
  const stop = one.delta?.stop_reason ?? one.stop_reason;
  if (stop) builder.finishReason = stop;
  if (one.type === "message_stop") builder.ended = true;
  const index = one.index ?? 0;
  if (one.content_block) addBlock(one.content_block, index, builder);
  for (const [position, whole] of (one.content ?? []).entries()) addBlock(whole, position, builder);
  if (one.type !== "content_block_delta" || !one.delta) return;
  builder.addText(one.delta.text);
  builder.addReasoning(one.delta.thinking);
  // Server-side tools stream their input too; only calls that the agent is to run were opened as such.
  if (builder.isOpen(index)) builder.addCall(index, { arguments: one.delta.partial_json ?? null });
}

function addBlock(one: Block, index: number, builder: AnswerBuilder): void {
  builder.addText(one.text);
  builder.addReasoning(one.thinking);
  if (one.type !== "tool_use") return;
  const whole = isObject(one.input) && Object.keys(one.input).length > 0 ? JSON.stringify(one.input) : null;
  builder.addCall(index, { id: one.id ?? null, name: one.name ?? null, arguments: whole });
}

/** The count of input tokens leaves out what the cache served or took; ours has them all. */
function addUsage(counts: z.infer<typeof usage> | null | undefined, builder: AnswerBuilder): void {
  if (!counts) return;
  const { input_tokens: fresh, cache_read_input_tokens: read, cache_creation_input_tokens: written } = counts;
  builder.addUsage({
    input_tokens: typeof fresh === "number" ? fresh + (read ?? 0) + (written ?? 0) : null,
    output_tokens: counts.output_tokens,
    cache_read_tokens: read,
    cache_write_tokens: written,
  });
}
