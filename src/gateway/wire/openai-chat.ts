import * as z from "zod";
import { type AnswerBuilder, answerParser } from "./answer-builder.ts";
import { isObject, modelOf, namedOnce, nameOf, objectsOf, remoteUrls, senseless } from "./request-parts.ts";
import type { AnswerParser, RequestFacts, WireFormat } from "./wire-format.ts";

const tokens = z.number().int().nonnegative().nullish();

const callDelta = z.object({
  index: z.number().int().nonnegative().optional(),
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).optional(),
});

/** A piece of a stream (`delta`) and a whole answer (`message`) differ in this name alone. */
const delta = z.object({
  content: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
  tool_calls: z.array(callDelta).nullish(),
});

const chunk = z.object({
  choices: z
    .array(z.object({ delta: delta.nullish(), message: delta.nullish(), finish_reason: z.string().nullish() }))
    .nullish(),
  usage: z
    .object({
      prompt_tokens: tokens,
      completion_tokens: tokens,
      prompt_tokens_details: z.object({ cached_tokens: tokens, cache_write_tokens: tokens }).nullish(),
      cost: z.number().nullish(),
    })
    .nullish(),
  error: z.object({ message: z.string() }).nullish(),
});
type Chunk = z.infer<typeof chunk>;

/** By hand and not by a schema: that would copy a request of megabytes at every turn. */
function requestProblem(body: unknown): string | undefined {
  if (!isObject(body) || !Array.isArray(body["messages"])) return "it has no list `messages`";
  const message = body["messages"].findIndex((one: unknown) => !isObject(one) || typeof one["role"] !== "string");
  if (message >= 0) return `messages[${message}] has no role`;
  const tools = body["tools"] ?? [];
  if (!Array.isArray(tools)) return "`tools` is no list";
  const tool = tools.findIndex((one: unknown) => !isObject(one) || !(isObject(one["function"]) || "type" in one));
  return tool >= 0 ? `tools[${tool}] is no tool` : undefined;
}

/** Anything but a function is run by the provider; so are OpenRouter's plugins and its `:online` models. */
function providerTools(body: Record<string, unknown>): string[] {
  const tools = objectsOf(body["tools"]).filter((tool) => !isObject(tool["function"]) && tool["type"] !== "custom");
  const options = ["web_search_options", "search_parameters", "plugins"].filter((key) => body[key] !== undefined);
  const online = modelOf(body["model"])?.endsWith(":online") ? [":online"] : [];
  const parts = objectsOf(body["messages"]).flatMap((message) => objectsOf(message["content"]));
  return namedOnce([...tools.map((tool) => nameOf(tool["type"])), ...options, ...online, ...remoteUrls(parts)]);
}

/** `POST …/chat/completions`, streamed or whole. */
export const openaiChat: WireFormat = {
  name: "openai-chat",
  matches: (method, path) => method === "POST" && /\/chat\/completions(?:\?|$)/.test(path),
  describeRequest(body): RequestFacts {
    const problem = requestProblem(body);
    if (problem !== undefined || !isObject(body)) return senseless(problem ?? "it is no object");
    return {
      model: modelOf(body["model"]),
      messageCount: objectsOf(body["messages"]).length,
      providerTools: providerTools(body),
    };
  },
  createParser: (contentType, limits): AnswerParser => answerParser(contentType, limits, take),
};

function take(json: unknown, builder: AnswerBuilder): boolean {
  const parsed = chunk.safeParse(json);
  if (parsed.success) add(parsed.data, builder);
  return parsed.success;
}

function add(piece: Chunk, builder: AnswerBuilder): void {
  if (piece.error) builder.fail(piece.error.message);
  if (piece.usage) addUsage(piece.usage, builder);
  // Only one choice is ever asked for.
  const choice = piece.choices?.[0];
  if (choice === undefined) return;
  if (choice.finish_reason) builder.finishReason = choice.finish_reason;
  const part = choice.delta ?? choice.message;
  builder.addText(part?.content);
  builder.addReasoning(part?.reasoning_content ?? part?.reasoning);
  for (const [position, call] of (part?.tool_calls ?? []).entries()) {
    const { name = null, arguments: args = null } = call.function ?? {};
    builder.addCall(call.index ?? position, { id: call.id ?? null, name, arguments: args });
  }
}

function addUsage(usage: NonNullable<Chunk["usage"]>, builder: AnswerBuilder): void {
  builder.addUsage({
    input_tokens: usage.prompt_tokens,
    output_tokens: usage.completion_tokens,
    cache_read_tokens: usage.prompt_tokens_details?.cached_tokens,
    cache_write_tokens: usage.prompt_tokens_details?.cache_write_tokens,
  });
  builder.addCost(usage.cost);
}
