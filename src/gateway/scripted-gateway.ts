import * as path from "node:path";
import { CaptureError, errorMessage } from "../core/errors.ts";
import { LAYOUT } from "../evidence/layout.ts";
import { Budget, type BudgetLimits } from "./budget.ts";
import { HttpGateway } from "./http-gateway.ts";
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
import { type AgentModelConfig, MODEL_PORT, type ModelGateway } from "./port.ts";
import { startScriptedUpstream } from "./scripted-upstream.ts";

const PROVIDER = "scripted";
/** So large that OpenCode never shortens a session by a summary, which no script expects. */
const CONTEXT_TOKENS = 10_000_000;
const OUTPUT_TOKENS = 32_000;

export interface ScriptedGatewayOptions {
  /** The script, and the name that the model has in OpenCode. */
  model: { file: string; persona: string };
  /** What was asked for with `--model`, for the record. */
  requested: string;
  /** The exchanges go to `model/` in it, which exists. */
  captureDir: string;
  limits?: Partial<GatewayLimits>;
  port?: number;
  budget?: BudgetLimits;
}

/**
 * A gateway to a scripted model, started and ready for `serve`.
 * @throws CaptureError for a faulty script, or when the record can't be created.
 */
export async function createScriptedGateway(options: ScriptedGatewayOptions): Promise<ModelGateway> {
  const limits = { ...DEFAULT_GATEWAY_LIMITS, ...options.limits };
  const port = options.port ?? MODEL_PORT;
  const { file, persona } = options.model;
  const upstream = await startScriptedUpstream(file, limits);
  try {
    return new HttpGateway({
      upstream,
      recordFile: path.join(options.captureDir, LAYOUT.exchanges),
      port,
      agentConfig: scriptedAgentConfig(persona, port),
      info: {
        requested: options.requested,
        provider: PROVIDER,
        model: persona,
        persona,
        scriptSha256: upstream.sha256,
        baseUrl: null,
        keySource: null,
      },
      limits,
      ...(options.budget === undefined ? {} : { budget: new Budget(options.budget) }),
    });
  } catch (error) {
    await upstream.close();
    throw new CaptureError(
      "write-failed",
      `the record of the model's traffic can't be created: ${errorMessage(error)}`,
      {
        cause: error,
      },
    );
  }
}

function scriptedAgentConfig(persona: string, port: number): AgentModelConfig {
  return {
    model: `${PROVIDER}/${persona}`,
    provider: {
      [PROVIDER]: {
        npm: "@ai-sdk/openai-compatible",
        name: "Scripted model",
        // The key is none: without one the client refuses to start.
        options: { baseURL: `http://127.0.0.1:${port}/v1`, apiKey: "dummy" },
        models: { [persona]: { name: persona, limit: { context: CONTEXT_TOKENS, output: OUTPUT_TOKENS } } },
      },
    },
  };
}
