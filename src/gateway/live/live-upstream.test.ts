import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import * as net from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_GATEWAY_LIMITS } from "../limits.ts";
import { UpstreamError, type UpstreamRequest } from "../upstream.ts";
import { LiveUpstream } from "./live-upstream.ts";
import type { ProxyVariables } from "./proxy.ts";
import { Secret } from "./secret.ts";

const KEY = "sk-canary-0123456789";
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(handler: RequestListener): Promise<number> {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => stop(server));
  return portOf(server);
}

function stop(server: Server): void {
  server.closeAllConnections();
  server.close();
}

const portOf = (server: net.Server) => (server.address() as net.AddressInfo).port;

function upstream(baseUrl: string, limits = {}, proxy: ProxyVariables = {}): LiveUpstream {
  const target = { baseUrl, formats: ["openai-chat"] as const, models: ["m"], key: new Secret(KEY), proxy };
  const made = new LiveUpstream(target, { ...DEFAULT_GATEWAY_LIMITS, ...limits });
  cleanups.push(() => made.close());
  return made;
}

const ask = (headers: Record<string, string> = {}): UpstreamRequest => ({
  method: "POST",
  path: "/v1/chat/completions",
  wireFormat: "openai-chat",
  headers,
  body: Buffer.from("{}"),
  signal: new AbortController().signal,
});

async function read(from: LiveUpstream, request = ask()) {
  const answer = await from.send(request);
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return { ...answer, text: Buffer.concat(chunks).toString(), facts: answer.facts?.() };
}

