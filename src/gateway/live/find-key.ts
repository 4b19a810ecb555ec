import * as fs from "node:fs";
import * as z from "zod";
import { CaptureError, errnoOf, errorMessage } from "../../core/errors.ts";
import type { Provider } from "./providers.ts";
import { Secret } from "./secret.ts";

/** Where a key may come from, on the supervisor's side of the wall. */
export interface KeyPlaces {
  env: Readonly<Record<string, string | undefined>>;
  /** A file that holds the key and nothing else. */
  apiKeyFile?: string | undefined;
  /** OpenCode's own log-ins. */
  authFile?: string | undefined;
}

export interface FoundKey {
  key: Secret | undefined;
  /** In words, for the record: the name of a variable or a file, never the key. */
  source: string;
}

/** Goes before the providers' own variables; only this program reads it. */
const OWN_VARIABLE = "OPENCODE_CAPTURE_API_KEY";
const MAX_FILE_BYTES = 1024 * 1024;

const logins = z.record(z.string(), z.looseObject({ type: z.string(), key: z.string().optional() }));

/**
 * The key for a provider: our own variable, the key file, the provider's variables, OpenCode's log-in.
 * @throws CaptureError `settings-invalid` when a key is needed and there is none, or when it can't be one.
 */
export function findKey(provider: Provider, places: KeyPlaces): FoundKey {
  const variable = [OWN_VARIABLE, ...provider.keyVariables];
  const own = places.env[OWN_VARIABLE];
  if (own) return checked(own, OWN_VARIABLE);
  if (places.apiKeyFile !== undefined) return checked(readKeyFile(places.apiKeyFile), places.apiKeyFile);
  for (const name of provider.keyVariables) {
    const value = places.env[name];
    if (value) return checked(value, name);
  }
  const login = places.authFile === undefined ? undefined : loginOf(provider.id, places.authFile);
  if (login?.key !== undefined && login.type === "api") return checked(login.key, "OpenCode's log-in");
  if (!provider.needsKey) return { key: undefined, source: "no key" };
  const where = `set ${variable.slice(1).join(" or ") || OWN_VARIABLE}, or \`api_key_file\` to a file outside of the project (docs/models.md)`;
  if (login === undefined) {
    throw new CaptureError("settings-invalid", `there is no key for ${provider.name}`, { hint: where });
  }
  throw new CaptureError(
    "settings-invalid",
    `OpenCode is logged in to ${provider.name} by ${login.type === "oauth" ? "OAuth" : login.type}, which can't be used from outside of OpenCode: it is bound to OpenCode's own client and is renewed by it`,
    { hint: `${where}; a key is made on the provider's own pages` },
  );
}

function checked(text: string, source: string): FoundKey {
  const value = text.trim();
  // Anything else can't stand in a header.
  if (!/^[\x21-\x7e]{1,4096}$/.test(value)) {
    throw new CaptureError("settings-invalid", `what ${source} holds can't be a key`, {
      hint: "a key is one line of printable ASCII without spaces",
    });
  }
  return { key: new Secret(value), source };
}

function readKeyFile(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new CaptureError("settings-invalid", `the key file ${file} can't be read: ${errorMessage(error)}`, {
      hint: "it must hold the key and nothing else",
    });
  }
}

function loginOf(providerId: string, file: string): { type: string; key?: string | undefined } | undefined {
  try {
    if (fs.statSync(file).size > MAX_FILE_BYTES) return undefined;
    return logins.parse(JSON.parse(fs.readFileSync(file, "utf8")))[providerId];
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    // Its content is secret, and a parser's message may quote it.
    throw new CaptureError("settings-invalid", `OpenCode's log-ins (${file}) can't be read`, {
      hint: "set the key as an environment variable, or log in again: opencode auth login",
    });
  }
}
