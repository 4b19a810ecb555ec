import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { ask, bench, cleanUp, DONE, PATH, plain, post, raw, text, until, upstreamOf } from "./gateway-test-bench.ts";
import { UpstreamError } from "./upstream.ts";

afterEach(cleanUp);

describe("HttpGateway", () => {
  it("passes an answer on and records the exchange without credentials", async () => {
    const { port, lines, gateway } = await bench(upstreamOf(plain));
    const reply = await post(port, JSON.stringify(ask), { headers: { authorization: "Bearer s3cret", cookie: "a=b" } });
    expect(reply.status).toBe(200);
    expect(reply.body).toContain("[DONE]");
    const [line] = lines();
    expect(line).toMatchObject({
      seq: 0,
      method: "POST",
      path: PATH,
      wire_format: "openai-chat",
      session_id: "ses_1",
      status: 200,
      model: "m",
      message_count: 1,
      answer_state: "complete",
      text: "Hello there.",
      finish_reason: "stop",
      usage: { input_tokens: 5, output_tokens: 2 },
      error_kind: null,
      error: null,
    });
    expect(line?.request.text).toBe(JSON.stringify(ask));
    expect(line?.response?.text).toBe(reply.body);
    expect(JSON.stringify(line)).not.toContain("s3cret");
    expect(line?.response_headers).toEqual({ "content-type": "text/event-stream" });
    expect(gateway.totals()).toEqual({
      exchangeCount: 1,
      errorCount: 0,
      inputTokens: 5,
      outputTokens: 2,
      costUsd: null,
      limitReached: null,
      modelUnreachable: null,
      lastFinishReason: "stop",
    });
    expect(await gateway.close()).toMatchObject([
      { class: "model", level: "complete", lost: 0, started_before_agent: true },
    ]);
  });

  it("streams: the agent has the first piece before the model has written the second", async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { port, lines, gateway } = await bench(
      upstreamOf(async function* () {
        yield text("first");
        await gate;
        yield text("second", "stop");
        yield DONE;
      }),
    );
    const outgoing = httpRequest({ port, method: "POST", path: PATH, agent: false });
    outgoing.end(JSON.stringify(ask));
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    const before = gateway.lastActivityMs();
    const [chunk] = (await once(response, "data")) as [Buffer];
    expect(chunk.toString()).toContain("first");
    expect(lines()).toEqual([]);
    release();
    response.resume();
    await once(response, "end");
    await until(() => lines().length === 1);
    expect(gateway.lastActivityMs()).toBeGreaterThan(before - 1);
  });

  it("stops the model when the agent goes, and says so", async () => {
    const stopped: boolean[] = [];
    const { port, lines } = await bench(
      upstreamOf(async function* (signal) {
        try {
          yield text("begun");
          await delay(60_000, undefined, { signal });
        } finally {
          stopped.push(true);
        }
      }),
    );
    const outgoing = httpRequest({ port, method: "POST", path: PATH, agent: false });
    outgoing.on("error", () => {});
    outgoing.end(JSON.stringify(ask));
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    response.on("error", () => {});
    await once(response, "data");
    outgoing.destroy();
    await until(() => lines().length === 1);
    expect(stopped).toEqual([true]);
    expect(lines()[0]).toMatchObject({
      error_kind: "client-aborted",
      answer_state: "unfinished",
      text: "begun",
      status: 200,
    });
  });

  it("does not call it an abort when the agent hangs up with its answer in hand", async () => {
    const { port, lines } = await bench(
      upstreamOf(async function* (signal) {
        yield text("all", "stop");
        yield DONE;
        await delay(60_000, undefined, { signal });
      }),
    );
    const outgoing = httpRequest({ port, method: "POST", path: PATH, agent: false });
    outgoing.on("error", () => {});
    outgoing.end(JSON.stringify(ask));
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    response.on("error", () => {});
    let seen = "";
    response.on("data", (chunk) => {
      seen += String(chunk);
    });
    await until(() => seen.includes("[DONE]"));
    outgoing.destroy();
    await until(() => lines().length === 1);
    expect(lines()[0]).toMatchObject({
      error_kind: null,
      error: null,
      answer_state: "complete",
      finish_reason: "stop",
    });
  });

  it("records a model that breaks off, ends early, refuses, or can't be reached", async () => {
    const breaking = await bench(
      upstreamOf(async function* () {
        yield text("half");
        throw new Error("connection reset");
      }),
    );
    await expect(post(breaking.port, JSON.stringify(ask))).rejects.toThrow();
    await until(() => breaking.lines().length === 1);
    expect(breaking.lines()[0]).toMatchObject({
      error_kind: "model-broke-off",
      error: "connection reset",
      text: "half",
    });

    const early = await bench(
      upstreamOf(async function* () {
        yield text("half");
      }),
    );
    await post(early.port, JSON.stringify(ask));
    expect(early.lines()[0]).toMatchObject({ error_kind: "model-broke-off", answer_state: "unfinished", status: 200 });

    const refusal = await bench(
      upstreamOf(
        async function* () {
          yield Buffer.from('{"error":{"message":"too many"}}');
        },
        429,
        "application/json",
      ),
    );
    expect((await post(refusal.port, JSON.stringify(ask))).status).toBe(429);
    expect(refusal.lines()[0]).toMatchObject({ error_kind: "model-error", error: "HTTP 429: too many", status: 429 });

    const nobody = {
      ...upstreamOf(plain),
      send: () => Promise.reject(new UpstreamError("model-unreachable", 502, "nobody there")),
    };
    const hurried = await bench(nobody, {}, { retrySeconds: 0 });
    expect((await post(hurried.port, JSON.stringify(ask))).headers["retry-after"]).toBe("0");
    const gone = await bench(nobody);
    const reply = await post(gone.port, JSON.stringify(ask));
    expect(reply.status).toBe(502);
    expect(reply.headers["retry-after"]).toBeUndefined();
    expect(JSON.parse(reply.body)).toEqual({
      error: { message: "nobody there", type: "gateway_error", code: "model-unreachable" },
    });
    expect(gone.lines()[0]).toMatchObject({ error_kind: "model-unreachable", error: "nobody there", status: 502 });
    expect(gone.lines()[0]?.response?.text).toBe(reply.body);
    expect(gone.gateway.totals()).toMatchObject({
      errorCount: 1,
      modelUnreachable: "nobody there",
      lastFinishReason: null,
    });
  });

  it("answers and records what is no request for a model", async () => {
    const { port, lines, gateway } = await bench(upstreamOf(plain));
    expect((await post(port, "{broken")).status).toBe(400);
    expect((await post(port, '{"messages":[null]}')).status).toBe(400);
    const control = await post(port, "{}", { path: "/__aimock/reset?token=t0p" });
    expect(control.status).toBe(404);
    expect(await raw(port, "hello\r\n\r\n")).toMatch(/^HTTP\/1\.1 400/);
    expect(await raw(port, "CONNECT example.invalid:443 HTTP/1.1\r\nhost: example.invalid\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 405/,
    );
    await until(() => lines().length === 5);
    expect(lines().map((line) => [line.method, line.path, line.wire_format, line.error_kind])).toEqual([
      ["POST", PATH, "openai-chat", "request-malformed"],
      ["POST", PATH, "openai-chat", "request-malformed"],
      ["POST", "/__aimock/reset", "unknown", "request-refused"],
      ["", "", "unknown", "request-malformed"],
      ["CONNECT", "example.invalid:443", "unknown", "request-refused"],
    ]);
    expect(lines()[0]?.request.text).toBe("{broken");
    expect(lines()[2]?.request.text).toBe("{}");
    expect(lines()[3]?.request.text).toBe("hello\r\n\r\n");
    expect(gateway.totals().errorCount).toBe(5);
  });

  it("ends open exchanges when it closes, and records them", async () => {
    const { port, lines, gateway } = await bench(
      upstreamOf(async function* (signal) {
        yield text("begun");
        await delay(60_000, undefined, { signal });
      }),
    );
    const broken = post(port, JSON.stringify(ask)).catch((error: unknown) => error);
    await delay(50);
    const [first, second] = await Promise.all([gateway.close(), gateway.close()]);
    expect(first).toBe(second);
    expect(await broken).toBeInstanceOf(Error);
    expect(lines()).toMatchObject([{ error_kind: "gateway-closed", text: "begun" }]);
    await expect(post(port, JSON.stringify(ask))).rejects.toThrow();
  });
});
