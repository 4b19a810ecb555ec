import { BoundedText, type CharBudget } from "./bounded-text.ts";
import { SseReader } from "./sse.ts";
import type { AnswerFacts, AnswerLimits, AnswerParser, TokenUsage } from "./wire-format.ts";
import { NO_ANSWER } from "./wire-format.ts";

/** Longest event or whole answer that is parsed; the bytes themselves are kept apart from this. */
const MAX_PARSED_CHARS = 1024 * 1024;

interface OpenCall {
  id: string | null;
  name: string;
  arguments: BoundedText;
}

/** Puts an answer together from its pieces, whatever wire format they come in, within its limits. */
export class AnswerBuilder {
  readonly #limits: AnswerLimits;
  readonly #budget: CharBudget;
  readonly #text: BoundedText;
  readonly #reasoning: BoundedText;
  readonly #calls = new Map<number, OpenCall>();
  #usage: TokenUsage | null = null;
  #costUsd: number | null = null;
  #error: string | null = null;
  finishReason: string | null = null;
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

  get callCount(): number {
    return this.#calls.size;
  }

  addText(part: string | null | undefined): void {
    this.#text.append(part ?? "");
  }

  addReasoning(part: string | null | undefined): void {
    this.#reasoning.append(part ?? "");
  }

  /** Notes a piece of the tool call at `index`; the id and the name may come once, the arguments in parts. */
  addCall(index: number, piece: { id?: string | null; name?: string | null; arguments?: string | null }): void {
    let open = this.#calls.get(index);
    if (open === undefined) {
      if (this.#calls.size >= this.#limits.toolCalls) {
        this.cut = true;
        return;
      }
      open = { id: null, name: "", arguments: new BoundedText(this.#budget) };
      this.#calls.set(index, open);
    }
    if (piece.id) open.id = piece.id;
    if (piece.name) open.name = piece.name;
    open.arguments.append(piece.arguments ?? "");
  }

  /** True when a tool call was opened at `index`. */
  isOpen(index: number): boolean {
    return this.#calls.has(index);
  }

  /** True when the tool call at `index` has arguments: some servers repeat them whole at the end. */
  hasArguments(index: number): boolean {
    return this.#calls.get(index)?.arguments.isEmpty === false;
  }

  /** Later counts replace earlier ones where they say something. */
  addUsage(usage: { [K in keyof TokenUsage]?: number | null | undefined }): void {
    this.#usage = {
      input_tokens: usage.input_tokens ?? this.#usage?.input_tokens ?? null,
      output_tokens: usage.output_tokens ?? this.#usage?.output_tokens ?? null,
      cache_read_tokens: usage.cache_read_tokens ?? this.#usage?.cache_read_tokens ?? null,
      cache_write_tokens: usage.cache_write_tokens ?? this.#usage?.cache_write_tokens ?? null,
    };
  }

  addCost(usd: number | null | undefined): void {
    if (typeof usd === "number" && Number.isFinite(usd) && usd >= 0) this.#costUsd = usd;
  }

  fail(message: string): void {
    this.#error = message.slice(0, this.#limits.answerChars);
  }

  facts(): AnswerFacts {
    const calls = [...this.#calls.entries()].toSorted(([a], [b]) => a - b).map(([, call]) => call);
    const cut = this.cut || this.#text.cut || this.#reasoning.cut || calls.some((call) => call.arguments.cut);
    return {
      state: this.#state(cut),
      text: this.#text.isEmpty ? null : this.#text.toString(),
      reasoning: this.#reasoning.isEmpty ? null : this.#reasoning.toString(),
      toolCalls: calls.map((call) => ({ id: call.id, name: call.name, arguments: call.arguments.toString() })),
      finishReason: this.finishReason,
      usage: this.#usage,
      costUsd: this.#costUsd,
      error: this.#error,
    };
  }

  #state(cut: boolean): AnswerFacts["state"] {
    if (this.unreadable) return "unreadable";
    if (cut) return "cut";
    return this.ended ? "complete" : "unfinished";
  }
}

/** Takes the data of one event, or a whole answer, as JSON. @returns false when it is not what the format says. */
export type TakeJson = (json: unknown, builder: AnswerBuilder) => boolean;

/** A parser of answers for a format whose events and whole answers `take` understands. */
export function answerParser(contentType: string, limits: AnswerLimits, take: TakeJson): AnswerParser {
  const builder = new AnswerBuilder(limits);
  const addJson = (text: string): boolean => {
    try {
      return take(JSON.parse(text), builder);
    } catch {
      return false;
    }
  };
  return /^text\/event-stream\b/i.test(contentType) ? streamParser(builder, addJson) : wholeParser(builder, addJson);
}

function streamParser(builder: AnswerBuilder, addJson: (text: string) => boolean): AnswerParser {
  let atEnd = false;
  const reader = new SseReader(MAX_PARSED_CHARS, ({ data }) => {
    if (data === "[DONE]") builder.ended = true;
    // Half an event at the end of a broken stream is no fault of the format.
    else if (!addJson(data) && !atEnd) builder.unreadable = true;
  });
  return {
    push: (bytes) => reader.push(bytes),
    finish() {
      atEnd = true;
      reader.end();
      if (reader.dropped > 0) builder.cut = true;
      return builder.facts();
    },
  };
}

function wholeParser(builder: AnswerBuilder, addJson: (text: string) => boolean): AnswerParser {
  const text = new BoundedText({ left: MAX_PARSED_CHARS });
  const decoder = new TextDecoder();
  return {
    push: (bytes) => text.append(decoder.decode(bytes, { stream: true })),
    finish() {
      if (text.isEmpty) return { ...NO_ANSWER, state: "unfinished" };
      if (text.cut) builder.cut = true;
      else if (!addJson(text.toString())) builder.unreadable = true;
      builder.ended = true;
      return builder.facts();
    },
  };
}
