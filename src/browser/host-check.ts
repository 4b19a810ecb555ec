import type { MiddlewareHandler } from "hono";

/**
 * Only pages of this very server may talk to it. A page of the wide web that points its own name at 127.0.0.1 sends that
 * name as Host; a page of another origin sends its Origin or Sec-Fetch-Site.
 */
export function hostCheck(allowed: ReadonlySet<string>): MiddlewareHandler {
  return async (context, next) => {
    const host = context.req.header("host")?.toLowerCase() ?? "";
    if (!allowed.has(host)) return context.json({ error: `requests for the host '${host}' are not answered` }, 403);
    const origin = context.req.header("origin");
    if (origin !== undefined && !allowed.has(hostOf(origin))) {
      return context.json({ error: "requests from other pages are not answered" }, 403);
    }
    // A link from elsewhere to the page itself is a top-level navigation and harmless: it reads nothing.
    const site = context.req.header("sec-fetch-site") ?? "none";
    const navigation = context.req.header("sec-fetch-mode") === "navigate" && context.req.path === "/";
    if (site !== "none" && site !== "same-origin" && !navigation) {
      return context.json({ error: "requests from other pages are not answered" }, 403);
    }
    return next();
  };
}

function hostOf(origin: string): string {
  try {
    const url = new URL(origin);
    return url.protocol === "http:" ? url.host : "";
  } catch {
    return "";
  }
}

const LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]"];

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Values of the Host header that a server on `host`:`port` answers to. */
export function allowedHosts(host: string, port: number): ReadonlySet<string> {
  const own = host.includes(":") ? `[${host}]` : host.toLowerCase();
  const names = [...LOOPBACK_NAMES, own];
  // Clients leave out the port when it is the protocol's own.
  return new Set(names.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`])));
}
