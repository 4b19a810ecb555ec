import { once } from "node:events";
import * as fs from "node:fs";
import { type Agent, request as httpRequest, type IncomingMessage } from "node:http";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Exchange, exchange } from "../schema/exchange.ts";
import { HttpGateway, type HttpGatewayOptions } from "./http-gateway.ts";
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
import type { Upstream } from "./upstream.ts";

/** Helps the tests of this folder: a gateway on a real socket, before a model that answers as the test says. */
export const ask = { model: "m", messages: [{ role: "user", content: "hi" }] };
export const PATH = "/v1/chat/completions";
const event = (value: unknown) => Buffer.from(`data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`);
export const text = (content: string, finish_reason: string | null = null) =>
  event({ choices: [{ delta: { content }, finish_reason }] });
export const DONE = event("[DONE]");

type Answer = (signal: AbortSignal, body: Uint8Array) => AsyncIterable<Uint8Array>;

export function upstreamOf(answer: Answer, status = 200, contentType = "text/event-stream"): Upstream {
  return {
    accepts: (request) => (request.path === PATH ? undefined : "not for a model"),
    send: async ({ signal, body }) => ({
      status,
      headers: { "content-type": contentType, "set-cookie": "s" },
      body: answer(signal, body),
    }),
    close: async () => {},
  };
}

export async function* plain(): AsyncIterable<Uint8Array> {
  yield text("Hello ");
  yield text("there.", "stop");
  yield event({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 2 } });
  yield DONE;
}

export const cleanups: (() => unknown)[] = [];

/** For `afterEach`. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

interface Bench {
  gateway: HttpGateway;
  port: number;
  dir: string;
  lines(): Exchange[];
}

export async function bench(
  upstream: Upstream,
  limits: Partial<GatewayLimits> = {},
  more: Pick<HttpGatewayOptions, "budget" | "allowProviderTools" | "costOf" | "retrySeconds"> = {},
): Promise<Bench> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "gateway-"));
  const recordFile = path.join(dir, "exchanges.jsonl");
  const gateway = new HttpGateway({
    upstream,
    recordFile,
    port: 4100,
    agentConfig: { model: "x/y", provider: {} },
    info: {
      requested: "x",
      provider: "x",
      model: "y",
      persona: null,
      scriptSha256: null,
      baseUrl: null,
      keySource: null,
    },
    limits: { ...DEFAULT_GATEWAY_LIMITS, ...limits },
    ...more,
  });
  const listener = net.createServer();
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  gateway.serve(listener);
  cleanups.push(
    () => fs.rmSync(dir, { recursive: true }),
    () => gateway.close(),
  );
  const lines = () => {
    const all = fs.readFileSync(recordFile, "utf8").split("\n").slice(0, -1);
    return all.map((line) => exchange.parse(JSON.parse(line)));
  };
  return { gateway, port: (listener.address() as net.AddressInfo).port, dir, lines };
}

interface Reply {
  status: number;
  body: string;
  headers: IncomingMessage["headers"];
}

export async function post(
  port: number,
  body: string | Uint8Array,
  options: { path?: string; headers?: Record<string, string>; agent?: Agent } = {},
): Promise<Reply> {
  const outgoing = httpRequest({
    port,
    host: "127.0.0.1",
    method: "POST",
    path: options.path ?? PATH,
    headers: { "content-type": "application/json", "x-session-id": "ses_1", ...options.headers },
    ...(options.agent ? { agent: options.agent } : { agent: false }),
  });
  outgoing.end(body);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  let received = "";
  for await (const chunk of response) received += String(chunk);
  return { status: response.statusCode ?? 0, body: received, headers: response.headers };
}

export async function raw(port: number, bytes: string): Promise<string> {
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(bytes);
  let received = "";
  for await (const chunk of socket) received += String(chunk);
  return received;
}

export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 500) throw new Error("did not become true");
    await delay(10);
  }
}
