import type { AnswerState, ExchangeUsage, ToolCall, WireFormatName } from "../../schema/exchange.ts";

/** What of a request is worth a column of its own. */
export interface RequestFacts {
  model: string | null;
  messageCount: number | null;
  /** Tools in the request that act at the provider, out of our sight, and what else makes it reach out. */
  providerTools: string[];
  /** Why no model could understand the request. */
  problem?: string;
}

/** All input tokens, cached ones included, and of them those read from and written to a cache. */
export type TokenUsage = ExchangeUsage;

/** What of an answer is worth a column of its own. */
export interface AnswerFacts {
  state: AnswerState;
  text: string | null;
  reasoning: string | null;
  toolCalls: ToolCall[];
  finishReason: string | null;
  usage: TokenUsage | null;
  /** US dollars, where the provider itself says what it charges. */
  costUsd: number | null;
  /** An error that the model reported inside an answer that began well. */
  error: string | null;
}

export interface AnswerLimits {
  answerChars: number;
  toolCalls: number;
}

/** Takes an answer's bytes as they pass. Never throws: the bytes are the model's or an agent's. */
export interface AnswerParser {
  push(chunk: Uint8Array): void;
  /** Call once, when no more comes. */
  finish(): AnswerFacts;
}

/** One provider's HTTP interface. */
export interface WireFormat {
  readonly name: WireFormatName;
  matches(method: string, path: string): boolean;
  /** `body` is the parsed JSON of the request. */
  describeRequest(body: unknown, path: string): RequestFacts;
  createParser(contentType: string, limits: AnswerLimits): AnswerParser;
}

export const NO_ANSWER: AnswerFacts = {
  state: "none",
  text: null,
  reasoning: null,
  toolCalls: [],
  finishReason: null,
  usage: null,
  costUsd: null,
  error: null,
};
