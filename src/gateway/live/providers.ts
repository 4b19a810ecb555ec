import type { WireFormatName } from "../../schema/exchange.ts";

/** What can be named before the `/` of `--model PROVIDER/MODEL`. */
export interface Provider {
  /** As OpenCode names it. */
  id: string;
  name: string;
  /** Wire formats that its models speak. */
  formats: readonly WireFormatName[];
  /** Where it is, the version segment included; undefined where the user must say. */
  baseUrl: string | undefined;
  /** Variables that hold another base URL. */
  urlVariables: readonly string[];
  /** Variables that hold the key, the first that is set counts. */
  keyVariables: readonly string[];
  needsKey: boolean;
  /** The client library, where OpenCode does not know the provider by itself. */
  npm?: string;
}

const COMPATIBLE = "@ai-sdk/openai-compatible";

export const PROVIDERS: readonly Provider[] = [
  {
    id: "anthropic",
    name: "Anthropic",
    formats: ["anthropic-messages"],
    baseUrl: "https://api.anthropic.com/v1",
    urlVariables: ["ANTHROPIC_BASE_URL"],
    keyVariables: ["ANTHROPIC_API_KEY"],
    needsKey: true,
  },
  {
    id: "openai",
    name: "OpenAI",
    formats: ["openai-responses"],
    baseUrl: "https://api.openai.com/v1",
    urlVariables: ["OPENAI_BASE_URL"],
    keyVariables: ["OPENAI_API_KEY"],
    needsKey: true,
  },
  {
    id: "google",
    name: "Google Gemini",
    formats: ["google-generate"],
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
    urlVariables: ["GOOGLE_GEMINI_BASE_URL"],
    keyVariables: ["GOOGLE_GENERATIVE_AI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"],
    needsKey: true,
  },
  {
    id: "openrouter",
    name: "OpenRouter",
    formats: ["openai-chat"],
    baseUrl: "https://openrouter.ai/api/v1",
    urlVariables: ["OPENROUTER_BASE_URL"],
    keyVariables: ["OPENROUTER_API_KEY"],
    needsKey: true,
  },
  {
    id: "opencode",
    name: "OpenCode Zen",
    formats: ["openai-chat", "openai-responses", "anthropic-messages", "google-generate"],
    baseUrl: "https://opencode.ai/zen/v1",
    urlVariables: [],
    keyVariables: ["OPENCODE_API_KEY"],
    needsKey: true,
  },
  {
    id: "openai-compatible",
    name: "OpenAI-compatible",
    formats: ["openai-chat"],
    baseUrl: undefined,
    urlVariables: ["OPENAI_COMPATIBLE_BASE_URL"],
    keyVariables: ["OPENAI_COMPATIBLE_API_KEY"],
    needsKey: false,
    npm: COMPATIBLE,
  },
  {
    id: "ollama",
    name: "Ollama",
    formats: ["openai-chat"],
    baseUrl: "http://127.0.0.1:11434/v1",
    urlVariables: [],
    keyVariables: [],
    needsKey: false,
    npm: COMPATIBLE,
  },
  {
    id: "lmstudio",
    name: "LM Studio",
    formats: ["openai-chat"],
    baseUrl: "http://127.0.0.1:1234/v1",
    urlVariables: [],
    keyVariables: [],
    needsKey: false,
    npm: COMPATIBLE,
  },
];

/** Providers that OpenCode knows and that sign requests or log in in a way that a plain key can't stand for. */
export const UNSUPPORTED_PROVIDERS: ReadonlySet<string> = new Set([
  "azure",
  "azure-cognitive-services",
  "amazon-bedrock",
  "bedrock",
  "google-vertex",
  "google-vertex-anthropic",
  "vertex",
  "github-copilot",
  "github-models",
  "gitlab",
  "sap-ai-core",
  "snowflake-cortex",
]);

export function providerOf(id: string): Provider | undefined {
  return PROVIDERS.find((provider) => provider.id === id);
}
