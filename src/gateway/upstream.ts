import type { ExchangeErrorKind, WireFormatName } from "../schema/exchange.ts";

export interface UpstreamRequest {
  method: string;
  /** Path with query, as the agent asked. */
  path: string;
  wireFormat: WireFormatName;
  /** Without credentials, cookies and what belongs to the connection. */
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
  /** Aborts when the agent has gone or the gateway closes. */
  signal: AbortSignal;
}

export interface UpstreamResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  /** What is known of the way it came; ask when the body is at its end. */
  facts?(): UpstreamFacts;
  /** Pieces as they come. Ending the loop early must release the connection. */
  body: AsyncIterable<Uint8Array>;
}

export interface UpstreamFacts {
  /** Without secrets. */
  url: string;
  contentEncoding: string | null;
  redactions: number;
}

export interface AcceptQuestion {
  method: string;
  path: string;
  wireFormat: WireFormatName;
  /** Model that the request asks for; null where it does not say. */
  model: string | null;
}

/** What stands behind the gateway: a scripted model or a live provider, later a recording. */
export interface Upstream {
  /** Why a request is refused without being passed on, as one that is not for this model; undefined when it may go. */
  accepts(request: AcceptQuestion): string | undefined;
  /** @throws UpstreamError when no answer begins; any error while `body` is read means that the answer broke off. */
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  close(): Promise<void>;
}

/** No answer from the model: why, and what the agent is told. */
export class UpstreamError extends Error {
  readonly kind: ExchangeErrorKind;
  /** Status for the agent: 4xx ends its run at once, 5xx makes it try again for a minute. */
  readonly status: number;
  /** The message for the agent, where it is not to know all of it. */
  readonly forAgent: string;

  constructor(kind: ExchangeErrorKind, status: number, message: string, cause?: unknown, forAgent = message) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "UpstreamError";
    this.kind = kind;
    this.status = status;
    this.forAgent = forAgent;
  }
}
