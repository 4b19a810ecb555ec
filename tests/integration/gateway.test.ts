import * as fs from "node:fs";
import type { AddressInfo, Server } from "node:net";
import * as path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { HttpGateway } from "../../src/gateway/http-gateway.ts";
import { DEFAULT_GATEWAY_LIMITS } from "../../src/gateway/limits.ts";
import type { ModelGateway } from "../../src/gateway/port.ts";
import { createScriptedGateway } from "../../src/gateway/scripted-gateway.ts";
import { startScriptedUpstream } from "../../src/gateway/scripted-upstream.ts";
import { type Upstream, UpstreamError } from "../../src/gateway/upstream.ts";
import { writeAgentConfig } from "../../src/sandbox/agent-config.ts";
import { listenInNamespace } from "../../src/sandbox/netns.ts";
import { type Exchange, exchange } from "../../src/schema/exchange.ts";
import { type Agent, prepareAgent, removeAgent, runOpencode } from "../support/real-opencode.ts";

/** A listener that was opened as in a run, here in the machine's own namespace. */
async function handedOver(): Promise<Server> {
  const server = (await listenInNamespace(process.pid, [{ name: "model", host: "127.0.0.1", port: 0 }])).get("model");
  if (server === undefined) throw new Error("no server was opened");
  return server;
}

