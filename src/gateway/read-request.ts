import type { IncomingMessage } from "node:http";
import type { BodySink } from "./body-store.ts";
import type { GatewayLimits } from "./limits.ts";
import { UpstreamError } from "./upstream.ts";

/** A body that is too large is read on, unkept, up to so many times the limit: most clients read no answer before. */
const DRAIN_FACTOR = 8;

/** Bytes of request bodies that all open exchanges hold together. */
export class InFlightBytes {
  #held = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  claim(bytes: number): boolean {
    if (this.#held + bytes > this.#max) return false;
    this.#held += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#held -= bytes;
  }
}

/**
 * Reads a request's body; every byte goes to `sink` as well. The caller releases the body's length from `inFlight`.
 * @throws UpstreamError `request-too-large` or `gateway-busy`; nothing is claimed then.
 */
export async function readRequestBody(
  request: IncomingMessage,
  sink: BodySink,
  context: { inFlight: InFlightBytes; limits: Pick<GatewayLimits, "requestBytes">; onActivity: () => void },
): Promise<Buffer> {
  const { inFlight, limits } = context;
  let chunks: Buffer[] = [];
  let held = 0;
  let refusal: UpstreamError | undefined;
  try {
    for await (const piece of request) {
      const chunk = piece as Buffer;
      context.onActivity();
      sink.write(chunk);
      if (sink.bytes > limits.requestBytes * DRAIN_FACTOR) break;
      refusal ??= refusalOf(chunk, held, inFlight, limits.requestBytes);
      if (refusal === undefined) {
        chunks.push(chunk);
        held += chunk.length;
      } else {
        chunks = [];
        inFlight.release(held);
        held = 0;
      }
    }
  } catch (error) {
    inFlight.release(held);
    throw error;
  }
  if (refusal !== undefined) throw refusal;
  return Buffer.concat(chunks);
}

/** Claims the chunk, or says why it is not taken. */
function refusalOf(chunk: Buffer, held: number, inFlight: InFlightBytes, maxBytes: number): UpstreamError | undefined {
  if (held + chunk.length > maxBytes) {
    return new UpstreamError("request-too-large", 413, `the request is larger than ${maxBytes} bytes`);
  }
  if (inFlight.claim(chunk.length)) return undefined;
  return new UpstreamError("gateway-busy", 503, "too many large requests at the same time");
}