describe("LiveUpstream", () => {
  it("puts the key in and leaves out what is not the agent's to say", async () => {
    let seen: { url: string | undefined; headers: Record<string, unknown> } | undefined;
    const port = await serve((request, response) => {
      seen = { url: request.url, headers: request.headers };
      response.end("ok");
    });
    const headers = {
      "user-agent": "x",
      "accept-encoding": "br",
      "openai-organization": "other",
      "x-forwarded-for": "1",
    };
    await read(upstream(`http://127.0.0.1:${port}/api/v2`), ask(headers));
    expect(seen?.url).toBe("/api/v2/chat/completions");
    expect(seen?.headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      "user-agent": "x",
      "accept-encoding": "identity",
    });
    expect(Object.keys(seen?.headers ?? {})).not.toEqual(expect.arrayContaining(["openai-organization"]));
    expect(seen?.headers["x-forwarded-for"]).toBeUndefined();
  });

  it("takes the key out of headers and bodies, packed or not, wherever the pieces are cut", async () => {
    const port = await serve((request, response) => {
      const { pack } = Object.fromEntries(new URL(request.url ?? "", "http://x").searchParams);
      const text = `a ${KEY} b ${KEY.slice(0, 9)} ${KEY}`;
      const packed = pack === "gzip" ? gzipSync(text) : pack === "br" ? brotliCompressSync(text) : undefined;
      response.writeHead(200, { "x-echo": KEY, "set-cookie": "s=1", ...(packed ? { "content-encoding": pack } : {}) });
      if (packed !== undefined) return response.end(packed);
      for (const char of text) response.write(char);
      return response.end();
    });
    for (const pack of ["", "?pack=gzip", "?pack=br"]) {
      const answer = await read(upstream(`http://127.0.0.1:${port}/v1`), {
        ...ask(),
        path: `/v1/chat/completions${pack}`,
      });
      const stars = "*".repeat(KEY.length);
      expect(answer.text).toBe(`a ${stars} b ${KEY.slice(0, 9)} ${stars}`);
      expect(answer.headers).toMatchObject({ "x-echo": stars });
      expect(answer.headers["content-encoding"]).toBeUndefined();
      expect(answer.headers["set-cookie"]).toBeUndefined();
      expect(answer.facts?.redactions).toBe(3);
    }
  });

  it("ends an answer that grows too large, a bomb included, without holding it", async () => {
    const port = await serve((_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.end(gzipSync(Buffer.alloc(50 * 1024 * 1024)));
    });
    const small = upstream(`http://127.0.0.1:${port}/v1`, { answerBytes: 1_000_000 });
    await expect(read(small)).rejects.toMatchObject({
      kind: "model-broke-off",
      message: expect.stringContaining("larger"),
    });
  });

  it("names what went wrong", async () => {
    const broken = await serve((_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.end("no gzip");
    });
    await expect(read(upstream(`http://127.0.0.1:${broken}/v1`))).rejects.toMatchObject({ kind: "model-broke-off" });
    const strange = await serve((_, response) => response.writeHead(200, { "content-encoding": "lzma" }).end("x"));
    await expect(read(upstream(`http://127.0.0.1:${strange}/v1`))).rejects.toMatchObject({ kind: "model-error" });
    const silent = await serve(() => {});
    await expect(read(upstream(`http://127.0.0.1:${silent}/v1`, { modelSilenceMs: 200 }))).rejects.toMatchObject({
      kind: "model-timeout",
      status: 504,
    });
    const half = await serve((_, response) => void response.writeHead(200).write("half"));
    await expect(read(upstream(`http://127.0.0.1:${half}/v1`, { modelSilenceMs: 200 }))).rejects.toMatchObject({
      kind: "model-timeout",
    });
    await expect(read(upstream("http://nowhere.invalid/v1"))).rejects.toMatchObject({ kind: "model-unreachable" });
  });

  it("asks again on a new connection when a kept one was closed", async () => {
    let connections = 0;
    const server = net.createServer((socket) => {
      connections += 1;
      const first = connections === 1;
      let requests = 0;
      socket.on("error", () => {});
      socket.on("data", () => {
        requests += 1;
        if (first && requests === 2) return socket.destroy();
        return socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanups.push(() => server.close());
    const kept = upstream(`http://127.0.0.1:${portOf(server)}/v1`);
    expect((await read(kept)).text).toBe("ok");
    expect((await read(kept)).text).toBe("ok");
  });

  it("asks again on a new connection when all that were kept are closed", async () => {
    let connections = 0;
    const server = net.createServer((socket) => {
      const old = ++connections <= 3;
      let requests = 0;
      socket.on("error", () => {});
      socket.on("data", () => {
        requests += 1;
        if (requests === 2 && old) return socket.destroy();
        // The first three wait for each other, so that each has a connection of its own.
        const answer = (): unknown =>
          old && connections < 3
            ? setTimeout(answer, 5)
            : socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        return answer();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanups.push(() => server.close());
    const kept = upstream(`http://127.0.0.1:${portOf(server)}/v1`);
    await Promise.all([read(kept), read(kept), read(kept)]);
    expect((await read(kept)).text).toBe("ok");
    expect(connections).toBe(4);
  });

  it("goes through the host's proxy, but not to this machine itself", async () => {
    const asked: string[] = [];
    const proxy = await serve((request, response) => {
      asked.push(request.url ?? "");
      response.end("by proxy");
    });
    const variables = { HTTP_PROXY: `http://127.0.0.1:${proxy}`, NO_PROXY: "direct.invalid" };
    expect((await read(upstream("http://model.invalid/v1", {}, variables))).text).toBe("by proxy");
    expect(asked).toEqual(["http://model.invalid/v1/chat/completions"]);
    await expect(read(upstream("http://direct.invalid/v1", {}, variables))).rejects.toBeInstanceOf(UpstreamError);
    const own = await serve((_, response) => response.end("own"));
    expect((await read(upstream(`http://127.0.0.1:${own}/v1`, {}, variables))).text).toBe("own");
    expect(asked).toHaveLength(1);
  });

  it("lets only this model's paths through", () => {
    const model = upstream("http://127.0.0.1:1/v1");
    const accepts = (path: string, name = "m", wireFormat: "openai-chat" | "anthropic-messages" = "openai-chat") =>
      model.accepts({ method: "POST", path, wireFormat, model: name });
    expect(accepts("/v1/chat/completions")).toBeUndefined();
    expect(accepts("/v1/chat/completions", "other")).toContain("no other");
    for (const path of ["/v1/../x/chat/completions", "/v1/chat/completions?x=1", "//h/chat/completions"]) {
      expect(accepts(path), path).toContain("no path");
    }
    expect(accepts("/v1/messages", "m", "anthropic-messages")).toContain("no request");
  });
});
