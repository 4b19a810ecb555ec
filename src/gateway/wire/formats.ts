import type { WireFormatName } from "../../schema/exchange.ts";
import { anthropicMessages } from "./anthropic-messages.ts";
import { googleGenerate } from "./google-generate.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";
import type { WireFormat } from "./wire-format.ts";

const FORMATS: readonly WireFormat[] = [openaiChat, openaiResponses, anthropicMessages, googleGenerate];

/** The format that a request speaks; undefined for what is recorded without being understood. */
export function wireFormatOf(method: string, path: string): WireFormat | undefined {
  return FORMATS.find((format) => format.matches(method, path));
}

export function wireFormatName(format: WireFormat | undefined): WireFormatName {
  return format?.name ?? "unknown";
}
