import type { Server } from "node:net";
import type { CompletenessClass } from "../schema/observations.ts";

/** Port of the model on the loopback of the container's own network namespace. */
export const MODEL_PORT = 4100;

/** What the agent's configuration must say to reach the model (goes into the read-only opencode.json). */
export interface AgentModelConfig {
  /** `provider/model`, for `model` and `small_model`. */
  model: string;
  /** The `provider` object of opencode.json; base URL inside the container is `http://127.0.0.1:<port>/v1`. */
  provider: Record<string, unknown>;
}

export interface GatewayTotals {
  exchangeCount: number;
  errorCount: number;
  inputTokens: number | null;
  outputTokens: number | null;
  /** US dollars; null where neither the provider nor a price table says. */
  costUsd: number | null;
  /** What was used up when a request was refused for it, in words; null while no request was. */
  limitReached: string | null;
  /** Finish reason, in the words of OpenAI's chat format, of the last answer that came to its end in the session that began first: not a sub-agent's. */
  lastFinishReason: string | null;
  /** Why the model itself could not be reached, as the last exchange that failed so says; null where none did. */
  modelUnreachable: string | null;
}

/**
 * The model as the container sees it. `serve` takes the listening socket that was opened in the container's network
 * namespace; every exchange is recorded in model/exchanges.jsonl.
 */
export interface ModelGateway {
  readonly port: number;
  readonly agentConfig: AgentModelConfig;
  readonly info: {
    requested: string;
    provider: string;
    model: string;
    persona: string | null;
    scriptSha256: string | null;
    /** Live models only: where requests go, and where the key came from (never the key). */
    baseUrl: string | null;
    keySource: string | null;
  };
  serve(listener: Server): void;
  /** Monotonic time (core/clock.ts) of the last byte either way; for the idle limit. */
  lastActivityMs(): number;
  totals(): GatewayTotals;
  /** Ends open exchanges (recorded as broken), closes the record and the model. */
  close(): Promise<CompletenessClass[]>;
}
