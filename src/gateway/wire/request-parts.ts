import type { RequestFacts } from "./wire-format.ts";

/** Most names of provider-side tools that are kept of one request. */
const MAX_NAMED = 20;
const MAX_NAME_CHARS = 100;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The objects of a list; nothing for what is no list. */
export function objectsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A request that no model could understand. */
export function senseless(problem: string): RequestFacts {
  return { model: null, messageCount: null, providerTools: [], problem };
}

export function modelOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** A name that should be text; an agent may put anything there. */
export function nameOf(value: unknown): string {
  return typeof value === "string" ? value : "unnamed";
}

/** Names of what acts at the provider: each once, bounded, since an agent can make them up. */
export function namedOnce(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => name.slice(0, MAX_NAME_CHARS)))].slice(0, MAX_NAMED);
}

/** Where in a part of the input an address stands that the provider would fetch: in itself, or one level below. */
const URL_KEYS = ["url", "image_url", "file_url", "fileUri", "file_uri"] as const;
const HOLDERS = ["image_url", "source", "file", "fileData", "file_data"] as const;

/**
 * `remote-url` where a part of the input is an address that the provider would fetch: a picture or a file by URL is a
 * way out of the sandbox. Data that stands in the request itself (`data:`) is none, nor is what a tool was called with.
 */
export function remoteUrls(parts: readonly Record<string, unknown>[]): string[] {
  return parts.some((part) => holdsUrl(part) || HOLDERS.some((key) => holdsUrl(part[key]))) ? ["remote-url"] : [];
}

function holdsUrl(value: unknown): boolean {
  return isObject(value) && URL_KEYS.some((key) => isRemoteUrl(value[key]));
}

function isRemoteUrl(value: unknown): boolean {
  return typeof value === "string" && /^\s*(?:https?|ftp|gs|s3):/i.test(value);
}
