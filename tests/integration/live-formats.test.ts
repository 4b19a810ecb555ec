import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/schema/exchange.ts";
import { CANARY_KEY, filesWith, liveRun } from "../support/live-run.ts";
import { ModelServer, type ModelTurn } from "../support/model-server.ts";
import { bash, tempProject } from "../support/temp-project.ts";

const command = (text: string) => ({ command: text, description: "run" });
/** Looks for the key in all that the agent can read of processes, while the run goes on. */
const SEARCH = `cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' > seen.txt; env >> seen.txt; cat /opt/opencode-config/opencode/opencode.json >> seen.txt; grep -c HOME= seen.txt`;
const TURNS: ModelTurn[] = [
  {
    text: "Let me look.",
    reasoning: "Two things at a time.",
    tools: [
      { id: "call_a", name: "bash", args: command(SEARCH) },
      { id: "call_b", name: "bash", args: command("echo grüße > out.txt") },
    ],
  },
  { text: "All is well." },
];

/** What was said and asked for, without what differs between wire formats. */
function conversation(exchanges: readonly Exchange[]): unknown[] {
  return exchanges.map(({ text, tool_calls: calls }) => ({
    text,
    calls: calls.map((call) => [call.name, JSON.parse(call.arguments) as unknown]),
  }));
}

const cases = [
  {
    model: "anthropic/claude-haiku-4-5",
    format: "anthropic-messages",
    header: "x-api-key",
    ids: true,
    cost: 0.00125 + 0.00125,
  },
  { model: "openai/gpt-5", format: "openai-responses", header: "authorization", ids: true, cost: undefined },
  {
    model: "openai-compatible/some/local-model",
    format: "openai-chat",
    header: "authorization",
    ids: true,
    cost: null,
  },
  { model: "google/gemini-2.5-pro", format: "google-generate", header: "x-goog-api-key", ids: false, cost: undefined },
] as const;

describe("real OpenCode with a live model", () => {
  it.each(cases)("$format: the provider sees the key, the container and the capture never do", async (one) => {
    using project = tempProject([]);
    await using server = await new ModelServer(structuredClone(TURNS)).start();
    const { result, dir, record, exchanges } = await liveRun(project, one.model, server, {
      options: ["--keep-workspace"],
    });

    expect(record, result.stderr).toMatchObject({ run_status: "completed", end_reason: "exit", capture_valid: true });
    expect(server.seen).toHaveLength(2);
    for (const { headers } of server.seen) expect(String(headers[one.header])).toContain(CANARY_KEY);
    expect(filesWith(dir, CANARY_KEY)).toEqual([]);
    const seenInside = fs.readFileSync(path.join(dir, "workspace/seen.txt"), "utf8");
    expect(seenInside).toContain("MAS_RUN_ID=");
    expect(seenInside).toContain('"apiKey": "dummy"');

    const [first, last] = exchanges;
    expect(first).toMatchObject({
      wire_format: one.format,
      answer_state: "complete",
      reasoning: "Two things at a time.",
      usage: { input_tokens: 1000, output_tokens: 50 },
      request_id: "req-canary-1",
      status: 200,
      error: null,
      upstream: { redactions: 0, content_encoding: null },
    });
    expect(first?.session_id).toMatch(/^ses_/);
    expect(first?.tool_calls.map(({ id }) => id)).toEqual(one.ids ? ["call_a", "call_b"] : [null, null]);
    expect(first?.upstream?.url).toContain(server.url);
    const bytes = (first?.arrivals ?? []).reduce((sum, [, count]) => sum + count, 0);
    expect(bytes).toBe(first?.response?.bytes);
    expect(last?.text).toBe("All is well.");
    expect(record.model).toMatchObject({
      base_url: server.url,
      key_source: "OPENCODE_CAPTURE_API_KEY",
      input_tokens: 2000,
    });
    if (one.cost === undefined) expect(record.model.cost_usd).toBeGreaterThan(0);
    else if (one.cost === null) expect(record.model.cost_usd).toBeNull();
    else expect(record.model.cost_usd).toBeCloseTo(one.cost, 6);
    expect(fs.readFileSync(path.join(dir, "workspace/out.txt"), "utf8")).toBe("grüße\n");
    expect(conversation(exchanges)).toEqual(conversationOf(TURNS));
  });

  it("has the same conversation as its scripted twin", async () => {
    const turns = [{ text: "", tools: [{ id: "call_bash", name: "bash", args: command("echo twin > out.txt") }] }];
    using project = tempProject([bash("echo twin > out.txt")]);
    await using server = await new ModelServer(turns).start();
    const live = await liveRun(project, "anthropic/claude-haiku-4-5", server);
    const scripted = await liveRun(project, "scripted", server);
    expect(scripted.record.model.provider).toBe("scripted");
    expect(conversation(live.exchanges)).toEqual(conversation(scripted.exchanges));
    expect(server.seen).toHaveLength(2);
  });
});

function conversationOf(turns: readonly ModelTurn[]): unknown[] {
  return turns.map(({ text, tools = [] }) => ({ text, calls: tools.map((tool) => [tool.name, tool.args]) }));
}
