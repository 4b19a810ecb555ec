import { BlockList, isIP } from "node:net";
import { CaptureError } from "../../core/errors.ts";

const NAMES = [
  "http_proxy",
  "HTTP_PROXY",
  "https_proxy",
  "HTTPS_PROXY",
  "all_proxy",
  "ALL_PROXY",
  "no_proxy",
  "NO_PROXY",
];

/** Proxy variables of the host, in small or large letters. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>;

/** A proxy that a model is asked through. */
export interface Proxy {
  /** May hold a password. */
  url: string;
  /** The same without user and password. */
  shown: string;
  /** Variable that names it. */
  variable: string;
  hasPassword: boolean;
}

/** Only what concerns proxies: the rest of an environment holds keys. */
export function proxyVariables(env: NodeJS.ProcessEnv): ProxyVariables {
  return Object.fromEntries(NAMES.map((name) => [name, env[name]]));
}

/**
 * The proxy for a URL, by curl's rules: small letters before large ones, `ALL_PROXY` last, `NO_PROXY` before all. A host
 * on this machine is never asked through a proxy.
 * @throws CaptureError `settings-invalid` for a proxy that can't be used: to go past it unasked would be no service.
 */
export function proxyFor(baseUrl: string, variables: ProxyVariables): Proxy | undefined {
  const target = new URL(baseUrl);
  const scheme = target.protocol === "https:" ? "https_proxy" : "http_proxy";
  const variable = withLarge(scheme, "all_proxy").find((name) => variables[name]);
  if (variable === undefined || isLoopback(target.hostname)) return undefined;
  const excepted = variables["no_proxy"] || variables["NO_PROXY"] || "";
  if (isExcepted(target, excepted)) return undefined;
  return parseProxy(variables[variable] ?? "", variable, target.host);
}

function withLarge(...names: string[]): string[] {
  return names.flatMap((name) => [name, name.toUpperCase()]);
}

function parseProxy(text: string, variable: string, host: string): Proxy {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    // Not quoted: it may hold a password.
    const why = url === null ? "it is no URL" : `it begins with ${url.protocol}//, and only http and https are known`;
    throw new CaptureError("settings-invalid", `the proxy that ${variable} names can't be used: ${why}`, {
      hint: `write it as http://HOST:PORT, or set NO_PROXY=${host} if the model can be reached without`,
    });
  }
  return {
    url: url.href,
    shown: `${url.protocol}//${url.host}`,
    variable,
    hasPassword: url.username !== "" || url.password !== "",
  };
}

/** True for a name or address of this machine itself. */
function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

/** `NO_PROXY`: names with all that lies below them, addresses, networks (10.0.0.0/8), each with a port or without, or `*`. */
function isExcepted(target: URL, list: string): boolean {
  const host = target.hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  const port = target.port || (target.protocol === "https:" ? "443" : "80");
  return list.split(/[\s,]+/).some((entry) => matches(entry.toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return isInNetwork(entry, host);
  const [, name = "", entryPort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
  if (entryPort !== undefined && entryPort !== port) return false;
  const suffix = name.replace(/^\*?\./, "");
  return suffix !== "" && (host === suffix || host.endsWith(`.${suffix}`));
}

function isInNetwork(entry: string, host: string): boolean {
  const [address = "", bits = ""] = entry.split("/");
  const [network, own] = [isIP(address), isIP(host)];
  if (network === 0 || network !== own || !/^\d{1,3}$/.test(bits) || Number(bits) > (network === 4 ? 32 : 128))
    return false;
  const family = network === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family);
  return list.check(host, family);
}