interface Bench {
  agent: Agent;
  gateway: ModelGateway;
  scriptFile: string;
  exchanges(): Exchange[];
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Real OpenCode on this machine before a gateway that plays `fixtures`. `wrap` puts something before the model. */
async function bench(fixtures: unknown[], wrap?: (model: Upstream) => Upstream): Promise<Bench> {
  const agent = await prepareAgent({ fixtures: [], pipe: "", plugin: false });
  cleanups.push(() => removeAgent(agent));
  fs.mkdirSync(path.join(agent.dir, "model"));
  const scriptFile = path.join(agent.dir, "script.json");
  fs.writeFileSync(scriptFile, JSON.stringify({ fixtures }));
  const listener = await handedOver();
  const { port } = listener.address() as AddressInfo;
  const model = { file: scriptFile, persona: "careful" };
  const recordFile = path.join(agent.dir, "model/exchanges.jsonl");
  let gateway = await createScriptedGateway({ model, requested: "scripted", captureDir: agent.dir, port });
  if (wrap !== undefined) {
    await gateway.close();
    fs.rmSync(recordFile);
    const upstream = wrap(await startScriptedUpstream(scriptFile, DEFAULT_GATEWAY_LIMITS));
    const { agentConfig, info } = gateway;
    gateway = new HttpGateway({ upstream, recordFile, port, agentConfig, info, limits: DEFAULT_GATEWAY_LIMITS });
  }
  cleanups.push(() => gateway.close());
  gateway.serve(listener);
  writeAgentConfig(agent.config, gateway.agentConfig, undefined);
  const exchanges = () => {
    const lines = fs.readFileSync(recordFile, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => exchange.parse(JSON.parse(line))).toSorted((a, b) => a.seq - b.seq);
  };
  return { agent, gateway, scriptFile, exchanges };
}

const call = (id: string, name: string, args: unknown) => ({ id, name, arguments: args });
const bash = (id: string, command: string) => call(id, "bash", { command, description: "run" });
const task = (id: string, prompt: string) =>
  call(id, "task", { description: "Part", prompt, subagent_type: "general" });
const turn = (userMessage: string, turnIndex: number, response: unknown, more: object = {}) => ({
  match: { userMessage, turnIndex },
  response,
  ...more,
});

describe("real OpenCode before the gateway", () => {
  it("plays parallel sub-agents, the title's request and the task itself without mixing them up", async () => {
    const { agent, exchanges, gateway } = await bench([
      turn("The whole", 0, {
        content: "I'll split it.",
        toolCalls: [task("t1", "Part one"), task("t2", "Part two"), bash("b1", "echo own")],
      }),
      turn("The whole", 1, { content: "", toolCalls: [bash("b2", "echo 'grüße 👀'")] }),
      turn("The whole", 2, { content: "All parts are done." }),
      turn("Part one", 0, { toolCalls: [bash("p1", "sleep 0.3; echo one")] }),
      turn("Part one", 1, { content: "One is done." }),
      turn("Part two", 0, { toolCalls: [bash("p2", "echo two")] }),
      turn("Part two", 1, { content: "Two is done." }),
    ]);
    // No --title: OpenCode asks the model for one.
    const result = await runOpencode(agent, ["run"], "The whole");
    expect(result.exitCode, result.stderr).toBe(0);
    expect(result.stdout).toContain("All parts are done.");

    const all = exchanges();
    const [title, ...rest] = all.toSorted(
      (a, b) => Number(b.text === "Scripted session") - Number(a.text === "Scripted session"),
    );
    expect(title).toMatchObject({ text: "Scripted session", tool_calls: [], error_kind: null });
    const sessions = [...Map.groupBy(rest, (one) => one.session_id).values()];
    const story = sessions.map((own) => own.map((one) => one.tool_calls.map(({ id }) => id).join("+") || one.text));
    expect(story.toSorted((a, b) => b.length - a.length)[0]).toEqual(["t1+t2+b1", "b2", "All parts are done."]);
    expect(story).toContainEqual(["p1", "One is done."]);
    expect(story).toContainEqual(["p2", "Two is done."]);
    expect(all.every((one) => one.answer_state === "complete" && one.error === null)).toBe(true);
    expect(all.every((one) => one.session_id?.startsWith("ses_"))).toBe(true);
    expect(
      JSON.parse(rest.find((one) => one.tool_calls[0]?.id === "b2")?.tool_calls[0]?.arguments ?? ""),
    ).toMatchObject({
      command: "echo 'grüße 👀'",
    });
    expect(gateway.totals()).toMatchObject({ exchangeCount: 8, errorCount: 0, lastFinishReason: "stop" });
    expect(gateway.totals().inputTokens).toBeGreaterThan(1000);
  });

  it("gives a request that is made again the same answer", async () => {
    let sent = 0;
    const { agent, exchanges } = await bench(
      [turn("Do it", 0, { toolCalls: [bash("b1", "echo x >> log.txt")] }), turn("Do it", 1, { content: "Done once." })],
      (model) => ({
        accepts: (request) => model.accepts(request),
        send: (request) => {
          // Every first try fails, in the way of a provider that is overloaded.
          if (sent++ % 2 === 0) return Promise.reject(new UpstreamError("model-unreachable", 502, "try again"));
          return model.send(request);
        },
        close: () => model.close(),
      }),
    );
    const result = await runOpencode(agent, ["run", "--title=t"], "Do it");
    expect(result.exitCode, result.stderr).toBe(0);
    expect(result.stdout).toContain("Done once.");
    expect(fs.readFileSync(path.join(agent.workspace, "log.txt"), "utf8")).toBe("x\n");
    expect(exchanges().map((one) => one.error_kind ?? one.tool_calls[0]?.id ?? one.text)).toEqual([
      "model-unreachable",
      "b1",
      "model-unreachable",
      "Done once.",
    ]);
  });

  it("ends a run at once, and says why, where the script has no answer", async () => {
    const { agent, exchanges, gateway } = await bench([turn("Do it", 0, { toolCalls: [bash("b1", "true")] })]);
    const result = await runOpencode(agent, ["run", "--title=t"], "Do it");
    expect(result.exitCode).toBe(1);
    expect(result.tookMs).toBeLessThan(40_000);
    expect(result.stderr).toContain("the script script.json has no answer for turn 1");
    const last = exchanges().at(-1);
    expect(last).toMatchObject({
      error_kind: "unscripted",
      status: 400,
      error: expect.stringContaining('"turnIndex": 1'),
    });
    expect(exchanges()).toHaveLength(2);
    expect(gateway.totals()).toMatchObject({ errorCount: 1, modelUnreachable: null, lastFinishReason: "tool_calls" });
  });

  it("records what an agent that is killed had been sent, and closes in order", async () => {
    const { agent, exchanges, gateway } = await bench([
      turn("Do it", 0, { content: "word ".repeat(2000) }, { latency: 200, chunkSize: 5 }),
    ]);
    const before = gateway.lastActivityMs();
    const running = runOpencode(agent, ["run", "--title=t"], "Do it", {
      onStart: (pid) => {
        const timer = setInterval(() => {
          if (gateway.lastActivityMs() === before) return;
          clearInterval(timer);
          setTimeout(() => process.kill(-pid, "SIGKILL"), 2000);
        }, 50);
      },
    });
    expect((await running).exitCode).toBeNull();
    expect(await gateway.close()).toMatchObject([{ class: "model", level: "complete" }]);
    const [only] = exchanges();
    expect(only).toMatchObject({ error_kind: "client-aborted", answer_state: "unfinished", status: 200 });
    expect(only?.text).toMatch(/^(word )+/);
  });

  it("never writes the key that the agent uses, nor hides what it asks for", async () => {
    const { agent, exchanges } = await bench([turn("Do it", 0, { content: "Done." })]);
    await runOpencode(agent, ["run", "--title=t"], "Do it");
    const record = fs.readFileSync(path.join(agent.dir, "model/exchanges.jsonl"), "utf8");
    expect(record).not.toMatch(/Bearer|authorization/i);
    const [only] = exchanges();
    const request = JSON.parse(only?.request.text ?? "null");
    expect(only?.message_count).toBe(request.messages.length);
    expect(request.tools.map((tool: { function: { name: string } }) => tool.function.name)).toContain("bash");
    expect(only?.request_headers["user-agent"]).toMatch(/^opencode\/1\.18\.33/);
  });
});
