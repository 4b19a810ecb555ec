import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Server as NetServer, Socket } from "node:net";
import { isoNow, monotonicMs } from "../core/clock.ts";
import { errnoOf, errorMessage } from "../core/errors.ts";
import { PassingStreams } from "../core/young-garbage.ts";
import type { ExchangeUsage } from "../schema/exchange.ts";
import type { CompletenessClass } from "../schema/observations.ts";
import { Budget } from "./budget.ts";
import { ExchangeRecord } from "./exchange-record.ts";
import { GatewayTally } from "./gateway-tally.ts";
import type { GatewayLimits } from "./limits.ts";
import { OpenExchange } from "./open-exchange.ts";
import { passOn } from "./pass-on.ts";
import type { AgentModelConfig, GatewayTotals, ModelGateway } from "./port.ts";
import { InFlightBytes } from "./read-request.ts";
import type { Upstream } from "./upstream.ts";

export interface HttpGatewayOptions {
  upstream: Upstream;
  /** Must not exist; bodies go beside it. */
  recordFile: string;
  port: number;
  agentConfig: AgentModelConfig;
  info: ModelGateway["info"];
  limits: GatewayLimits;
  /** Without it there is no limit to what may be used. */
  budget?: Budget;
  allowProviderTools?: boolean;
  /** What an agent is asked to wait before its next try where the model can't be reached; without it that is its own choice. */
  retrySeconds?: number | undefined;
  /** US dollars for so many tokens; null where prices are not known. */
  costOf?: (usage: ExchangeUsage) => number | null;
}

const BAD_REQUEST = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
const NO_TUNNELS = "HTTP/1.1 405 Method Not Allowed\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/** Serves the model over HTTP on listeners that others opened, and records every exchange. */
export class HttpGateway implements ModelGateway {
  readonly port: number;
  readonly agentConfig: AgentModelConfig;
  readonly info: ModelGateway["info"];
  readonly #upstream: Upstream;
  readonly #limits: GatewayLimits;
  readonly #record: ExchangeRecord;
  readonly #tally = new GatewayTally();
  readonly #inFlight: InFlightBytes;
  readonly #budget: Budget;
  readonly #allowProviderTools: boolean;
  readonly #retrySeconds: number | undefined;
  readonly #passing = new PassingStreams();
  readonly #costOf: NonNullable<HttpGatewayOptions["costOf"]>;
  readonly #server: Server;
  readonly #listeners = new Set<NetServer>();
  readonly #sockets = new Set<Socket>();
  readonly #open = new Map<Promise<void>, AbortController>();
  #seq = 0;
  #refusedConnections = 0;
  #lastActivityMs = monotonicMs();
  #servedFrom: string | null = null;
  #closing: Promise<CompletenessClass[]> | undefined;

  constructor(options: HttpGatewayOptions) {
    this.port = options.port;
    this.agentConfig = options.agentConfig;
    this.info = options.info;
    this.#upstream = options.upstream;
    this.#limits = options.limits;
    this.#record = new ExchangeRecord(options.recordFile, options.limits);
    this.#inFlight = new InFlightBytes(options.limits.inFlightBytes);
    this.#budget = options.budget ?? new Budget({});
    this.#allowProviderTools = options.allowProviderTools ?? false;
    this.#retrySeconds = options.retrySeconds;
    this.#costOf = options.costOf ?? (() => null);
    this.#server = this.#createServer();
  }

