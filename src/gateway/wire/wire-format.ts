import type { AnswerState, ToolCall, WireFormatName } from "../../schema/exchange.ts";

/** What of a request is worth a column of its own. */
export interface RequestFacts {
  model: string | null;
  messageCount: number | null;
  /** Why no model could understand the request. */
  problem?: string;
}

/** What of an answer is worth a column of its own. */
export interface AnswerFacts {
  state: AnswerState;
  text: string | null;
  reasoning: string | null;
  toolCalls: ToolCall[];
  finishReason: string | null;
  usage: { input_tokens: number | null; output_tokens: number | null } | null;
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
  describeRequest(body: unknown): RequestFacts;
  createParser(contentType: string, limits: AnswerLimits): AnswerParser;
}

export const NO_ANSWER: AnswerFacts = {
  state: "none",
  text: null,
  reasoning: null,
  toolCalls: [],
  finishReason: null,
  usage: null,
  error: null,
};
