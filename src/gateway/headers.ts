import type { IncomingHttpHeaders } from "node:http";

/** Names that carry secrets, whatever provider thought them up. */
const SECRET_NAME = /auth|cookie|api-?key|token|secret|credential|password|session-key|signature/i;
/** Secrets never; but these names only look like them. */
const HARMLESS: ReadonlySet<string> = new Set([
  "x-ratelimit-limit-tokens",
  "x-ratelimit-remaining-tokens",
  "x-ratelimit-reset-tokens",
]);
/** Belong to one connection, not to the message. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
  "host",
]);
const SECRET_PARAMETER = /^(?:key|.*(?:api_?key|token|secret|signature|password).*)$/i;
const MAX_PATH_CHARS = 4096;

/** Headers as they may be kept: one string a name, no credentials. */
export function withoutSecrets(
  headers: IncomingHttpHeaders | Readonly<Record<string, string>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || (SECRET_NAME.test(name) && !HARMLESS.has(name))) continue;
    kept[name] = typeof value === "string" ? value : value.join(", ");
  }
  return kept;
}

/** What of a message's headers is passed on to the other side. */
export function endToEnd(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}

/** A request's path as it may be kept: some providers take the key as a query parameter. */
export function pathWithoutSecrets(path: string): string {
  const [before, query] = splitOnce(path.slice(0, MAX_PATH_CHARS), "?");
  if (query === undefined) return before;
  const kept = query.split("&").filter((part) => !SECRET_PARAMETER.test(splitOnce(part, "=")[0]));
  return kept.length === 0 ? before : `${before}?${kept.join("&")}`;
}

function splitOnce(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
