import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { CaptureError } from "../core/errors.ts";
import { PACKAGE_ROOT } from "../core/package-root.ts";
import type { BudgetLimits } from "../gateway/budget.ts";
import { DEFAULT_GATEWAY_LIMITS } from "../gateway/limits.ts";
import { createLiveGateway } from "../gateway/live/live-gateway.ts";
import { isListed, listModels } from "../gateway/live/model-names.ts";
import { type Price, readPriceTable } from "../gateway/live/price-table.ts";
import { proxyFor, proxyVariables } from "../gateway/live/proxy.ts";
import type { LiveModel, LivePlaces } from "../gateway/live/resolve-live.ts";
import type { ModelGateway } from "../gateway/port.ts";
import { createScriptedGateway } from "../gateway/scripted-gateway.ts";
import { nearNames } from "../issues/near-names.ts";
import type { RunModel } from "../issues/resolve-model.ts";
import { IDLE_LIMIT_SECONDS } from "../sandbox/limits.ts";
import { visible } from "../schema/display.ts";
import { runLimits } from "../supervisor/run-limits.ts";
import { cacheDirectory } from "./cache-directory.ts";
import type { Progress } from "./progress.ts";
import type { Settings } from "./settings.ts";

const PRICE_FILE = path.join(PACKAGE_ROOT, "config", "model-prices.json");

/** Where a live model's address and key are looked for. @throws CaptureError for a key file in the agent's reach. */
export function livePlaces(settings: Settings, env: NodeJS.ProcessEnv): LivePlaces {
  const { api_key_file: apiKeyFile, project } = settings;
  if (apiKeyFile !== undefined && isWithin(apiKeyFile, project)) {
    throw new CaptureError(
      "settings-invalid",
      `the key file ${apiKeyFile} lies in the project, of which the agent gets a copy`,
      {
        hint: "keep it elsewhere, for example ~/.config/opencode-capture/key",
      },
    );
  }
  return { env, baseUrl: settings.base_url, apiKeyFile, authFile: authFile(env) };
}

function isWithin(file: string, dir: string): boolean {
  const relative = path.relative(realPath(dir), realPath(file));
  return !relative.startsWith("..") && !path.isAbsolute(relative);
}

function realPath(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return path.resolve(file);
  }
}

/** Where OpenCode keeps its log-ins for this user. */
function authFile(env: NodeJS.ProcessEnv): string {
  const data = env["XDG_DATA_HOME"];
  const base = data !== undefined && path.isAbsolute(data) ? data : path.join(homeOfCaller(env), ".local", "share");
  return path.join(base, "opencode", "auth.json");
}

/** Under sudo the home is root's, but the log-ins are those of the user who called it. */
function homeOfCaller(env: NodeJS.ProcessEnv): string {
  const uid = env["SUDO_UID"];
  if (process.getuid?.() !== 0 || uid === undefined) return os.homedir();
  try {
    const users = fs
      .readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map((line) => line.split(":"));
    return users.find((fields) => fields[2] === uid)?.[5] ?? os.homedir();
  } catch {
    return os.homedir();
  }
}

/**
 * Looks at what can be known of a model before anything is set up: its name, and whether its limits can be kept.
 * @throws CaptureError `usage` for a name that the provider does not list, or for a cost limit without prices,
 * `settings-invalid` for a proxy that can't be used.
 */
export async function checkModel(model: RunModel, settings: Settings): Promise<void> {
  if (settings.max_cost !== undefined) checkCostLimit(model, settings);
  if (model.kind !== "live") return;
  // A proxy that can't be used is told before anything is set up, whether or not the provider is asked now.
  proxyFor(model.baseUrl, proxyVariables(process.env));
  if (!settings.check_model) return;
  const names = await listModels(model, proxyVariables(process.env));
  if (names === undefined || isListed(model.model, names)) return;
  const near = nearNames(model.model, names).map(visible);
  const meant = near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`;
  throw new CaptureError("usage", `${model.provider.name} lists no model ${visible(model.model)}${meant}`, {
    hint: "to use it all the same, set OPENCODE_CAPTURE_CHECK_MODEL=0",
  });
}

function checkCostLimit(model: RunModel, settings: Settings): void {
  if (model.kind === "scripted") {
    throw new CaptureError("usage", "--max-cost is for live models: a scripted one costs nothing", {
      hint: "a scripted run can be limited with --max-tokens",
    });
  }
  if (priceOf(model, settings) !== undefined || model.provider.id === "openrouter") return;
  throw new CaptureError("usage", `what ${model.requested} costs is not known, so --max-cost can't be kept`, {
    hint: "give its prices as `price_input` and `price_output` (US dollars for a million tokens), or use --max-tokens",
  });
}

function priceOf(model: LiveModel, settings: Settings): Price | undefined {
  const { price_input: input, price_output: output } = settings;
  if (input !== undefined && output !== undefined) return { input, output };
  const prices = readPriceTable(PRICE_FILE).providers[model.provider.id] ?? {};
  return Object.hasOwn(prices, model.model) ? prices[model.model] : undefined;
}

/** One line on where a live run's data goes; at the first time for a host also what that is. */
export function announceModel(model: RunModel, progress: Progress): void {
  if (model.kind !== "live") return;
  const { requested, baseUrl, keySource } = model;
  const proxy = proxyFor(baseUrl, proxyVariables(process.env));
  const through = proxy === undefined ? "" : ` through the proxy ${visible(proxy.shown)} (${proxy.variable})`;
  const key = keySource === "no key" ? keySource : `key from ${keySource}`;
  progress.line(`model    ${requested} at ${baseUrl}${through}, ${key}`);
  const { host, protocol } = new URL(baseUrl);
  const marker = path.join(cacheDirectory(), "live-hosts", encodeURIComponent(host));
  if (fs.existsSync(marker)) return;
  progress.line(
    `note     first live run with ${host}: it gets the task, and all that the agent reads or prints in its container.`,
  );
  progress.line(
    "         The key stays outside of the container and is never written. What the provider charges is yours to",
  );
  progress.line("         pay: --max-tokens and --max-cost limit it (docs/models.md).");
  if (protocol === "http:") progress.line("         The connection is not encrypted.");
  fs.mkdirSync(path.dirname(marker), { recursive: true });
  fs.writeFileSync(marker, "");
}

/** Makes the gateway of a run, with the limits that the settings name. */
export async function gatewayFor(model: RunModel, settings: Settings, captureDir: string): Promise<ModelGateway> {
  const budget: BudgetLimits = {
    maxTokens: settings.max_tokens,
    maxCostUsd: settings.max_cost,
    requestsPerMinute: settings.requests_per_minute,
  };
  const { model_traffic: recordBytes, model_body: bodyBytes } = runLimits(settings.limits);
  const limits = { recordBytes, bodyBytes };
  if (model.kind === "scripted")
    return createScriptedGateway({ model, requested: model.requested, captureDir, budget, limits });
  return createLiveGateway({
    model,
    captureDir,
    budget,
    proxy: proxyVariables(process.env),
    price: priceOf(model, settings),
    allowProviderTools: settings.allow_provider_tools,
    retrySeconds: settings.model_retry_seconds,
    limits: { ...limits, modelSilenceMs: silenceMs(settings) },
  });
}

/** The idle limit ends a run before: so the record says who waited for whom, whatever was chosen. */
function silenceMs(settings: Settings): number {
  const idleMs = (settings.idle_seconds ?? IDLE_LIMIT_SECONDS) * 1000;
  return Math.max(DEFAULT_GATEWAY_LIMITS.modelSilenceMs, 2 * idleMs);
}
