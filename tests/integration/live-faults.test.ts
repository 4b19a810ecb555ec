import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it, vi } from "vitest";
import type { Exchange } from "../../src/schema/exchange.ts";
import { CANARY_KEY, filesWith, type LiveRun, liveRun } from "../support/live-run.ts";
import { type Fault, ModelServer, type ModelTurn } from "../support/model-server.ts";
import { type TempProject, tempProject } from "../support/temp-project.ts";

// A run takes minutes where the machine is busy, and most of it is waiting: so these run beside each other.
vi.setConfig({ testTimeout: 900_000, maxConcurrency: 4 });

const MODEL = "openai-compatible/local";
const turn = (command: string): ModelTurn => ({
  text: "",
  tools: [{ id: "call_1", name: "bash", args: { command, description: "run" } }],
});

interface Faulty {
  faults: Fault[];
  command?: string;
  options?: string[];
}

/** A run whose model makes these faults first. Whatever happens, there is a valid capture without the key. */
async function faultyRun(
  project: TempProject,
  { faults, command = "echo x > out.txt", options = [] }: Faulty,
): Promise<LiveRun & { asked: number }> {
  await using server = await new ModelServer([turn(command)], faults).start();
  const run = await liveRun(project, MODEL, server, { options });
  expect(run.record.capture_valid, run.result.stderr).toBe(true);
  expect(filesWith(run.dir, CANARY_KEY)).toEqual([]);
  return { ...run, asked: server.seen.length };
}

/** A shell command that asks the model's address as the agent could, beside OpenCode. */
const ask = (path: string, body: object) =>
  `python3 -c 'import urllib.request as u
try: print(u.urlopen(u.Request("http://127.0.0.1:4100${path}", data=b"""${JSON.stringify(body)}""")).status)
except Exception as e: print(e)' >> out.txt`;
const messages = [{ role: "user", content: "x" }];
const NOT_ALLOWED = [
  ask("/v1/chat/completions", { model: "local", messages, tools: [{ type: "web_search" }] }),
  ask("/v1/chat/completions", { model: "other", messages }),
  ask("/v1/files", {}),
  ask("/v1/messages", { model: "local", messages }),
].join("\n");

const story = (exchanges: readonly Exchange[]) => exchanges.map(({ status, error_kind: kind }) => [status, kind]);

describe.concurrent("real OpenCode with a provider that fails", () => {
  it("tries again, and refuses what the agent may not ask", async () => {
    using project = tempProject([]);
    const { record, exchanges, asked } = await faultyRun(project, {
      faults: [
        { kind: "disconnect" },
        { kind: "status", status: 500 },
        { kind: "status", status: 429, headers: { "retry-after": "1" } },
      ],
      command: NOT_ALLOWED,
    });
    expect(record).toMatchObject({ run_status: "completed", end_reason: "exit" });
    const [cut, failed, limited] = exchanges;
    // An answer that breaks off is recorded as what it is, and the run goes on.
    expect(cut).toMatchObject({ error_kind: "model-broke-off", answer_state: "unfinished", text: "half" });
    // 500 and 429 are passed on as they are, Retry-After included.
    expect(failed?.error).toBe("HTTP 500: fault 500");
    expect(limited?.response_headers["retry-after"]).toBe("1");
    expect(story(exchanges)).toEqual([
      [200, "model-broke-off"],
      [500, "model-error"],
      [429, "model-error"],
      [200, null],
      // Tools that act at the provider, another model, and other paths: refused and reported, and never passed on.
      [403, "request-refused"],
      [404, "request-refused"],
      [404, "request-refused"],
      [404, "request-refused"],
      [200, null],
    ]);
    expect(asked).toBe(5);
    expect(exchanges[4]?.provider_tools).toEqual(["web_search"]);
  });

  it("gets answers that make no sense as they are, and a gzip bomb up to the limit of an answer", async () => {
    using project = tempProject([]);
    const faults: Fault[] = [{ kind: "wrong-type" }, { kind: "bomb" }, { kind: "malformed" }];
    const { record, exchanges } = await faultyRun(project, { faults });
    const [page, bomb, malformed] = exchanges;
    for (const one of [page, malformed]) {
      expect(one).toMatchObject({ status: 200, error_kind: "model-error", answer_state: "unreadable" });
    }
    expect(page?.response?.text).toContain("Please log in");
    expect(malformed?.response?.text).toContain("this is no JSON");
    expect(bomb).toMatchObject({ error_kind: "model-broke-off", upstream: { content_encoding: "gzip" } });
    expect(bomb?.error).toContain("larger than");
    expect(bomb?.response?.bytes).toBeLessThanOrEqual(64 * 1024 * 1024);
    expect(record).toMatchObject({ run_status: "failed", end_reason: "error-record" });
  });

  it("ends at once after 401, and takes the key out of what the provider repeats", async () => {
    using project = tempProject([]);
    const { record, exchanges } = await faultyRun(project, { faults: [{ kind: "echo-key" }] });
    expect(record).toMatchObject({ run_status: "failed", end_reason: "error-record" });
    expect(story(exchanges)).toEqual([[401, "model-error"]]);
    expect(exchanges[0]?.upstream?.redactions).toBe(2);
    expect(exchanges[0]?.response?.text).toContain("no such key: Bearer ****");
  });

  it("ends by the idle limit when the provider never answers", async () => {
    using project = tempProject([]);
    // On a busy machine OpenCode alone takes minutes to come so far.
    const options = ["--idle-seconds", "10", "--timeout-seconds", "800"];
    const { record, exchanges } = await faultyRun(project, { faults: [{ kind: "hang" }], options });
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
    const server = { url: `http://127.0.0.1:${port}/v1` };
    const env = { OPENCODE_CAPTURE_MODEL_RETRY_SECONDS: "1" };
    const { record, exchanges } = await liveRun(project, MODEL, server, { env });
    expect(record).toMatchObject({ run_status: "failed", end_reason: "model-unreachable", capture_valid: true });
    expect(record.end_detail).toContain("ECONNREFUSED");
    expect(exchanges.map((one) => one.error_kind)).toEqual(Array(6).fill("model-unreachable"));
    expect(exchanges[0]?.error).toContain("ECONNREFUSED");
  });

  it("ends as token-limit with a valid capture", async () => {
    using project = tempProject([]);
    await using server = await new ModelServer([turn("true"), turn("true"), turn("true")]).start();
    const run = await liveRun(project, MODEL, server, { options: ["--max-tokens", "1050"] });
    expect(run.record).toMatchObject({ run_status: "failed", end_reason: "token-limit", capture_valid: true });
    expect(run.record.end_detail).toContain("1050 of 1050 tokens");
    expect(server.seen).toHaveLength(1);
    expect(run.exchanges.at(-1)).toMatchObject({ status: 403, error_kind: "limit-reached" });
  });
});
