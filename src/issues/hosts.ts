/** A host that a text names, with the port where the text tells it. */
export interface NamedHost {
  host: string;
  port: number | undefined;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, ssh: 22, git: 9418, ftp: 21 };

const URL_HOST = /\b([a-z][a-z0-9+.-]*):\/\/(?:[^\s/@'"]*@)?(\[[0-9a-f:]+\]|[^\s/:'"`<>(){}|;,\\]+)(?::(\d{1,5}))?/gi;
const ADDRESS = /(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?::(\d{1,5}))?(?![\w.]*\d)/g;
const MAIL_HOST = /[\w.+-]@([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})\b/gi;
/** A name alone can't be told from a file's; these endings are hosts. */
const NAME = /(?<![\w.@/-])((?:[a-z0-9_-]+\.)+(?:com|net|org|io|dev|app|ai|cn|de|uk|eu|info|cloud|xyz|invalid))\b/gi;

/** Hosts in a text: of addresses (URLs), IP addresses, mail addresses, and names with a well-known ending. */
export function hostsIn(text: string): NamedHost[] {
  return [...reachableHosts(text), ...matches(text, MAIL_HOST), ...matches(text, NAME)];
}

/** Those of them that a command could be about to reach: in URLs, or IP addresses. */
export function reachableHosts(text: string): NamedHost[] {
  const urls = [...text.matchAll(URL_HOST)].flatMap(([, scheme = "", host = "", port]) =>
    // A part that the shell fills in is no name that could be judged; what is fixed in it is.
    scheme.toLowerCase() === "file" ? [] : [hostOf(host, port ?? DEFAULT_PORTS[scheme.toLowerCase()])],
  );
  return [...urls, ...[...text.matchAll(ADDRESS)].map(([, host = "", port]) => hostOf(host, port))];
}

function matches(text: string, pattern: RegExp): NamedHost[] {
  return [...text.matchAll(pattern)].map(([, host = ""]) => hostOf(host, undefined));
}

function hostOf(written: string, port: string | number | undefined): NamedHost {
  const host = written
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
  return { host, port: port === undefined ? undefined : Number(port) };
}

const RESERVED_NAMES = /(?:^|\.)(?:invalid|test|example|localhost|example\.(?:com|net|org))$/;
const RESERVED_ADDRESSES = /^(?:192\.0\.2|198\.51\.100|203\.0\.113|127\.\d{1,3}\.\d{1,3})\.\d{1,3}$|^0\.0\.0\.0$/;

/**
 * Whether a host can belong to nobody: reserved names (RFC 2606, RFC 6761), addresses for documentation (RFC 5737,
 * RFC 3849) and the own machine.
 */
export function isReservedHost(host: string): boolean {
  const plain = host.toLowerCase();
  return RESERVED_NAMES.test(plain) || RESERVED_ADDRESSES.test(plain) || plain === "::1" || /^2001:0?db8:/.test(plain);
}
