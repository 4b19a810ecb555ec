/**
 * Writes config/model-prices.json from the list that an OpenCode program carries (it asks nobody):
 *   node scripts/write-model-prices.ts PATH/TO/opencode
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const FILE = path.join(import.meta.dirname, "..", "config", "model-prices.json");
/** OpenCode shows only providers that it has a key for; any will do. */
const KEYS = { ANTHROPIC_API_KEY: "x", OPENAI_API_KEY: "x", GEMINI_API_KEY: "x", OPENCODE_API_KEY: "x" };
/** OpenRouter is not among them: it says itself what an answer cost. */
const PROVIDERS = ["anthropic", "google", "openai", "opencode"];

interface Rates {
  input: number;
  output: number;
  cache: { read: number; write: number };
}

interface Model {
  id: string;
  providerID: string;
  release_date: string;
  cost: Rates & { tiers?: (Rates & { tier: { type: string; size: number } })[] };
}

function listModels(opencode: string): { version: string; models: Model[] } {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "prices-"));
  const options = {
    env: { ...KEYS, HOME: home, PATH: process.env["PATH"], OPENCODE_DISABLE_MODELS_FETCH: "1" },
    cwd: home,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  } as const;
  const out = path.join(home, "models.txt");
  // Into a file: OpenCode cuts what it prints into a pipe.
  execFileSync(opencode, ["models", "--verbose"], { ...options, stdio: ["ignore", fs.openSync(out, "w"), "inherit"] });
  const version = execFileSync(opencode, ["--version"], options).trim();
  const parts = fs.readFileSync(out, "utf8").split(/^[\w.-]+\/\S+\n(?=\{)/m);
  fs.rmSync(home, { recursive: true });
  return { version, models: parts.filter((one) => one.trim() !== "").map((one) => JSON.parse(one) as Model) };
}

/** A price of nothing for a cache means that none is told. */
function rates({ input, output, cache }: Rates): Record<string, number> {
  return {
    input,
    output,
    ...(cache.read > 0 ? { cache_read: cache.read } : {}),
    ...(cache.write > 0 ? { cache_write: cache.write } : {}),
  };
}

function priceOf({ cost }: Model): object {
  const tier = cost.tiers?.find((one) => one.tier.type === "context");
  return { ...rates(cost), ...(tier ? { above: { ...rates(tier), input_tokens: tier.tier.size } } : {}) };
}

const { version, models } = listModels(process.argv[2] ?? "opencode");
const known = models.filter((model) => PROVIDERS.includes(model.providerID));
const table = {
  note: "US dollars for a million tokens. A price may have changed since: what a run cost is an estimate.",
  source: `the list of models in OpenCode ${version} (data of models.dev)`,
  as_of: known
    .map((model) => model.release_date)
    .toSorted()
    .at(-1),
  providers: Object.fromEntries(
    PROVIDERS.map((id) => [
      id,
      Object.fromEntries(
        known
          .filter((model) => model.providerID === id)
          .toSorted((a, b) => (a.id < b.id ? -1 : 1))
          .map((model) => [model.id, priceOf(model)]),
      ),
    ]),
  ),
};
fs.writeFileSync(FILE, `${JSON.stringify(table, null, 2)}\n`);
process.stdout.write(`${known.length} models → ${FILE}\n`);
