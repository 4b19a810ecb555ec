import * as z from "zod";
import { BoundedText, type CharBudget } from "./bounded-text.ts";
import { SseReader } from "./sse.ts";
import type { AnswerFacts, AnswerLimits, AnswerParser, RequestFacts, WireFormat } from "./wire-format.ts";
import { NO_ANSWER } from "./wire-format.ts";

/** Longest event or whole answer that is parsed; the bytes themselves are kept apart from this. */
const MAX_PARSED_CHARS = 1024 * 1024;

const callDelta = z.object({
  index: z.number().int().nonnegative().optional(),
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).optional(),
});

/** A piece of a stream (`delta`) and a whole answer (`message`) differ in this name alone. */
const delta = z.object({
  content: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  tool_calls: z.array(callDelta).nullish(),
});

const chunk = z.object({
  choices: z
    .array(z.object({ delta: delta.optional(), message: delta.optional(), finish_reason: z.string().nullish() }))
    .optional(),
  usage: z
    .object({
      prompt_tokens: z.number().int().nonnegative().nullish(),
      completion_tokens: z.number().int().nonnegative().nullish(),
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
  const tool = tools.findIndex((one: unknown) => !isObject(one) || !isObject(one["function"]));
  return tool >= 0 ? `tools[${tool}] is no function` : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** `POST …/chat/completions`, streamed or whole. */
export const openaiChat: WireFormat = {
  name: "openai-chat",
  matches: (method, path) => method === "POST" && /\/chat\/completions(?:\?|$)/.test(path),
  describeRequest(body): RequestFacts {
    const problem = requestProblem(body);
    if (problem !== undefined) return { model: null, messageCount: null, problem };
    const { model, messages } = body as { model?: unknown; messages: unknown[] };
    return { model: typeof model === "string" ? model : null, messageCount: messages.length };
  },
  createParser(contentType, limits): AnswerParser {
    const answer = new ChatAnswer(limits);
    return /^text\/event-stream\b/i.test(contentType) ? streamParser(answer) : wholeParser(answer);
  },
};

function streamParser(answer: ChatAnswer): AnswerParser {
  let atEnd = false;
  const reader = new SseReader(MAX_PARSED_CHARS, ({ data }) => {
    if (data === "[DONE]") answer.ended = true;
    // Half an event at the end of a broken stream is no fault of the format.
    else if (!answer.addJson(data) && !atEnd) answer.unreadable = true;
  });
  return {
    push: (bytes) => reader.push(bytes),
    finish() {
      atEnd = true;
      reader.end();
      if (reader.dropped > 0) answer.cut = true;
      return answer.facts();
    },
  };
}

function wholeParser(answer: ChatAnswer): AnswerParser {
  const text = new BoundedText({ left: MAX_PARSED_CHARS });
  const decoder = new TextDecoder();
  return {
    push: (bytes) => text.append(decoder.decode(bytes, { stream: true })),
    finish() {
      if (text.isEmpty) return { ...NO_ANSWER, state: "unfinished" };
      if (text.cut) answer.cut = true;
      else if (!answer.addJson(text.toString())) answer.unreadable = true;
      answer.ended = true;
      return answer.facts();
    },
  };
}

interface OpenCall {
  id: string | null;
  name: string;
  arguments: BoundedText;
}

class ChatAnswer {
  readonly #limits: AnswerLimits;
  readonly #budget: CharBudget;
  readonly #text: BoundedText;
  readonly #reasoning: BoundedText;
  readonly #calls = new Map<number, OpenCall>();
  #finishReason: string | null = null;
  #usage: AnswerFacts["usage"] = null;
  #error: string | null = null;
  /** The answer's own end mark came. */
  ended = false;
  cut = false;
  unreadable = false;

  constructor(limits: AnswerLimits) {
    this.#limits = limits;
    this.#budget = { left: limits.answerChars };
    this.#text = new BoundedText(this.#budget);
    this.#reasoning = new BoundedText(this.#budget);
  }

  /** Takes one event, or the whole answer. @returns false when it is not what the format says. */
  addJson(json: string): boolean {
    try {
      const parsed = chunk.safeParse(JSON.parse(json));
      if (parsed.success) this.#add(parsed.data);
      return parsed.success;
    } catch {
      return false;
    }
  }

  #add(piece: Chunk): void {
    if (piece.error) this.#error = piece.error.message.slice(0, this.#limits.answerChars);
    if (piece.usage) {
      this.#usage = {
        input_tokens: piece.usage.prompt_tokens ?? null,
        output_tokens: piece.usage.completion_tokens ?? null,
      };
    }
    // Only one choice is ever asked for.
    const choice = piece.choices?.[0];
    if (choice === undefined) return;
    if (choice.finish_reason) this.#finishReason = choice.finish_reason;
    const part = choice.delta ?? choice.message;
    this.#text.append(part?.content ?? "");
    this.#reasoning.append(part?.reasoning_content ?? "");
    for (const [position, call] of (part?.tool_calls ?? []).entries()) this.#addCall(call, position);
  }

  #addCall(call: z.infer<typeof callDelta>, position: number): void {
    const index = call.index ?? position;
    let open = this.#calls.get(index);
    if (open === undefined) {
      if (this.#calls.size >= this.#limits.toolCalls) {
        this.cut = true;
        return;
      }
      open = { id: null, name: "", arguments: new BoundedText(this.#budget) };
      this.#calls.set(index, open);
    }
    if (call.id) open.id = call.id;
    if (call.function?.name) open.name = call.function.name;
    open.arguments.append(call.function?.arguments ?? "");
  }

  facts(): AnswerFacts {
    const calls = [...this.#calls.entries()].toSorted(([a], [b]) => a - b).map(([, call]) => call);
    const cut = this.cut || this.#text.cut || this.#reasoning.cut || calls.some((call) => call.arguments.cut);
    return {
      state: this.#state(cut),
      text: this.#text.isEmpty ? null : this.#text.toString(),
      reasoning: this.#reasoning.isEmpty ? null : this.#reasoning.toString(),
      toolCalls: calls.map((call) => ({ id: call.id, name: call.name, arguments: call.arguments.toString() })),
      finishReason: this.#finishReason,
      usage: this.#usage,
      error: this.#error,
    };
  }

  #state(cut: boolean): AnswerFacts["state"] {
    if (this.unreadable) return "unreadable";
    if (cut) return "cut";
    return this.ended ? "complete" : "unfinished";
  }
}
