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
  /** Pieces as they come. Ending the loop early must release the connection. */
  body: AsyncIterable<Uint8Array>;
}

/** What stands behind the gateway: a scripted model, later a live provider or a recording. */
export interface Upstream {
  /** False for a request that is not one for a model; it is refused without being passed on. */
  accepts(request: { method: string; path: string; wireFormat: WireFormatName }): boolean;
  /** @throws UpstreamError when no answer begins; any error while `body` is read means that the answer broke off. */
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  close(): Promise<void>;
}

/** No answer from the model: why, and what the agent is told. */
export class UpstreamError extends Error {
  readonly kind: ExchangeErrorKind;
  /** Status for the agent: 4xx ends its run at once, 5xx makes it try again for a minute. */
  readonly status: number;

  constructor(kind: ExchangeErrorKind, status: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "UpstreamError";
    this.kind = kind;
    this.status = status;
  }
}
