import * as path from "node:path";
import { CaptureError, errorMessage } from "../../core/errors.ts";
import { LAYOUT } from "../../evidence/layout.ts";
import { Budget, type BudgetLimits } from "../budget.ts";
import { HttpGateway } from "../http-gateway.ts";
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from "../limits.ts";
import { type AgentModelConfig, MODEL_PORT, type ModelGateway } from "../port.ts";
import { INSIDE_PREFIX, LiveUpstream } from "./live-upstream.ts";
import { costUsd, type Price } from "./price-table.ts";
import type { ProxyVariables } from "./proxy.ts";
import type { LiveModel } from "./resolve-live.ts";

export interface LiveGatewayOptions {
  model: LiveModel;
  /** The exchanges go to `model/` in it, which exists. */
  captureDir: string;
  proxy: ProxyVariables;
  budget?: BudgetLimits;
  allowProviderTools?: boolean;
  /** How long the agent is asked to wait before it tries again where the model can't be reached. */
  retrySeconds?: number | undefined;
  /** Without it what an exchange costs is known only where the provider says it. */
  price?: Price | undefined;
  limits?: Partial<GatewayLimits>;
}

/**
 * A gateway to a provider's model, ready for `serve`. Nothing is asked of the provider before the agent asks.
 * @throws CaptureError `write-failed` when the record can't be created.
 */
export function createLiveGateway(options: LiveGatewayOptions): ModelGateway {
  const limits = { ...DEFAULT_GATEWAY_LIMITS, ...options.limits };
  const { model, price } = options;
  const { provider, baseUrl, key } = model;
  try {
    return new HttpGateway({
      upstream: new LiveUpstream(
        { baseUrl, formats: provider.formats, models: namesOnTheWire(model.model), key, proxy: options.proxy },
        limits,
      ),
      recordFile: path.join(options.captureDir, LAYOUT.exchanges),
      port: MODEL_PORT,
      agentConfig: liveAgentConfig(model),
      info: {
        requested: model.requested,
        provider: provider.id,
        model: model.model,
        persona: null,
        scriptSha256: null,
        baseUrl,
        keySource: model.keySource,
      },
      limits,
      budget: new Budget(options.budget ?? {}),
      allowProviderTools: options.allowProviderTools ?? false,
      retrySeconds: options.retrySeconds,
      ...(price === undefined ? {} : { costOf: (usage) => costUsd(price, usage) }),
    });
  } catch (error) {
    const why = `the record of the model's traffic can't be created: ${errorMessage(error)}`;
    throw new CaptureError("write-failed", why, { cause: error });
  }
}

/** OpenCode has names of its own for a model's faster or deeper way; on the wire the model has its plain name. */
function namesOnTheWire(model: string): string[] {
  return [model, model.replace(/-(?:fast|pro)$/, "")];
}

/** What OpenCode is told. The key is none: without one the client refuses to start. */
function liveAgentConfig({ provider, model }: LiveModel): AgentModelConfig {
  const own = provider.npm === undefined ? {} : { npm: provider.npm, name: provider.name };
  return {
    model: `${provider.id}/${model}`,
    provider: {
      [provider.id]: {
        ...own,
        options: { baseURL: `http://127.0.0.1:${MODEL_PORT}${INSIDE_PREFIX}`, apiKey: "dummy" },
        // Named here too, so that OpenCode takes a model that is newer than its own list.
        models: { [model]: {} },
      },
    },
  };
}
