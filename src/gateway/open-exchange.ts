import type { IncomingMessage } from "node:http";
import { isoNow, monotonicMs } from "../core/clock.ts";
import { SCHEMA_VERSION } from "../schema/common.ts";
import type { Exchange, ExchangeErrorKind } from "../schema/exchange.ts";
import { Arrivals } from "./arrivals.ts";
import type { BodySink, BodyStore } from "./body-store.ts";
import { pathWithoutSecrets, withoutSecrets } from "./headers.ts";
import type { UpstreamFacts } from "./upstream.ts";
import { wireFormatName, wireFormatOf } from "./wire/formats.ts";
import {
  type AnswerFacts,
  type AnswerLimits,
  type AnswerParser,
  NO_ANSWER,
  type WireFormat,
} from "./wire/wire-format.ts";

const MAX_ID_CHARS = 200;
const MAX_ERROR_CHARS = 4096;

/** One request and its answer while they pass. Gathers what the record will say; passes nothing on itself. */
export class OpenExchange {
  readonly method: string;
  readonly path: string;
  readonly format: WireFormat | undefined;
  readonly sessionId: string | null;
  /** Headers of the request without secrets. */
  readonly headers: Record<string, string>;
  readonly request: BodySink;
  /** Tokens set aside for it in the run's budget; undefined where it was never let through. */
  setAside: number | undefined;
  readonly #seq: number;
  readonly #bodies: BodyStore;
  readonly #limits: AnswerLimits;
  readonly #startedAt = isoNow();
  readonly #startMs = monotonicMs();
  #firstByteMs: number | null = null;
  #status: number | null = null;
  #responseHeaders: Record<string, string> = {};
  #response: BodySink | undefined;
  #parser: AnswerParser | undefined;
  #model: string | null = null;
  #messageCount: number | null = null;
  #providerTools: string[] = [];
  #upstream: UpstreamFacts | undefined;
  #heldMs = 0;
  readonly #arrivals = new Arrivals();
  #error: { kind: ExchangeErrorKind; message: string } | undefined;

  /** `request` is undefined for bytes that were no HTTP request at all. */
  constructor(seq: number, request: IncomingMessage | undefined, bodies: BodyStore, limits: AnswerLimits) {
    this.#seq = seq;
    this.#bodies = bodies;
    this.#limits = limits;
    this.method = request?.method ?? "";
    this.path = request?.url ?? "";
    this.headers = withoutSecrets(request?.headers ?? {});
    this.sessionId =
      (this.headers["x-session-id"] ?? this.headers["x-opencode-session"])?.slice(0, MAX_ID_CHARS) ?? null;
    this.format = wireFormatOf(this.method, this.path);
    this.request = bodies.newBody();
  }

  /** Model that the request asks for, once it was described. */
  get model(): string | null {
    return this.#model;
  }

  /** What acts at the provider, by the request's own word, once it was described. */
  get providerTools(): readonly string[] {
    return this.#providerTools;
  }

  /** Takes the parsed request. @returns why no model could understand it. */
  describeRequest(body: unknown): string | undefined {
    const facts = this.format?.describeRequest(body, this.path);
    this.#model = facts?.model?.slice(0, MAX_ID_CHARS) ?? null;
    this.#messageCount = facts?.messageCount ?? null;
    this.#providerTools = facts?.providerTools ?? [];
    return facts?.problem;
  }

  held(ms: number): void {
    this.#heldMs = ms;
  }

  cameFrom(facts: UpstreamFacts | undefined): void {
    this.#upstream = facts;
  }

  answerBegins(status: number, headers: Readonly<Record<string, string>>): void {
    this.#status = status;
    this.#responseHeaders = withoutSecrets(headers);
    this.#response = this.#bodies.newBody();
    this.#parser = this.format?.createParser(headers["content-type"] ?? "", this.#limits);
  }

  answerChunk(chunk: Uint8Array): void {
    const atMs = monotonicMs() - this.#startMs;
    this.#firstByteMs ??= atMs;
    this.#arrivals.add(atMs, chunk.length);
    this.#response?.write(chunk);
    this.#parser?.push(chunk);
  }

  /** The first failure stays: later ones follow from it. */
  fail(kind: ExchangeErrorKind, message: string): void {
    this.#error ??= { kind, message: message.slice(0, MAX_ERROR_CHARS) };
  }

  /** Call once, at the end. */
  finish(): Exchange {
    const durationMs = monotonicMs() - this.#startMs;
    const answer = this.#parser?.finish() ?? NO_ANSWER;
    const error = this.#verdict(answer);
    return {
      schema_version: SCHEMA_VERSION,
      seq: this.#seq,
      started_at: this.#startedAt,
      duration_ms: round(durationMs),
      first_byte_ms: this.#firstByteMs === null ? null : round(this.#firstByteMs),
      method: this.method,
      path: pathWithoutSecrets(this.path),
      wire_format: wireFormatName(this.format),
      session_id: this.sessionId,
      request_headers: this.headers,
      request: this.request.finish(),
      status: this.#status,
      response_headers: this.#responseHeaders,
      response: this.#response?.finish() ?? null,
      model: this.#model,
      message_count: this.#messageCount,
      answer_state: answer.state,
      text: answer.text,
      reasoning: answer.reasoning,
      tool_calls: answer.toolCalls,
      finish_reason: answer.finishReason,
      usage: answer.usage,
      cost_usd: answer.costUsd,
      provider_tools: this.#providerTools,
      request_id: requestIdOf(this.#responseHeaders),
      arrivals: this.#arrivals.list(),
      upstream: this.#upstreamRecord(),
      error_kind: error?.kind ?? null,
      error: error?.message ?? null,
    };
  }

  #upstreamRecord(): Exchange["upstream"] {
    if (this.#upstream === undefined) return null;
    const { url, contentEncoding, redactions } = this.#upstream;
    return {
      url: pathWithoutSecrets(url),
      content_encoding: contentEncoding,
      redactions,
      held_ms: round(this.#heldMs),
    };
  }

  #verdict(answer: AnswerFacts): { kind: ExchangeErrorKind; message: string } | undefined {
    // Having its answer, an agent may hang up before the connection's own end: that breaks nothing.
    if (this.#error?.kind === "client-aborted" && answer.state === "complete") return undefined;
    if (this.#error !== undefined) return this.#error;
    if (this.#status !== null && this.#status >= 400) {
      return {
        kind: "model-error",
        message: `HTTP ${this.#status}${answer.error === null ? "" : `: ${answer.error}`}`,
      };
    }
    if (answer.error !== null) return { kind: "model-error", message: answer.error };
    if (answer.state === "unreadable") {
      return { kind: "model-error", message: "the answer is not in the format that it should be in" };
    }
    if (answer.state === "unfinished") {
      return { kind: "model-broke-off", message: "the answer ended before its own end mark" };
    }
    return undefined;
  }
}

function requestIdOf(headers: Readonly<Record<string, string>>): string | null {
  const id = headers["x-request-id"] ?? headers["request-id"] ?? headers["x-generation-id"] ?? headers["cf-ray"];
  return id?.slice(0, MAX_ID_CHARS) ?? null;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
