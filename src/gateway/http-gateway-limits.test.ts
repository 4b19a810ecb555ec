import * as fs from "node:fs";
import { Agent } from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { ask, bench, cleanUp, cleanups, DONE, plain, post, text, upstreamOf } from "./gateway-test-bench.ts";
import { HttpGateway } from "./http-gateway.ts";
import { DEFAULT_GATEWAY_LIMITS } from "./limits.ts";

afterEach(cleanUp);

describe("HttpGateway within its limits", () => {
  it("refuses a body beyond its limit without holding it, and goes on", async () => {
    const { port, lines } = await bench(upstreamOf(plain), {
      requestBytes: 1000,
      inFlightBytes: 1500,
      bodyBytes: 2000,
      inlineBytes: 100,
    });
    const large = JSON.stringify({ ...ask, pad: "x".repeat(5000) });
    expect((await post(port, large)).status).toBe(413);
    expect(lines()[0]).toMatchObject({
      error_kind: "request-too-large",
      request: { bytes: large.length, text: null, truncated: true },
    });
    expect((await post(port, JSON.stringify(ask))).status).toBe(200);
  });

  it("bounds what open requests hold together", async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { port, lines } = await bench(
      upstreamOf(async function* () {
        await gate;
        yield* plain();
      }),
      { inFlightBytes: 1500 },
    );
    const body = JSON.stringify({ ...ask, pad: "x".repeat(900) });
    const first = post(port, body);
    await delay(50);
    expect((await post(port, body)).status).toBe(503);
    expect(lines()[0]).toMatchObject({ seq: 1, error_kind: "gateway-busy" });
    release();
    expect((await first).status).toBe(200);
    expect((await post(port, body)).status).toBe(200);
  });

  it("turns connections beyond its limit away, and admits that it did not read them", async () => {
    const { port, gateway } = await bench(upstreamOf(plain), { connections: 1 });
    const agent = new Agent({ keepAlive: true });
    cleanups.push(() => agent.destroy());
    await post(port, JSON.stringify(ask), { agent });
    await expect(post(port, JSON.stringify(ask))).rejects.toThrow();
    expect((await post(port, JSON.stringify(ask), { agent })).status).toBe(200);
    expect(await gateway.close()).toMatchObject([
      { level: "lossy", lost: 1, reason: expect.stringContaining("1 connections beyond") },
    ]);
  });

  it("says when it was never opened, and when its record ran out of room", async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "gateway-"));
    cleanups.push(() => fs.rmSync(dir, { recursive: true }));
    const unopened = new HttpGateway({
      upstream: upstreamOf(plain),
      recordFile: path.join(dir, "x.jsonl"),
      port: 1,
      agentConfig: { model: "", provider: {} },
      info: {
        requested: "",
        provider: "",
        model: "",
        persona: null,
        scriptSha256: null,
        baseUrl: null,
        keySource: null,
      },
      limits: DEFAULT_GATEWAY_LIMITS,
    });
    expect(await unopened.close()).toMatchObject([{ class: "model", level: "absent", lost: null }]);

    const { port, gateway, lines } = await bench(upstreamOf(plain), { recordBytes: 16_000 });
    for (let round = 0; round < 5; round++) await post(port, JSON.stringify(ask));
    expect(lines().length).toBeLessThan(5);
    expect(gateway.totals().exchangeCount).toBe(5);
    const lost = 5 - lines().length;
    expect(await gateway.close()).toMatchObject([{ level: "lossy", lost, reason: expect.stringContaining("limit") }]);
  });

  it("keeps a large answer beside the record, byte for byte", async () => {
    const { port, lines, dir } = await bench(
      upstreamOf(async function* () {
        for (let at = 0; at < 200; at++) yield text("0123456789".repeat(100));
        yield DONE;
      }),
    );
    const reply = await post(port, JSON.stringify(ask));
    const body = lines()[0]?.response;
    expect(body).toMatchObject({ bytes: reply.body.length, text: null, truncated: false });
    expect(fs.readFileSync(path.join(dir, body?.file ?? ""), "utf8")).toBe(reply.body);
    expect(lines()[0]?.text).toHaveLength(200_000);
  });
});
