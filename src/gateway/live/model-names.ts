import * as http from "node:http";
import * as https from "node:https";
import { text } from "node:stream/consumers";
import * as z from "zod";
import { agentFor, authHeader } from "./live-upstream.ts";
import { type ProxyVariables, proxyFor } from "./proxy.ts";
import type { LiveModel } from "./resolve-live.ts";

const WAIT_MS = 5000;
const MAX_LIST_BYTES = 8 * 1024 * 1024;

const list = z.object({
  data: z.array(z.object({ id: z.string() })).optional(),
  models: z.array(z.object({ name: z.string() })).optional(),
});

/**
 * Asks the provider which models it has; nothing but the key is sent.
 * @returns undefined when it does not say within a few seconds: that alone is no reason against a run.
 * @throws CaptureError `settings-invalid` for a proxy that can't be used.
 */
export async function listModels(model: LiveModel, proxy: ProxyVariables): Promise<string[] | undefined> {
  const agent = agentFor(model.baseUrl, proxyFor(model.baseUrl, proxy));
  try {
    return namesIn(await get(`${model.baseUrl}/models${pageSize(model)}`, model, agent));
  } catch {
    return undefined;
  } finally {
    agent.destroy();
  }
}

/** Without it two providers list only their first page. */
function pageSize({ provider }: LiveModel): string {
  if (provider.id === "anthropic") return "?limit=1000";
  return provider.id === "google" ? "?pageSize=1000" : "";
}

async function get(url: string, { provider, key }: LiveModel, agent: http.Agent): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const outgoing = (url.startsWith("https:") ? https : http).request(url, {
    agent,
    headers: { ...authHeader(provider.formats[0] ?? "unknown", key), "anthropic-version": "2023-06-01" },
    signal: AbortSignal.timeout(WAIT_MS),
  });
  outgoing.on("response", resolve).on("error", reject);
  outgoing.end();
  const answer = await promise;
  if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}`);
  let bytes = 0;
  answer.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_LIST_BYTES) answer.destroy(new Error("the list of models is too large"));
  });
  return text(answer);
}

function namesIn(body: string): string[] | undefined {
  const parsed = list.safeParse(JSON.parse(body));
  if (!parsed.success) return undefined;
  const names = [
    ...(parsed.data.data ?? []).map(({ id }) => id),
    ...(parsed.data.models ?? []).map(({ name }) => name.replace(/^models\//, "")),
  ];
  return names.length === 0 ? undefined : names;
}

/** True when a list has the model: by its name, or by one that it is the short form or a variant of. */
export function isListed(model: string, names: readonly string[]): boolean {
  const plain = model.replace(/-(?:latest|fast|pro)$/, "").replace(/:[a-z]+$/, "");
  return names.some(
    (name) => name === model || name === plain || name.startsWith(`${plain}-`) || name.startsWith(`${plain}:`),
  );
}
