import * as path from "node:path";
import { LAYOUT } from "../evidence/layout.ts";
import type { OpenCapture } from "../evidence/reader.ts";
import { loadText, parseJson } from "../evidence/reader-json.ts";
import { streamExchanges } from "../evidence/reader-streams.ts";
import { shorten } from "../schema/display.ts";
import type { Exchange } from "../schema/exchange.ts";
import type { PageExchange, PageMessage } from "../schema/page.ts";
import { isFailed } from "../summary/exchanges.ts";
import { HeadTail } from "../summary/head-tail.ts";
import { at, preview, textAt } from "../summary/unknown-value.ts";

const MAX_EXCHANGES = 2_000;
const MAX_TEXT = 20_000;
const MAX_MESSAGE = 8_000;
const MAX_NEW_MESSAGES = 50;
const MAX_BODY_BYTES = 16 << 20;
/** Most sessions whose last request is remembered. */
const MAX_SESSIONS = 1_000;

export interface PageExchanges {
  exchanges: PageExchange[];
  total: number;
}

/** The exchanges with the model, each with what its request added to the one before in the same session. */
export async function loadExchanges(capture: OpenCapture): Promise<PageExchanges> {
  const kept = new HeadTail<PageExchange>(MAX_EXCHANGES / 2, MAX_EXCHANGES / 2);
  const seen = new Map<string, number>();
  await streamExchanges(capture, (one) => kept.push(toPage(one, newMessages(capture, one, seen))));
  // The file has them in the order of their ends.
  const exchanges = kept.items().sort((a, b) => a.seq - b.seq);
  return { exchanges, total: kept.total };
}

function toPage(one: Exchange, messages: PageMessage[] | null): PageExchange {
  return {
    seq: one.seq,
    started_at: one.started_at,
    duration_ms: one.duration_ms,
    first_byte_ms: one.first_byte_ms,
    method: shorten(one.method, 20),
    path: shorten(one.path, 500),
    wire_format: one.wire_format,
    session_id: one.session_id,
    status: one.status,
    model: one.model,
    message_count: one.message_count,
    text: one.text === null ? null : shorten(one.text, MAX_TEXT),
    finish_reason: one.finish_reason,
    usage: one.usage,
    error: one.error === null ? null : shorten(one.error, MAX_TEXT),
    error_kind: one.error_kind,
    answer_state: one.answer_state,
    reasoning: one.reasoning === null ? null : shorten(one.reasoning, MAX_TEXT),
    failed: isFailed(one),
    toolCalls: one.tool_calls.slice(0, 100).map((call) => ({ ...call, arguments: shorten(call.arguments, MAX_TEXT) })),
    requestBytes: one.request.bytes,
    requestSha256: one.request.sha256,
    responseBytes: one.response?.bytes ?? null,
    responseSha256: one.response?.sha256 ?? null,
    newMessages: messages,
  };
}

/** Large bodies stand in files of their own; of a body with missing bytes nothing can be parsed. */
function requestText(capture: OpenCapture, { request }: Exchange): string | null {
  if (request.text !== null || request.file === null || request.truncated) return request.text;
  return loadText(capture.dir, `${path.dirname(LAYOUT.exchanges)}/${request.file}`, MAX_BODY_BYTES).value;
}

function newMessages(capture: OpenCapture, one: Exchange, seen: Map<string, number>): PageMessage[] | null {
  const text = requestText(capture, one);
  if (text === null) return null;
  const parsed = parseJson(text);
  const messages = parsed.ok ? messageList(parsed.value) : null;
  if (messages === null) return null;
  const session = one.session_id ?? "";
  const before = seen.get(session) ?? 0;
  if (seen.size < MAX_SESSIONS) seen.set(session, messages.length);
  // A shorter history was rewritten (compaction): then all of it is new.
  const fresh = messages.length < before ? messages : messages.slice(before);
  return fresh.slice(-MAX_NEW_MESSAGES).map(toMessage);
}

/** The history is called differently by each wire format. */
function messageList(body: unknown): unknown[] | null {
  for (const name of ["messages", "input", "contents"]) {
    const list = at(body, name);
    if (Array.isArray(list)) return list as unknown[];
  }
  return null;
}

function toMessage(message: unknown): PageMessage {
  const role = textAt(message, "role") ?? textAt(message, "type") ?? "unknown";
  const content = at(message, "content") ?? at(message, "parts") ?? at(message, "output") ?? message;
  const calls = at(message, "tool_calls");
  const texts = [contentText(content), calls === undefined ? "" : (preview(calls, MAX_MESSAGE) ?? "")];
  return { role: shorten(role, 40), text: shorten(texts.filter((text) => text !== "").join("\n"), MAX_MESSAGE) };
}

function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return preview(content, MAX_MESSAGE) ?? "";
  return content.map((part: unknown) => textAt(part, "text") ?? preview(part, MAX_MESSAGE) ?? "").join("\n");
}
