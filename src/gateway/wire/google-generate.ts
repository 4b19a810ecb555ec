import * as z from "zod";
import { type AnswerBuilder, answerParser } from "./answer-builder.ts";
import { isObject, namedOnce, objectsOf, remoteUrls, senseless } from "./request-parts.ts";
import type { RequestFacts, WireFormat } from "./wire-format.ts";

const PATH = /\/models\/([^/:?]+):(?:streamGenerateContent|generateContent)(?:\?|$)/;
const tokens = z.number().int().nonnegative().nullish();

const part = z.object({
  text: z.string().nullish(),
  thought: z.boolean().nullish(),
  functionCall: z.object({ id: z.string().nullish(), name: z.string(), args: z.unknown().optional() }).nullish(),
});

const chunk = z.object({
  candidates: z
    .array(
      z.object({
        content: z.object({ parts: z.array(part).nullish() }).nullish(),
        finishReason: z.string().nullish(),
      }),
    )
    .nullish(),
  promptFeedback: z.object({ blockReason: z.string().nullish() }).nullish(),
  usageMetadata: z
    .object({
      promptTokenCount: tokens,
      candidatesTokenCount: tokens,
      thoughtsTokenCount: tokens,
      cachedContentTokenCount: tokens,
    })
    .nullish(),
  error: z.object({ message: z.string() }).nullish(),
});
type Chunk = z.infer<typeof chunk>;

/** Only declared functions are the agent's; searches, code execution, URL context and MCP servers act at the provider. */
const CLIENT_TOOLS: ReadonlySet<string> = new Set(["functionDeclarations", "function_declarations"]);

function providerTools(body: Record<string, unknown>): string[] {
  const kinds = objectsOf(body["tools"]).flatMap((tool) => Object.keys(tool));
  const parts = objectsOf(body["contents"]).flatMap((content) => objectsOf(content["parts"]));
  return namedOnce([...kinds.filter((kind) => !CLIENT_TOOLS.has(kind)), ...remoteUrls(parts)]);
}

/** `POST …/models/MODEL:streamGenerateContent` or `:generateContent`. Its tool calls need not have ids. */
export const googleGenerate: WireFormat = {
  name: "google-generate",
  matches: (method, path) => method === "POST" && PATH.test(path),
  describeRequest(body, path): RequestFacts {
    if (!isObject(body) || !Array.isArray(body["contents"])) return senseless("it has no list `contents`");
    return {
      model: PATH.exec(path)?.[1] ?? null,
      messageCount: body["contents"].length,
      providerTools: providerTools(body),
    };
  },
  createParser: (contentType, limits) => answerParser(contentType, limits, take),
};

function take(json: unknown, builder: AnswerBuilder): boolean {
  // An error comes as a list of one where an answer is not streamed as events.
  const parsed = chunk.safeParse(Array.isArray(json) && json.length === 1 ? json[0] : json);
  if (parsed.success) add(parsed.data, builder);
  return parsed.success;
}

function add(piece: Chunk, builder: AnswerBuilder): void {
  if (piece.error) builder.fail(piece.error.message);
  addUsage(piece.usageMetadata, builder);
  const candidate = piece.candidates?.[0];
  for (const one of candidate?.content?.parts ?? []) {
    if (one.thought === true) builder.addReasoning(one.text);
    else builder.addText(one.text);
    const call = one.functionCall;
    if (!call) continue;
    const args = JSON.stringify(call.args ?? {});
    builder.addCall(builder.callCount, { id: call.id ?? null, name: call.name, arguments: args });
  }
  const finish = candidate?.finishReason ?? piece.promptFeedback?.blockReason;
  if (!finish) return;
  builder.finishReason = finish;
  // The stream has no other end mark.
  builder.ended = true;
}

function addUsage(usage: Chunk["usageMetadata"], builder: AnswerBuilder): void {
  if (!usage) return;
  const { candidatesTokenCount: said, thoughtsTokenCount: thought } = usage;
  builder.addUsage({
    input_tokens: usage.promptTokenCount,
    output_tokens: typeof said === "number" || typeof thought === "number" ? (said ?? 0) + (thought ?? 0) : null,
    cache_read_tokens: usage.cachedContentTokenCount,
  });
}
