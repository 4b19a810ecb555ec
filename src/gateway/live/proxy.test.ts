import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import * as tls from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { testCertificates } from "../../../tests/support/certificates.ts";
import { ConnectProxy, type ProxyMood } from "../../../tests/support/connect-proxy.ts";
import { CaptureError } from "../../core/errors.ts";
import { DEFAULT_GATEWAY_LIMITS } from "../limits.ts";
import { UpstreamError } from "../upstream.ts";
import { LiveUpstream } from "./live-upstream.ts";
import { type ProxyVariables, proxyFor } from "./proxy.ts";
import { Secret } from "./secret.ts";

const HOST = "model.test";
const KEY = "sk-canary-0123456789";
const certificates = testCertificates(HOST);
const ownAuthorities = tls.getCACertificates("default");
let server: Server;
let proxy: ConnectProxy;
const seen: (string | undefined)[] = [];

beforeAll(async () => {
  server = createServer({ key: certificates.key, cert: certificates.certificate }, (request, response) => {
    seen.push(request.headers.authorization);
    request.resume().on("end", () => response.end("hello through TLS"));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy = await new ConnectProxy((server.address() as AddressInfo).port).start();
});
afterEach(() => {
  proxy.asked.length = 0;
  seen.length = 0;
  proxy.mood = "connect";
  tls.setDefaultCACertificates(ownAuthorities);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

/** Asks the model once. @returns the answer's text; throws what the gateway would meet. */
async function ask(variables: ProxyVariables, baseUrl = `https://${HOST}/v1`): Promise<string> {
  const target = { baseUrl, formats: ["openai-chat"] as const, models: ["m"], key: new Secret(KEY), proxy: variables };
  const upstream = new LiveUpstream(target, DEFAULT_GATEWAY_LIMITS);
  try {
    const answer = await upstream.send({
      method: "POST",
      path: "/v1/chat/completions",
      wireFormat: "openai-chat",
      headers: {},
      body: Buffer.from("{}"),
      signal: new AbortController().signal,
    });
    return await text(answer.body);
  } finally {
    await upstream.close();
  }
}

async function failure(variables: ProxyVariables, baseUrl?: string): Promise<UpstreamError> {
  const error: unknown = await ask(variables, baseUrl).catch((reason: unknown) => reason);
  if (!(error instanceof UpstreamError)) throw error;
  expect(error.kind).toBe("model-unreachable");
  expect(error.forAgent).toBe(`${HOST} can't be reached`);
  return error;
}

/** As `NODE_EXTRA_CA_CERTS` does for a whole process; real runs with it are in tests/integration/live-proxy.test.ts. */
const trust = () => tls.setDefaultCACertificates([...ownAuthorities, certificates.authority]);
const at = (more = "") => `http://${more}127.0.0.1:${proxy.port}`;

describe("a model behind a proxy", () => {
  it("is asked through a CONNECT tunnel with TLS of its own: the proxy never sees the key", async () => {
    trust();
    expect(await ask({ https_proxy: at("us%20er:p%40ss@") })).toBe("hello through TLS");
    const authorization = `Basic ${Buffer.from("us er:p@ss").toString("base64")}`;
    expect(proxy.asked).toEqual([{ target: `${HOST}:443`, authorization }]);
    expect(seen).toEqual([`Bearer ${KEY}`]);
  });

  it.each([["HTTPS_PROXY"], ["ALL_PROXY"], ["all_proxy"]])("named by %s, with or without http://", async (name) => {
    trust();
    expect(await ask({ [name]: `127.0.0.1:${proxy.port}` })).toBe("hello through TLS");
  });

  it("says how to add an authority that is not known, and does not ask again", async () => {
    const error = await failure({ HTTPS_PROXY: at() });
    expect(error.message).toContain(
      `the certificate of ${HOST} is not to be trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)`,
    );
    expect(error.message).toContain("NODE_EXTRA_CA_CERTS=FILE.pem");
    expect(error.status).toBe(403);
    expect(seen).toEqual([]);
  });

  it.each<[string, ProxyMood, number, string]>([
    [
      "407",
      { status: 407, reason: "Proxy Authentication Required" },
      403,
      "wants a user and a password (407); write HTTPS_PROXY=",
    ],
    ["403", { status: 403, reason: "Forbidden" }, 403, "does not connect to model.test: 403 Forbidden; allow it there"],
    ["503", { status: 503, reason: "No way" }, 502, "does not connect to model.test: 503 No way"],
    ["a hang-up", "hang-up", 502, "does not speak as a proxy"],
  ])("names %s of the proxy", async (_, mood, status, why) => {
    proxy.mood = mood;
    const error = await failure({ HTTPS_PROXY: at() });
    expect(error.message).toContain(`the proxy http://127.0.0.1:${proxy.port} (HTTPS_PROXY) ${why}`);
    expect(error.status).toBe(status);
  });

  it("tells a wrong password from a missing one, and never repeats it", async () => {
    proxy.mood = { status: 407, reason: "Proxy Authentication Required" };
    const error = await failure({ HTTPS_PROXY: at("me:hunter2hunter2@") });
    expect(error.message).toContain("does not take the user and password of HTTPS_PROXY (407)");
    expect(error.message).not.toContain("hunter2");
    const plain = await failure({ http_proxy: at("me:hunter2hunter2@") }, `http://${HOST}/v1`);
    expect(plain.message).toContain("does not take the user and password of http_proxy (407)");
    expect(plain.message).not.toContain("hunter2");
  });

  it("names a proxy that is dead or has no address", async () => {
    const free = createHttpServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address() as AddressInfo;
    free.close();
    await once(free, "close");
    const dead = await failure({ HTTPS_PROXY: `http://me:hunter2@127.0.0.1:${port}` });
    expect(dead.message).toContain(
      `the proxy http://127.0.0.1:${port} (HTTPS_PROXY) can't be reached: connect ECONNREFUSED`,
    );
    expect(dead.message).toContain("or name model.test in NO_PROXY");
    expect(dead.status).toBe(502);
    const nameless = await failure({ HTTPS_PROXY: "http://proxy.invalid:3128" });
    expect(nameless.message).toMatch(
      /the proxy http:\/\/proxy\.invalid:3128 \(HTTPS_PROXY\) can't be reached: getaddrinfo/,
    );
  });
});

describe("proxyFor", () => {
  const variables = {
    HTTPS_PROXY: "http://large:1",
    https_proxy: "http://small:1",
    HTTP_PROXY: "plain:1",
    ALL_PROXY: "http://all:1",
  };

  it("takes small letters first, and ALL_PROXY last", () => {
    expect(proxyFor("https://x.example/v1", variables)).toMatchObject({
      shown: "http://small:1",
      variable: "https_proxy",
    });
    expect(proxyFor("http://x.example/v1", variables)).toMatchObject({
      shown: "http://plain:1",
      variable: "HTTP_PROXY",
    });
    expect(proxyFor("http://x.example/v1", { ALL_PROXY: "http://all:1", http_proxy: "" })?.variable).toBe("ALL_PROXY");
    expect(proxyFor("https://x.example/v1", { HTTP_PROXY: "http://p:1" })).toBeUndefined();
    for (const own of ["localhost", "127.0.0.1:8000", "[::1]:8000"]) {
      expect(proxyFor(`http://${own}/v1`, variables), own).toBeUndefined();
    }
  });

  it.each([
    ["*", true],
    ["api.example.com", true],
    ["example.com", true],
    [".example.com, other", true],
    ["*.example.com", true],
    ["other example.com:8443", true],
    ["example.com:443", false],
    ["ample.com", false],
    ["x.api.example.com", false],
    ["", false],
  ])("NO_PROXY=%s excepts https://api.example.com:8443: %s", (list, excepted) => {
    const found = proxyFor("https://api.example.com:8443/v1", { ...variables, NO_PROXY: list });
    expect(found === undefined).toBe(excepted);
  });

  it.each([
    ["10.1.2.3", "10.0.0.0/8", true],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "11.0.0.0/8", false],
    ["10.1.2.3", "10.0.0.0/99", false],
    ["[fd00::5]", "fd00::/8", true],
    ["[fd00::5]", "fd00::5", true],
    ["[fd00::5]", "10.0.0.0/8", false],
  ])("knows %s by NO_PROXY=%s: %s", (host, list, excepted) => {
    expect(proxyFor(`http://${host}/v1`, { ...variables, no_proxy: list }) === undefined).toBe(excepted);
  });

  it.each(["socks5://me:hunter2@p:1080", "http://me:hunter2@p:99999"])("refuses %s instead of going past it", (url) => {
    const find = () => proxyFor("https://x.example/v1", { ALL_PROXY: url });
    expect(find).toThrow(CaptureError);
    expect(find).toThrow(/the proxy that ALL_PROXY names can't be used/);
    expect(find).not.toThrow(/hunter2/);
  });
});
