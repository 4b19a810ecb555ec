import { CaptureError } from "../../core/errors.ts";
import { findKey, type KeyPlaces } from "./find-key.ts";
import { PROVIDERS, type Provider, providerOf, UNSUPPORTED_PROVIDERS } from "./providers.ts";
import type { Secret } from "./secret.ts";

export interface LiveModel {
  kind: "live";
  /** As it was asked for. */
  requested: string;
  provider: Provider;
  /** Its name at the provider. */
  model: string;
  /** With the version segment, without a `/` at its end. */
  baseUrl: string;
  key: Secret | undefined;
  keySource: string;
}

export interface LivePlaces extends KeyPlaces {
  /** Goes before the providers' variables and defaults. */
  baseUrl?: string | undefined;
}

const MODEL_NAME = /^[\x21-\x7e]{1,200}$/;

/** True for what may be meant as `PROVIDER/MODEL`. */
export function looksLive(spec: string): boolean {
  return /^[^/\s:]+\/\S+$/.test(spec);
}

/**
 * What `--model PROVIDER/MODEL` names, with its address and key, both on the supervisor's side alone.
 * @param near names like a given one, from a list
 * @throws CaptureError `usage` for a provider that there is not, `settings-invalid` for an address or key.
 */
export function resolveLive(
  spec: string,
  places: LivePlaces,
  near: (wanted: string, names: readonly string[]) => string[],
): LiveModel {
  const slash = spec.indexOf("/");
  const id = spec.slice(0, slash);
  const model = spec.slice(slash + 1);
  const provider = providerOf(id);
  if (provider === undefined) throw noSuchProvider(id, near);
  if (!MODEL_NAME.test(model)) {
    throw new CaptureError("usage", `${JSON.stringify(model)} can't be the name of a model`, { hint: SUPPORTED });
  }
  const baseUrl = baseUrlOf(provider, places);
  const { key, source } = findKey(provider, places);
  return { kind: "live", requested: spec, provider, model, baseUrl, key, keySource: source };
}

const SUPPORTED = `what can be used: ${PROVIDERS.map(({ id }) => `${id}/MODEL`).join(", ")}, and scripted (docs/models.md)`;

function noSuchProvider(id: string, near: (wanted: string, names: readonly string[]) => string[]): CaptureError {
  if (UNSUPPORTED_PROVIDERS.has(id)) {
    const why = "it takes more than a key to speak to it (signed requests, or a log-in of its own)";
    return new CaptureError("usage", `the provider ${id} is not supported: ${why}`, {
      hint: `${SUPPORTED}; a gateway of your own that speaks OpenAI's chat format works as openai-compatible/MODEL`,
    });
  }
  const names = near(
    id,
    PROVIDERS.map((provider) => provider.id),
  );
  const meant = names.length === 0 ? "" : `; did you mean ${names.join(" or ")}?`;
  return new CaptureError("usage", `there is no provider ${JSON.stringify(id)}${meant}`, { hint: SUPPORTED });
}

function baseUrlOf(provider: Provider, places: LivePlaces): string {
  const fromVariable = provider.urlVariables.map((name) => places.env[name]).find((value) => value);
  const text = places.baseUrl ?? fromVariable ?? provider.baseUrl;
  if (text === undefined) {
    throw new CaptureError("settings-invalid", `where ${provider.name} is has to be said`, {
      hint: "give --base-url URL with the version segment, for example --base-url http://127.0.0.1:8000/v1",
    });
  }
  return normalised(text, provider);
}

function normalised(text: string, provider: Provider): string {
  const url = URL.parse(text);
  const wrong = url === null || !["http:", "https:"].includes(url.protocol) || url.search !== "" || url.hash !== "";
  if (wrong || url.username !== "" || url.password !== "") {
    // Not quoted: it may hold a password.
    throw new CaptureError("settings-invalid", `the base URL of ${provider.name} is not one`, {
      hint: "it begins with http:// or https:// and has no user, no password, no ? and no #",
    });
  }
  const path = url.pathname.replace(/\/+$/, "");
  // Some variables are written without the version segment.
  const fallback = URL.parse(provider.baseUrl ?? "http://x/v1")?.pathname ?? "";
  return `${url.origin}${path === "" ? fallback : path}`;
}