  serve(listener: NetServer): void {
    this.#servedFrom ??= isoNow();
    this.#listeners.add(listener);
    listener.on("connection", (socket: Socket) => this.#connection(socket));
  }

  lastActivityMs(): number {
    return this.#lastActivityMs;
  }

  totals(): GatewayTotals {
    return { ...this.#tally.totals(), limitReached: this.#budget.reached ?? null };
  }

  close(): Promise<CompletenessClass[]> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #createServer(): Server {
    // The agent keeps its connection while a tool runs for minutes; closing it meanwhile could meet its next request.
    const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 });
    const handle = (request: IncomingMessage, response: ServerResponse) => this.#request(request, response);
    server.on("request", handle);
    server.on("checkExpectation", handle);
    server.on("connect", (request: IncomingMessage, socket: Socket) => {
      this.#recordRefusal(request, "CONNECT: there is no way out here but the model", NO_TUNNELS, socket);
    });
    server.on("clientError", (error: Error & { rawPacket?: Buffer }, socket: Socket) => {
      if (!errnoOf(error)?.startsWith("HPE_") || error.rawPacket === undefined) socket.destroy();
      else this.#recordRefusal(undefined, `not HTTP: ${error.message}`, BAD_REQUEST, socket, error.rawPacket);
    });
    return server;
  }

  #connection(socket: Socket): void {
    if (this.#closing !== undefined || this.#sockets.size >= this.#limits.connections) {
      this.#refusedConnections += 1;
      socket.destroy();
      return;
    }
    this.#lastActivityMs = monotonicMs();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.setNoDelay(true);
    // A client may close its sending side after its request; listeners opened elsewhere would then close ours too.
    socket.allowHalfOpen = true;
    this.#server.emit("connection", socket);
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const exchange = this.#newExchange(request);
    const abort = new AbortController();
    const context = {
      upstream: this.#upstream,
      inFlight: this.#inFlight,
      limits: this.#limits,
      budget: this.#budget,
      allowProviderTools: this.#allowProviderTools,
      retrySeconds: this.#retrySeconds,
      passing: this.#passing,
      abort,
      busy: this.#open.size >= this.#limits.connections,
      onActivity: () => {
        this.#lastActivityMs = monotonicMs();
      },
    };
    const done = passOn(exchange, request, response, context)
      // passOn handles what can be foreseen; this is a fault of ours, and the exchange still belongs on record.
      .catch((error: unknown) => {
        exchange.fail("gateway-failed", errorMessage(error));
        response.destroy();
      })
      .then(() => this.#finish(exchange))
      .finally(() => this.#open.delete(done));
    this.#open.set(done, abort);
  }

  #recordRefusal(
    request: IncomingMessage | undefined,
    why: string,
    answer: string,
    socket: Socket,
    raw?: Buffer,
  ): void {
    const exchange = this.#newExchange(request);
    if (raw !== undefined) exchange.request.write(raw);
    exchange.fail(request === undefined ? "request-malformed" : "request-refused", why);
    this.#finish(exchange);
    if (socket.writable) socket.end(answer);
    else socket.destroy();
  }

  #newExchange(request: IncomingMessage | undefined): OpenExchange {
    return new OpenExchange(this.#seq++, request, this.#record.bodies, this.#limits);
  }

  #finish(exchange: OpenExchange): void {
    const finished = exchange.finish();
    if (finished.usage !== null) finished.cost_usd ??= this.#costOf(finished.usage);
    if (exchange.setAside !== undefined) this.#budget.settle(exchange.setAside, finished, this.#costOf);
    this.#tally.add(finished);
    this.#record.append(finished);
  }

  async #close(): Promise<CompletenessClass[]> {
    for (const listener of this.#listeners) listener.close();
    for (const abort of this.#open.values()) abort.abort("gateway-closed");
    await Promise.allSettled(this.#open.keys());
    this.#passing.end();
    for (const socket of this.#sockets) socket.destroy();
    await this.#upstream.close();
    return [this.#completeness(this.#record.close())];
  }

  #completeness(record: { lines: number; lost: number; reason: string | undefined }): CompletenessClass {
    const served = this.#servedFrom !== null;
    const refused = this.#refusedConnections;
    const extra = refused === 0 ? "" : `; ${refused} connections beyond the limit were turned away unread`;
    const complete = record.lost === 0 && refused === 0;
    const level = complete ? "complete" : "lossy";
    const good = "the gateway is the model's only way in, and it keeps every byte that it passes on";
    return {
      class: "model",
      level: served ? level : "absent",
      sensor: "gateway",
      reason: served ? `${record.reason ?? good}${extra}` : "the gateway was never opened to the agent",
      lost: served ? record.lost + refused : null,
      from: this.#servedFrom,
      to: isoNow(),
      started_before_agent: served ? true : null,
    };
  }
}
