import * as z from "zod";
import { type AnswerBuilder, answerParser } from "./answer-builder.ts";
import { isObject, modelOf, namedOnce, nameOf, objectsOf, remoteUrls, senseless } from "./request-parts.ts";
import type { RequestFacts, WireFormat } from "./wire-format.ts";

const tokens = z.number().int().nonnegative().nullish();
const place = z.number().int().nonnegative().nullish();

const item = z.object({
  type: z.string(),
  call_id: z.string().nullish(),
  name: z.string().nullish(),
  arguments: z.string().nullish(),
  input: z.string().nullish(),
  content: z.array(z.object({ type: z.string(), text: z.string().nullish() })).nullish(),
  summary: z.array(z.object({ text: z.string().nullish() })).nullish(),
});
type Item = z.infer<typeof item>;

const wholeResponse = z.object({
  status: z.string().nullish(),
  output: z.array(item).nullish(),
  incomplete_details: z.object({ reason: z.string().nullish() }).nullish(),
  error: z.object({ message: z.string() }).nullish(),
  usage: z
    .object({
      input_tokens: tokens,
      output_tokens: tokens,
      input_tokens_details: z.object({ cached_tokens: tokens }).nullish(),
    })
    .nullish(),
});

/** Every kind of event of the stream in one; the kinds differ in what they fill. */
const event = z.object({
  type: z.string(),
  output_index: place,
  delta: z.string().nullish().catch(null),
  arguments: z.string().nullish(),
  item: item.nullish(),
  response: wholeResponse.nullish(),
  message: z.string().nullish(),
  error: z.object({ message: z.string() }).nullish(),
});
type Event = z.infer<typeof event>;

const END_EVENTS: ReadonlySet<string> = new Set(["response.completed", "response.incomplete", "response.failed"]);
const REASONING_DELTA = /^response\.reasoning(?:_summary)?_text\.delta$/;
/** Tools that the agent runs; every other type acts at the provider. */
const CLIENT_TOOLS: ReadonlySet<string> = new Set([
  "function",
  "custom",
  "local_shell",
  "apply_patch",
  "computer_use_preview",
]);

function providerTools(body: Record<string, unknown>): string[] {
  const tools = objectsOf(body["tools"]).filter((tool) => !CLIENT_TOOLS.has(nameOf(tool["type"])));
  const names = tools.map((tool) => {
    const server = tool["server_url"];
    return `${nameOf(tool["type"])}${typeof server === "string" ? `:${server}` : ""}`;
  });
  const stored = isObject(body["prompt"]) ? ["stored-prompt"] : [];
  const items = objectsOf(body["input"]);
  const parts = items.flatMap((one) => [...objectsOf(one["content"]), ...objectsOf(one["output"])]);
  return namedOnce([...names, ...stored, ...remoteUrls(parts)]);
}

/** `POST …/responses`, streamed or whole. */
export const openaiResponses: WireFormat = {
  name: "openai-responses",
  matches: (method, path) => method === "POST" && /\/responses(?:\?|$)/.test(path),
  describeRequest(body): RequestFacts {
    if (!isObject(body)) return senseless("it is no object");
    const { input } = body;
    if (typeof input !== "string" && !Array.isArray(input)) return senseless("it has no `input`");
    return {
      model: modelOf(body["model"]),
      messageCount: typeof input === "string" ? 1 : input.length,
      providerTools: providerTools(body),
    };
  },
  createParser: (contentType, limits) => answerParser(contentType, limits, take),
};

function take(json: unknown, builder: AnswerBuilder): boolean {
  const streamed = event.safeParse(json);
  if (streamed.success) {
    add(streamed.data, builder);
    return true;
  }
  const whole = wholeResponse.safeParse(json);
  if (!whole.success) return false;
  for (const [index, one] of (whole.data.output ?? []).entries()) addItem(one, index, builder);
  addEnd(whole.data, builder);
  return true;
}

function add(one: Event, builder: AnswerBuilder): void {
  const index = one.output_index ?? 0;
  if (one.type === "error" || one.error)
    builder.fail(one.error?.message ?? one.message ?? "the model reports an error");
  if (one.type === "response.output_text.delta") builder.addText(one.delta);
  if (REASONING_DELTA.test(one.type)) builder.addReasoning(one.delta);
  if (one.type === "response.output_item.added" && one.item) openCall(one.item, index, builder);
  if (isArgumentsDelta(one.type)) builder.addCall(index, { arguments: one.delta ?? null });
  // What came in parts is not taken again; some servers send calls whole, without parts.
  if (one.type === "response.output_item.done" && one.item && isCall(one.item) && !builder.hasArguments(index)) {
    addItem(one.item, index, builder);
  }
  if (!END_EVENTS.has(one.type)) return;
  builder.ended = true;
  if (one.response) addEnd(one.response, builder);
}

function isArgumentsDelta(type: string): boolean {
  return type === "response.function_call_arguments.delta" || type === "response.custom_tool_call_input.delta";
}

function isCall(one: Item): boolean {
  return one.type === "function_call" || one.type === "custom_tool_call";
}

function openCall(one: Item, index: number, builder: AnswerBuilder): void {
  if (isCall(one)) builder.addCall(index, { id: one.call_id ?? null, name: one.name ?? null });
}

function addItem(one: Item, index: number, builder: AnswerBuilder): void {
  if (isCall(one)) {
    const args = one.arguments ?? one.input ?? null;
    builder.addCall(index, { id: one.call_id ?? null, name: one.name ?? null, arguments: args });
  }
  if (one.type === "message") for (const part of one.content ?? []) builder.addText(part.text);
  if (one.type === "reasoning") for (const part of one.summary ?? []) builder.addReasoning(part.text);
}

function addEnd(response: z.infer<typeof wholeResponse>, builder: AnswerBuilder): void {
  if (response.error) builder.fail(response.error.message);
  builder.finishReason = response.incomplete_details?.reason ?? response.status ?? builder.finishReason;
  const { usage } = response;
  if (!usage) return;
  builder.addUsage({
    input_tokens: usage.input_tokens,
    output_tokens: usage.output_tokens,
    cache_read_tokens: usage.input_tokens_details?.cached_tokens,
  });
}
