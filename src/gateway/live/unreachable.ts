import { errnoOf } from "../../core/errors.ts";
import { UpstreamError } from "../upstream.ts";
import type { Proxy } from "./proxy.ts";

/** The connection was a kept one, which the other side may have closed just as it was used again. */
export class StaleConnection extends Error {}

export interface AskedHost {
  /** With its port. */
  host: string;
  proxy: Proxy | undefined;
}

/** What Node and OpenSSL call a certificate that is not to be trusted. */
const BAD_CERTIFICATE =
  /^(?:ERR_TLS_CERT|CERT_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_(?:CA|PURPOSE))/;
/** Ends a run of the agent at once: to ask again would change nothing. */
const FOR_GOOD = 403;
const FOR_NOW = 502;

/** Why a request got no answer, in words that say how to mend it. `reused`: the connection had served before. */
export function asUpstreamError(error: Error, asked: AskedHost, reused: boolean): Error {
  if (error instanceof UpstreamError || error.name === "AbortError") return error;
  const { host, proxy } = asked;
  const code = errnoOf(error) ?? "";
  if (BAD_CERTIFICATE.test(code)) return unreachable(asked, FOR_GOOD, certificateProblem(host, code), error);
  if (proxy !== undefined && code === "ERR_PROXY_TUNNEL") return tunnelError(error, { host, proxy });
  if (proxy !== undefined && isConnecting(error)) {
    const why = `the proxy ${named(proxy)} can't be reached: ${withoutPasswords(error.message)}`;
    return unreachable(asked, FOR_NOW, `${why}; start it, mend ${proxy.variable}, or name ${host} in NO_PROXY`, error);
  }
  const why = withoutPasswords(error.message);
  const broken = code === "ECONNRESET" || code === "EPIPE";
  if (broken && reused) return new StaleConnection(error.message);
  if (broken) return new UpstreamError("model-broke-off", 502, `${host} closed the connection: ${why}`, error);
  return new UpstreamError("model-unreachable", FOR_NOW, `${host} can't be reached: ${why}`, error);
}

/** Nobody took the connection in time. */
export function noConnection(asked: AskedHost, seconds: number): UpstreamError {
  const { host, proxy } = asked;
  if (proxy === undefined)
    return new UpstreamError("model-unreachable", FOR_NOW, `${host} took no connection within ${seconds} s`);
  return unreachable(asked, FOR_NOW, `the proxy ${named(proxy)} made no connection to ${host} within ${seconds} s`);
}

/** 407 by a proxy, to CONNECT or to a request that it was to pass on. */
export function logInWanted({ host, proxy }: AskedHost & { proxy: Proxy }, cause?: unknown): UpstreamError {
  const { variable, hasPassword } = proxy;
  const wrong = `does not take the user and password of ${variable} (407); mend them there`;
  const missing = `wants a user and a password (407); write ${variable}=http://USER:PASSWORD@HOST:PORT`;
  const why = `the proxy ${named(proxy)} ${hasPassword ? wrong : missing}`;
  return unreachable({ host, proxy }, FOR_GOOD, why, cause);
}

function tunnelError(error: Error, asked: AskedHost & { proxy: Proxy }): UpstreamError {
  const { host, proxy } = asked;
  const status = "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : undefined;
  if (status === 407) return logInWanted(asked, error);
  if (status !== undefined && status >= 100) {
    const answer = /HTTP\/1\.\d (.{0,100})$/.exec(error.message)?.[1] ?? String(status);
    const why = `the proxy ${named(proxy)} does not connect to ${host}: ${answer}`;
    const mend = `allow it there, or name ${host} in NO_PROXY if it can be reached without`;
    return unreachable(asked, status < 500 ? FOR_GOOD : FOR_NOW, `${why}; ${mend}`, error);
  }
  const why = `the proxy ${named(proxy)} does not speak as a proxy: ${withoutPasswords(error.message)}`;
  return unreachable(asked, FOR_NOW, `${why}; mend ${proxy.variable}`, error);
}

function certificateProblem(host: string, code: string): string {
  const mend = "NODE_EXTRA_CA_CERTS=FILE.pem adds one, NODE_USE_SYSTEM_CA=1 those of this machine";
  return `the certificate of ${host} is not to be trusted (${code}); where it comes from an authority of your own: ${mend}`;
}

/** The agent is not told of proxies and settings of the host: it could do nothing with them but know them. */
function unreachable({ host }: AskedHost, status: number, message: string, cause?: unknown): UpstreamError {
  return new UpstreamError("model-unreachable", status, message, cause, `${host} can't be reached`);
}

function isConnecting(error: Error): boolean {
  return "syscall" in error && (error.syscall === "connect" || error.syscall === "getaddrinfo");
}

function named({ shown, variable }: Proxy): string {
  return `${shown} (${variable})`;
}

/** A proxy's address may hold a password. */
function withoutPasswords(text: string): string {
  return text.replaceAll(/\/\/[^/\s@]*@/g, "//");
}
