import type { WireFormatName } from "../../schema/exchange.ts";
import { openaiChat } from "./openai-chat.ts";
import type { WireFormat } from "./wire-format.ts";

const FORMATS: readonly WireFormat[] = [openaiChat];

/** The format that a request speaks; undefined for what is recorded without being understood. */
export function wireFormatOf(method: string, path: string): WireFormat | undefined {
  return FORMATS.find((format) => format.matches(method, path));
}

export function wireFormatName(format: WireFormat | undefined): WireFormatName {
  return format?.name ?? "unknown";
}
