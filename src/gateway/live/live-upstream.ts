import * as http from "node:http";
import * as https from "node:https";
import type { WireFormatName } from "../../schema/exchange.ts";
import { withoutSecrets } from "../headers.ts";
import type { GatewayLimits } from "../limits.ts";
import {
  type AcceptQuestion,
  type Upstream,
  UpstreamError,
  type UpstreamRequest,
  type UpstreamResponse,
} from "../upstream.ts";
import { type Proxy, type ProxyVariables, proxyFor } from "./proxy.ts";
import { readAnswer } from "./read-answer.ts";
import { SecretRedactor } from "./redact-secret.ts";
import type { Secret } from "./secret.ts";
import { asUpstreamError, logInWanted, noConnection, StaleConnection } from "./unreachable.ts";

export interface LiveTarget {
  /** With the version segment, without a `/` at its end. */
  baseUrl: string;
  formats: readonly WireFormatName[];
  /** Names under which the model may be asked for. */
  models: readonly string[];
  key: Secret | undefined;
  proxy: ProxyVariables;
}

/** What the paths of the agent's requests begin with; the base URL takes its place. */
export const INSIDE_PREFIX = "/v1";
/** A host that does not take a connection within this time can't be reached. */
const CONNECT_MS = 15_000;

const PATHS: Readonly<Record<Exclude<WireFormatName, "unknown">, RegExp>> = {
  "openai-chat": /^\/v1\/chat\/completions$/,
  "openai-responses": /^\/v1\/responses$/,
  "anthropic-messages": /^\/v1\/messages(?:\?beta=true)?$/,
  "google-generate": /^\/v1\/models\/[\w.-]+:(?:streamGenerateContent\?alt=sse|generateContent)$/,
};

/** Not the agent's to say: whose account pays, how the answer is packed, what a proxy on the way would obey. */
const OWN_HEADERS =
  /^(?:accept-encoding|expect|via|forwarded|x-forwarded-.*|proxy-.*|openai-organization|openai-project|x-goog-user-project|.*\bbilling\b.*)$/;

/** A provider somewhere else. The real key is put in here, outside of the container, and taken out of every answer. */
export class LiveUpstream implements Upstream {
  readonly #target: LiveTarget;
  readonly #limits: Pick<GatewayLimits, "modelSilenceMs" | "answerBytes">;
  readonly #agent: http.Agent;
  readonly #secure: boolean;
  readonly #host: string;
  readonly #proxy: Proxy | undefined;

  /** @throws CaptureError `settings-invalid` for a proxy that can't be used. */
  constructor(target: LiveTarget, limits: Pick<GatewayLimits, "modelSilenceMs" | "answerBytes">) {
    this.#target = target;
    this.#limits = limits;
    this.#secure = target.baseUrl.startsWith("https:");
    this.#host = new URL(target.baseUrl).host;
    this.#proxy = proxyFor(target.baseUrl, target.proxy);
    this.#agent = agentFor(target.baseUrl, this.#proxy);
  }

  accepts({ method, path, wireFormat, model }: AcceptQuestion): string | undefined {
    if (wireFormat === "unknown" || method !== "POST" || !this.#target.formats.includes(wireFormat)) {
      return `${method} ${path} is no request that the model answers`;
    }
    if (!PATHS[wireFormat].test(path)) return `${path} is no path that is passed on`;
    if (model !== null && this.#target.models.includes(model)) return undefined;
    return `this run may use the model ${this.#target.models[0]} and no other (asked for: ${model})`;
  }

  async send(request: UpstreamRequest): Promise<UpstreamResponse> {
    const redactor = new SecretRedactor(this.#target.key?.reveal());
    const url = `${this.#target.baseUrl}${request.path.slice(INSIDE_PREFIX.length)}`;
    const answer = await this.#ask(url, request);
    if (answer.statusCode === 407 && this.#proxy !== undefined) {
      answer.destroy();
      throw logInWanted({ host: this.#host, proxy: this.#proxy });
    }
    const headers = withoutSecrets(answer.headers);
    for (const [name, value] of Object.entries(headers)) headers[name] = redactor.redactText(value);
    const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? null;
    const packed = encoding !== null && encoding !== "identity";
    // It is unpacked here, so that the key can be found in it and a bomb be stopped before it reaches the agent.
    if (packed) delete headers["content-encoding"];
    const { modelSilenceMs, answerBytes } = this.#limits;
    return {
      status: answer.statusCode ?? 502,
      headers,
      body: readAnswer(answer, {
        encoding: packed ? encoding : null,
        redactor,
        answerBytes,
        silenceMs: modelSilenceMs,
      }),
      facts: () => ({ url, contentEncoding: packed ? encoding : null, redactions: redactor.count }),
    };
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  async #ask(url: string, request: UpstreamRequest): Promise<http.IncomingMessage> {
    try {
      return await this.#post(url, request);
    } catch (error) {
      // A connection that was kept may have been closed by the other side just as it was used again.
      if (!(error instanceof StaleConnection)) throw error;
      // Others that were kept for as long may be closed as well.
      for (const kept of Object.values(this.#agent.freeSockets).flat()) kept?.destroy();
      return this.#post(url, request);
    }
  }

  #post(url: string, { method, headers, wireFormat, body, signal }: UpstreamRequest): Promise<http.IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const own = Object.entries(headers).filter(([name]) => !OWN_HEADERS.test(name));
    const outgoing = (this.#secure ? https : http).request(url, {
      method,
      agent: this.#agent,
      headers: {
        ...Object.fromEntries(own),
        ...authHeader(wireFormat, this.#target.key),
        "accept-encoding": "identity",
        "content-length": body.length,
      },
      signal,
      timeout: this.#limits.modelSilenceMs,
    });
    const asked = { host: this.#host, proxy: this.#proxy };
    const connecting = setTimeout(() => {
      if (outgoing.socket?.connecting === false) return;
      outgoing.destroy(noConnection(asked, CONNECT_MS / 1000));
    }, CONNECT_MS);
    outgoing.on("response", resolve);
    outgoing.on("timeout", () => {
      const seconds = Math.round(this.#limits.modelSilenceMs / 1000);
      outgoing.destroy(new UpstreamError("model-timeout", 504, `the model was silent for ${seconds} s`));
    });
    outgoing.on("error", (error) => reject(asUpstreamError(error, asked, outgoing.reusedSocket)));
    outgoing.once("close", () => clearTimeout(connecting));
    outgoing.end(body);
    return promise;
  }
}

/** Connections to the model, kept for the next request. */
export function agentFor(baseUrl: string, proxy: Proxy | undefined): http.Agent {
  const secure = baseUrl.startsWith("https:");
  const proxyEnv = proxy && (secure ? { HTTPS_PROXY: proxy.url } : { HTTP_PROXY: proxy.url });
  const options = { keepAlive: true, maxSockets: 256, ...(proxyEnv && { proxyEnv }) };
  return secure ? new https.Agent(options) : new http.Agent(options);
}

/** Each wire format has its own place for the key. */
export function authHeader(format: WireFormatName, key: Secret | undefined): Record<string, string> {
  if (key === undefined) return {};
  if (format === "anthropic-messages") return { "x-api-key": key.reveal() };
  if (format === "google-generate") return { "x-goog-api-key": key.reveal() };
  return { authorization: `Bearer ${key.reveal()}` };
}
