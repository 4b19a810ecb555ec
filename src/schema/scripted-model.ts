import * as z from "zod";

/**
 * A scripted model: what stands in tasks/models/. The form is aimock's fixture file, narrowed to what a coding agent
 * can be answered, so that a misspelt key is an error and not an answer that never comes.
 */
const nonEmpty = z.string().min(1);
const turn = z.number().int().nonnegative();

const scriptMatch = z
  .strictObject({
    userMessage: nonEmpty.optional().describe("Text that the last user message contains. It tells sessions apart."),
    systemMessage: z
      .union([nonEmpty, z.array(nonEmpty).min(1)])
      .optional()
      .describe("Text, or several, that the system message contains. Needed to answer requests without tools."),
    turnIndex: turn.optional().describe("Exact number of the model's answers before this one in the session, from 0."),
    toolCallId: nonEmpty.optional().describe("Id of the tool call whose result is the last message."),
    toolResultContains: nonEmpty.optional().describe("Text in the tool result that is the last message."),
    hasToolResult: z.boolean().optional().describe("Whether a tool result follows the last user message."),
    toolName: nonEmpty.optional().describe("A tool that the request offers."),
    model: nonEmpty.optional(),
    sequenceIndex: turn.optional().describe("How often this entry was used before. A retried request shifts it."),
    endpoint: z.literal("chat").optional(),
  })
  .describe("All that is named must hold; among entries that hold, the one with `turnIndex` wins.");

const toolArguments = z
  .union([z.record(z.string(), z.unknown()), z.string()])
  .describe("The arguments, or a JSON text that is passed on as it is (also a broken one, to test the agent).");

export const scriptToolCall = z.strictObject({
  id: nonEmpty.optional().describe("Must be unique in the script; without it a random one is made."),
  name: nonEmpty.describe("OpenCode's name of the tool."),
  arguments: toolArguments,
});
export type ScriptToolCall = z.infer<typeof scriptToolCall>;

const scriptBlock = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text: nonEmpty }),
  z.strictObject({ type: z.literal("toolCall"), ...scriptToolCall.shape }),
]);

/** Fields of the wire format that a script may set; they are made up otherwise. */
const envelope = {
  id: nonEmpty.optional(),
  created: z.number().nonnegative().optional(),
  model: nonEmpty.optional(),
  role: nonEmpty.optional(),
  finishReason: nonEmpty.optional(),
  systemFingerprint: nonEmpty.optional(),
  usage: z.looseObject({ prompt_tokens: z.number().optional(), completion_tokens: z.number().optional() }).optional(),
};

const answer = z
  .strictObject({
    content: z.string().optional().describe("What the model says."),
    reasoning: nonEmpty.optional(),
    toolCalls: z.array(scriptToolCall).min(1).optional().describe("Tool calls of this step; several run in parallel."),
    blocks: z.array(scriptBlock).min(1).optional().describe("Text and tool calls in exactly this order."),
    ...envelope,
  })
  .refine((value) => Boolean(value.content) || value.toolCalls !== undefined || value.blocks !== undefined, {
    message: "an answer needs `content`, `toolCalls` or `blocks`",
  });

const failure = z.strictObject({
  error: z.strictObject({ message: nonEmpty, type: nonEmpty.optional(), code: nonEmpty.optional() }),
  status: z.number().int().min(400).max(599).optional().describe("HTTP status, 500 when left out."),
  retryAfter: z.number().nonnegative().optional().describe("Seconds, for status 429."),
});

export const scriptResponse = z.union([answer, failure]);
export type ScriptResponse = z.infer<typeof scriptResponse>;

export const scriptEntry = z.strictObject({
  match: scriptMatch,
  response: scriptResponse,
  latency: z.number().nonnegative().optional().describe("Milliseconds before each piece of the answer."),
  chunkSize: z.number().int().positive().optional().describe("Characters in a piece."),
  truncateAfterChunks: z.number().int().positive().optional().describe("Break the answer off after so many pieces."),
  disconnectAfterMs: z.number().nonnegative().optional().describe("Break the connection after so long."),
  streamingProfile: z
    .strictObject({
      ttft: z.number().nonnegative().optional(),
      tps: z.number().positive().optional(),
      jitter: z.number().min(0).max(1).optional(),
    })
    .optional()
    .describe("Pace: milliseconds to the first piece, pieces a second, share of jitter."),
});
export type ScriptEntry = z.infer<typeof scriptEntry>;

/** The whole file. */
export const script = z.strictObject({
  $schema: z.string().optional(),
  description: z.string().optional().describe("What this persona does, for people."),
  fixtures: z.array(scriptEntry).min(1).describe("The answers."),
});
export type Script = z.infer<typeof script>;

/** Every tool call of an answer, wherever it stands. */
export function toolCallsOf(response: ScriptResponse): ScriptToolCall[] {
  if ("error" in response) return [];
  const inBlocks = (response.blocks ?? []).filter((block) => block.type === "toolCall");
  return [...(response.toolCalls ?? []), ...inBlocks];
}
