import { type ServerType, serve } from "@hono/node-server";
import { CaptureError, errnoOf, errorMessage } from "../core/errors.ts";
import { viewerAssets } from "../report/viewer-assets.ts";
import { createApp } from "./app.ts";
import { allowedHosts, isLoopback } from "./host-check.ts";
import { CaptureLibrary } from "./library.ts";

export interface BrowserOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  captureRoot: string;
}

export interface BrowserServer {
  /** For example `http://127.0.0.1:8765`. */
  url: string;
  port: number;
  /** What the person who started it should know, for example that other machines can reach it. */
  warnings: string[];
  /** Resolves when every capture has been looked at once. */
  scanned: Promise<void>;
  close(): Promise<void>;
}

/**
 * Serves the captures below a root, read-only, until it is closed. The list is there at once; missing summaries and
 * reports are filled in behind.
 * @throws CaptureError `address-in-use`, `setup` when the viewer is not built, `usage` for a host that is none.
 */
export async function startBrowser(options: BrowserOptions): Promise<BrowserServer> {
  const assets = viewerAssets();
  const library = new CaptureLibrary(options.captureRoot);
  // Which hosts are its own is known only when it listens, because the port may be any free one.
  const allowed = new Set<string>();
  const app = createApp(library, allowed, assets);
  const server = await listen(options, (request) => app.fetch(request));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  for (const host of allowedHosts(options.host, port)) allowed.add(host);
  const shown = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    url: `http://${shown}:${port}`,
    port,
    warnings: isLoopback(options.host) ? [] : [openWarning(options.host)],
    scanned: library.scan(),
    close: () => close(server),
  };
}

function openWarning(host: string): string {
  return `listening on ${host}: other machines can read these captures, without a password; --host 127.0.0.1 keeps them here`;
}

function listen(
  options: BrowserOptions,
  fetch: (request: Request) => Response | Promise<Response>,
): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: options.host, port: options.port });
    server.once("listening", () => resolve(server));
    server.once("error", (error) => reject(listenError(options, error)));
  });
}

function listenError({ host, port }: BrowserOptions, error: unknown): CaptureError {
  const errno = errnoOf(error);
  if (errno === "EADDRINUSE") {
    return new CaptureError("address-in-use", `${host}:${port} is already in use`, {
      cause: error,
      hint: `use another port: opencode-capture browse --host ${host} --port ${port + 1}`,
    });
  }
  return new CaptureError("usage", `cannot listen on ${host}:${port}: ${errorMessage(error)}`, {
    cause: error,
    hint: "opencode-capture browse --host 127.0.0.1 --port 8765",
  });
}

function close(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    // Kept-alive connections of browsers would hold it open.
    if ("closeAllConnections" in server) server.closeAllConnections();
  });
}
