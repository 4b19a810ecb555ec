import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { errorMessage } from "../core/errors.ts";
import type { PassingStreams } from "../core/young-garbage.ts";
import type { Budget } from "./budget.ts";
import { endToEnd } from "./headers.ts";
import type { GatewayLimits } from "./limits.ts";
import type { OpenExchange } from "./open-exchange.ts";
import { type InFlightBytes, readRequestBody } from "./read-request.ts";
import { type Upstream, UpstreamError, type UpstreamResponse } from "./upstream.ts";

export interface PassOnContext {
  upstream: Upstream;
  budget: Budget;
  /** Lets requests through whose tools act at the provider, out of our sight. */
  allowProviderTools: boolean;
  /** What the agent is asked to wait where the model can't be reached for now. */
  retrySeconds: number | undefined;
  inFlight: InFlightBytes;
  limits: GatewayLimits;
  /** Aborted by the gateway when it closes, and here when the agent has gone. */
  abort: AbortController;
  /** Counts what passes. */
  passing: PassingStreams;
  /** True when the gateway takes no more for now. */
  busy: boolean;
  onActivity: () => void;
}

/**
 * Takes one request to the model and its answer back, piece by piece. Whatever fails is noted in `exchange`, and the
 * agent is told as long as no answer has begun.
 */
export async function passOn(
  exchange: OpenExchange,
  request: IncomingMessage,
  response: ServerResponse,
  context: PassOnContext,
): Promise<void> {
  const { abort } = context;
  response.once("close", () => {
    if (!response.writableFinished) abort.abort("client-aborted");
  });
  let body: Buffer | undefined;
  try {
    if (context.busy) throw new UpstreamError("gateway-busy", 503, "too many requests at the same time");
    body = await readRequestBody(request, exchange.request, context);
    const answer = await ask(exchange, body, context);
    await sendAnswer(exchange, answer, response, context);
  } catch (error) {
    tellFailure(exchange, response, error, context);
  } finally {
    if (body !== undefined) context.inFlight.release(body.length);
  }
}

async function ask(exchange: OpenExchange, body: Buffer, context: PassOnContext): Promise<UpstreamResponse> {
  const { method, path } = exchange;
  const wireFormat = exchange.format?.name ?? "unknown";
  if (exchange.format !== undefined) {
    const problem = exchange.describeRequest(parseJson(body));
    if (problem !== undefined)
      throw new UpstreamError("request-malformed", 400, `the request makes no sense: ${problem}`);
  }
  const refusal = context.upstream.accepts({ method, path, wireFormat, model: exchange.model });
  if (refusal !== undefined) throw new UpstreamError("request-refused", 404, refusal);
  refuseProviderTools(exchange, context.allowProviderTools);
  exchange.setAside = context.budget.admit(body.length);
  exchange.held(await context.budget.turn(context.abort.signal, context.onActivity));
  const headers = endToEnd(exchange.headers);
  return context.upstream.send({ method, path, wireFormat, headers, body, signal: context.abort.signal });
}

/** What acts at the provider is a way out of the sandbox that nobody here sees. */
function refuseProviderTools({ providerTools }: OpenExchange, allowed: boolean): void {
  if (allowed || providerTools.length === 0) return;
  const why = `the request asks for what acts at the provider, out of sight: ${providerTools.join(", ")}`;
  throw new UpstreamError("request-refused", 403, why);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new UpstreamError("request-malformed", 400, `the request is not JSON: ${errorMessage(error)}`, error);
  }
}

async function sendAnswer(
  exchange: OpenExchange,
  answer: UpstreamResponse,
  response: ServerResponse,
  context: PassOnContext,
): Promise<void> {
  const { signal } = context.abort;
  exchange.answerBegins(answer.status, answer.headers);
  response.writeHead(answer.status, endToEnd(answer.headers));
  response.flushHeaders();
  try {
    for await (const chunk of answer.body) {
      signal.throwIfAborted();
      exchange.answerChunk(chunk);
      context.passing.add(chunk.length);
      context.onActivity();
      if (!response.write(chunk)) await once(response, "drain", { signal });
    }
  } finally {
    exchange.cameFrom(answer.facts?.());
  }
  response.end();
  // A connection that breaks here is noticed as an abort; the answer itself is whole.
  if (!response.writableFinished) await once(response, "finish", { signal });
}

function tellFailure(
  exchange: OpenExchange,
  response: ServerResponse,
  error: unknown,
  { abort: { signal }, retrySeconds }: PassOnContext,
): void {
  if (signal.aborted && !(error instanceof UpstreamError)) {
    const byClient = signal.reason === "client-aborted";
    const why = byClient ? "the agent closed the connection before the end" : "the run ended before the answer did";
    exchange.fail(byClient ? "client-aborted" : "gateway-closed", why);
    response.destroy();
    return;
  }
  if (response.headersSent || response.destroyed) {
    exchange.fail(...failureOf(error, "model-broke-off"));
    response.destroy();
    return;
  }
  const [kind, message] = failureOf(error, "gateway-failed");
  const status = error instanceof UpstreamError ? error.status : 500;
  exchange.fail(kind, message);
  const waitSeconds = status === 429 ? 30 : kind === "model-unreachable" && status >= 500 ? retrySeconds : undefined;
  const retry = waitSeconds === undefined ? {} : { "retry-after": String(waitSeconds) };
  const headers = { "content-type": "application/json", connection: "close", ...retry };
  const told = error instanceof UpstreamError ? error.forAgent : message;
  const body = Buffer.from(`${JSON.stringify({ error: { message: told, type: "gateway_error", code: kind } })}\n`);
  exchange.answerBegins(status, headers);
  exchange.answerChunk(body);
  response.writeHead(status, { ...headers, "content-length": String(body.length) });
  response.end(body);
}

function failureOf(error: unknown, otherwise: "model-broke-off" | "gateway-failed"): Parameters<OpenExchange["fail"]> {
  return [error instanceof UpstreamError ? error.kind : otherwise, errorMessage(error)];
}
