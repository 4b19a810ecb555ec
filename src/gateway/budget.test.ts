import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { Budget } from "./budget.ts";
import { ask, bench, cleanUp, plain, post, text, upstreamOf } from "./gateway-test-bench.ts";
import { costUsd } from "./live/price-table.ts";

afterEach(cleanUp);
const body = JSON.stringify(ask);
const never = new AbortController().signal;

describe("Budget", () => {
  it("lets the answer through that reaches the limit, and refuses what comes after", async () => {
    const { port, gateway, lines } = await bench(upstreamOf(plain), {}, { budget: new Budget({ maxTokens: 14 }) });
    for (let round = 0; round < 2; round++) expect((await post(port, body)).status).toBe(200);
    expect(gateway.totals().limitReached).toBeNull();
    expect((await post(port, body)).status).toBe(403);
    expect(gateway.totals().limitReached).toContain("14 of 14 tokens are used");
    expect(lines().at(-1)).toMatchObject({ error_kind: "limit-reached", status: 403 });
  });

  it("counts what nobody counted, so that hanging up early is no way round it", async () => {
    const uncounted = upstreamOf(async function* () {
      yield text("word ".repeat(400));
    });
    const { port } = await bench(uncounted, {}, { budget: new Budget({ maxTokens: 400 }) });
    expect((await post(port, body)).status).toBe(200);
    expect((await post(port, body)).status).toBe(403);
  });

  it("reckons the cost of what nobody counted", async () => {
    const uncounted = upstreamOf(async function* () {
      yield text("word ".repeat(400));
    });
    const costOf = (usage: { output_tokens: number | null }) => (usage.output_tokens ?? 0) / 1000;
    const { port, gateway } = await bench(uncounted, {}, { budget: new Budget({ maxCostUsd: 0.5 }), costOf });
    for (const status of [200, 403]) expect((await post(port, body)).status).toBe(status);
    expect(gateway.totals().costUsd).toBeNull();
  });

  it("adds up what exchanges cost", async () => {
    const costOf = (usage: { input_tokens: number | null }) => (usage.input_tokens ?? 0) / 10;
    const { port, gateway } = await bench(upstreamOf(plain), {}, { budget: new Budget({ maxCostUsd: 0.9 }), costOf });
    for (const status of [200, 200, 403]) expect((await post(port, body)).status).toBe(status);
    expect(gateway.totals()).toMatchObject({ costUsd: 1, limitReached: "1.0000 of 0.9 US dollars are spent" });
  });

  it("holds requests beyond the number a minute, and lets go of one whose agent has gone", async () => {
    const budget = new Budget({ requestsPerMinute: 2 });
    for (let round = 0; round < 2; round++) expect(await budget.turn(never)).toBeLessThan(1000);
    const abort = new AbortController();
    const waiting = budget.turn(abort.signal).then(
      () => "let through",
      () => "gave up",
    );
    expect(await Promise.race([waiting, delay(200, "still waits")])).toBe("still waits");
    abort.abort();
    expect(await waiting).toBe("gave up");
  });

  it("turns away when too many wait", async () => {
    const budget = new Budget({ requestsPerMinute: 1 });
    await budget.turn(never);
    const abort = new AbortController();
    const waiting = Array.from({ length: 16 }, () => budget.turn(abort.signal).catch(() => {}));
    await expect(budget.turn(never)).rejects.toMatchObject({ kind: "limit-reached", status: 429 });
    abort.abort();
    await Promise.all(waiting);
  });
});

describe("provider-side tools", () => {
  const search = JSON.stringify({ ...ask, tools: [{ type: "web_search" }] });
  it("are refused, or let through where that is allowed, and reported either way", async () => {
    const closed = await bench(upstreamOf(plain));
    expect((await post(closed.port, search)).status).toBe(403);
    expect(closed.lines()[0]).toMatchObject({ error_kind: "request-refused", provider_tools: ["web_search"] });
    const open = await bench(upstreamOf(plain), {}, { allowProviderTools: true });
    expect((await post(open.port, search)).status).toBe(200);
    expect(open.lines()[0]).toMatchObject({ error_kind: null, provider_tools: ["web_search"] });
  });
});

describe("costUsd", () => {
  const price = { input: 10, output: 50, cache_read: 1, above: { input_tokens: 200_000, input: 20, output: 75 } };
  const usage = { input_tokens: 100_000, output_tokens: 1000, cache_read_tokens: 90_000, cache_write_tokens: null };
  it.each([
    [usage, 0.1 + 0.09 + 0.05],
    [{ ...usage, input_tokens: 300_000, cache_read_tokens: null }, 6 + 0.075],
    [{ ...usage, output_tokens: null }, null],
  ])("of %j is %s", (used, cost) => {
    const result = costUsd(price, used);
    if (cost === null) expect(result).toBeNull();
    else expect(result).toBeCloseTo(cost, 9);
  });
});
