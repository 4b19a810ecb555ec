import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it, vi } from "vitest";
import type { Exchange } from "../../src/schema/exchange.ts";
import { CANARY_KEY, filesWith, type LiveRun, liveRun } from "../support/live-run.ts";
import { type Fault, ModelServer, type ModelTurn } from "../support/model-server.ts";
import { type TempProject, tempProject } from "../support/temp-project.ts";

// A run takes minutes where the machine is busy, and tries again for more than one.
vi.setConfig({ testTimeout: 900_000 });

const MODEL = "openai-compatible/local";
const turn = (command: string): ModelTurn => ({
  text: "",
  tools: [{ id: "call_1", name: "bash", args: { command, description: "run" } }],
});

/** A run whose model makes these faults first. Whatever happens, there is a valid capture without the key. */
async function faultyRun(project: TempProject, faults: Fault[], options: string[] = []): Promise<LiveRun> {
  await using server = await new ModelServer([turn("echo x > out.txt")], faults).start();
  const run = await liveRun(project, MODEL, server, { options });
  expect(run.record.capture_valid, run.result.stderr).toBe(true);
  expect(filesWith(run.dir, CANARY_KEY)).toEqual([]);
  return run;
}

const story = (exchanges: readonly Exchange[]) => exchanges.map(({ status, error_kind: kind }) => [status, kind]);

describe("real OpenCode with a provider that fails", () => {
  it("tries again after 500 and 429, which are passed on as they are, Retry-After included", async () => {
    using project = tempProject([]);
    const { record, exchanges } = await faultyRun(project, [
      { kind: "status", status: 500 },
      { kind: "status", status: 429, headers: { "retry-after": "1" } },
    ]);
    expect(record).toMatchObject({ run_status: "completed", end_reason: "exit" });
    expect(story(exchanges)).toEqual([
      [500, "model-error"],
      [429, "model-error"],
      [200, null],
      [200, null],
    ]);
    expect(exchanges[0]?.error).toBe("HTTP 500: fault 500");
    expect(exchanges[1]?.response_headers["retry-after"]).toBe("1");
  });

  it("ends at once after 401, and takes the key out of what the provider repeats", async () => {
    using project = tempProject([]);
    const { record, exchanges } = await faultyRun(project, [{ kind: "echo-key" }]);
    expect(record).toMatchObject({ run_status: "failed", end_reason: "error-record" });
    expect(story(exchanges)).toEqual([[401, "model-error"]]);
    expect(exchanges[0]?.upstream?.redactions).toBe(2);
    expect(exchanges[0]?.response?.text).toContain("no such key: Bearer ****");
  });

  it("records an answer that breaks off as what it is, and the run goes on", async () => {
    using project = tempProject([]);
    const { record, exchanges } = await faultyRun(project, [{ kind: "disconnect" }]);
    expect(exchanges[0]).toMatchObject({ error_kind: "model-broke-off", answer_state: "unfinished", text: "half" });
    expect(["completed", "failed"]).toContain(record.run_status);
  });

  it.each(["malformed", "wrong-type"] as const)("passes on and records a %s answer", async (kind) => {
    using project = tempProject([]);
    const { exchanges } = await faultyRun(project, [{ kind }, { kind }, { kind }, { kind }, { kind }, { kind }]);
    expect(exchanges[0]).toMatchObject({ status: 200, error_kind: "model-error", answer_state: "unreadable" });
    expect(exchanges[0]?.response?.text).toContain(kind === "malformed" ? "this is no JSON" : "Please log in");
  });

  it("ends a gzip bomb at the limit of an answer", async () => {
    using project = tempProject([]);
    const { exchanges } = await faultyRun(project, [{ kind: "bomb" }]);
    expect(exchanges[0]).toMatchObject({ error_kind: "model-broke-off", upstream: { content_encoding: "gzip" } });
    expect(exchanges[0]?.error).toContain("larger than");
    expect(exchanges[0]?.response?.bytes).toBeLessThanOrEqual(64 * 1024 * 1024);
  });

  it("ends by the idle limit when the provider never answers", async () => {
    using project = tempProject([]);
    const { record, exchanges } = await faultyRun(project, [{ kind: "hang" }], ["--idle-seconds", "10"]);
    expect(record).toMatchObject({ run_status: "timeout", end_reason: "idle-limit" });
    expect(["client-aborted", "gateway-closed"]).toContain(exchanges[0]?.error_kind);
  });

  it("ends as model-unreachable when nobody is there", async () => {
    using project = tempProject([]);
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address() as AddressInfo;
    free.close();
    await once(free, "close");
    const { record, exchanges } = await liveRun(project, MODEL, { url: `http://127.0.0.1:${port}/v1` });
    expect(record).toMatchObject({ run_status: "failed", end_reason: "model-unreachable", capture_valid: true });
    expect(exchanges.every((one) => one.error_kind === "model-unreachable")).toBe(true);
    expect(exchanges[0]?.error).toContain("ECONNREFUSED");
  });
});

describe("what a run may use of a live model", () => {
  it("ends as token-limit with a valid capture", async () => {
    using project = tempProject([]);
    await using server = await new ModelServer([turn("true"), turn("true"), turn("true")]).start();
    const run = await liveRun(project, MODEL, server, { options: ["--max-tokens", "1050"] });
    expect(run.record).toMatchObject({ run_status: "failed", end_reason: "token-limit", capture_valid: true });
    expect(run.record.end_detail).toContain("1050 of 1050 tokens");
    expect(server.seen).toHaveLength(1);
    expect(run.exchanges.at(-1)).toMatchObject({ status: 403, error_kind: "limit-reached" });
  });

  it("refuses tools that act at the provider, another model and other paths, and reports them", async () => {
    const ask = (path: string, body: object) =>
      `python3 -c 'import urllib.request as u
try: print(u.urlopen(u.Request("http://127.0.0.1:4100${path}", data=b"""${JSON.stringify(body)}""")).status)
except Exception as e: print(e)' >> out.txt`;
    const messages = [{ role: "user", content: "x" }];
    const commands = [
      ask("/v1/chat/completions", { model: "local", messages, tools: [{ type: "web_search" }] }),
      ask("/v1/chat/completions", { model: "other", messages }),
      ask("/v1/files", {}),
      ask("/v1/messages", { model: "local", messages }),
    ];
    using project = tempProject([]);
    await using server = await new ModelServer([turn(commands.join("\n"))]).start();
    const { record, exchanges } = await liveRun(project, MODEL, server);
    expect(record.run_status).toBe("completed");
    expect(server.seen).toHaveLength(2);
    const refused = exchanges.filter((one) => one.error_kind === "request-refused");
    expect(refused.map(({ status }) => status)).toEqual([403, 404, 404, 404]);
    expect(refused[0]?.provider_tools).toEqual(["web_search"]);
  });
});
