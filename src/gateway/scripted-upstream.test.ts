import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { ScriptEntry } from "../schema/scripted-model.ts";
import { startScriptedUpstream } from "./scripted-upstream.ts";
import type { Upstream } from "./upstream.ts";
import { openaiChat } from "./wire/openai-chat.ts";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "script-"));
const file = path.join(dir, "task.careful.json");
const open: Upstream[] = [];
afterEach(async () => {
  for (const upstream of open.splice(0)) await upstream.close();
});

async function start(fixtures: unknown): Promise<Upstream> {
  fs.writeFileSync(file, JSON.stringify({ fixtures }));
  const upstream = await startScriptedUpstream(file, { modelSilenceMs: 2000 });
  open.push(upstream);
  return upstream;
}

interface Asked {
  user?: string;
  answers?: number;
  tools?: boolean;
  system?: string;
}

/** A request as OpenCode makes it after `answers` steps of a session that began with `user`. */
function requestOf({ user = "Issue ID: x", answers = 0, tools = true, system = "You are an agent." }: Asked): Buffer {
  const steps = Array.from({ length: answers }, (_, index) => [
    {
      role: "assistant",
      content: "",
      tool_calls: [{ id: `c${index}`, type: "function", function: { name: "bash", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: `c${index}`, content: "ok" },
  ]).flat();
  const offered = tools ? { tools: [{ type: "function", function: { name: "bash", parameters: {} } }] } : {};
  const messages = [{ role: "system", content: system }, { role: "user", content: user }, ...steps];
  return Buffer.from(
    JSON.stringify({ model: "m", stream: true, stream_options: { include_usage: true }, messages, ...offered }),
  );
}

async function ask(upstream: Upstream, asked: Asked | Buffer) {
  const body = Buffer.isBuffer(asked) ? asked : requestOf(asked);
  const signal = new AbortController().signal;
  const answer = await upstream.send({
    method: "POST",
    path: "/v1/chat/completions",
    wireFormat: "openai-chat",
    headers: {},
    body,
    signal,
  });
  const parser = openaiChat.createParser(answer.headers["content-type"] ?? "", { answerChars: 10_000, toolCalls: 10 });
  for await (const chunk of answer.body) parser.push(chunk);
  return { status: answer.status, ...parser.finish() };
}

const turns: ScriptEntry[] = [
  {
    match: { userMessage: "Issue ID", turnIndex: 0 },
    response: {
      content: "Look.",
      toolCalls: [
        { id: "a", name: "bash", arguments: { command: "ls" } },
        { id: "b", name: "read", arguments: { filePath: "/workspace/x" } },
      ],
    },
  },
  {
    match: { userMessage: "Issue ID", turnIndex: 1 },
    response: { content: "", toolCalls: [{ id: "c", name: "bash", arguments: '{"command":"id"}' }] },
  },
  { match: { userMessage: "Issue ID", turnIndex: 2 }, response: { content: "Done." } },
  { match: { userMessage: "Sub task", turnIndex: 0 }, response: { content: "Sub done." } },
];

describe("startScriptedUpstream", () => {
  it("plays each turn of each session by the session's own history", async () => {
    const upstream = await start(turns);
    expect(await ask(upstream, {})).toMatchObject({
      status: 200,
      state: "complete",
      text: "Look.",
      finishReason: "tool_calls",
      toolCalls: [
        { id: "a", name: "bash", arguments: '{"command":"ls"}' },
        { id: "b", name: "read", arguments: '{"filePath":"/workspace/x"}' },
      ],
    });
    // Another session in between, and a request made again, shift nothing.
    expect(await ask(upstream, { user: "Sub task: count" })).toMatchObject({ text: "Sub done.", finishReason: "stop" });
    for (let retry = 0; retry < 3; retry++) {
      expect(await ask(upstream, { answers: 1 })).toMatchObject({
        text: null,
        toolCalls: [{ id: "c", arguments: '{"command":"id"}' }],
      });
    }
    expect(await ask(upstream, { answers: 2 })).toMatchObject({
      text: "Done.",
      finishReason: "stop",
      usage: { output_tokens: expect.any(Number) },
    });
  });

  it("answers parallel sessions at once", async () => {
    const upstream = await start(turns);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => ask(upstream, n % 2 ? { user: "Sub task" } : { answers: 2 })),
    );
    expect(answers.map((answer) => answer.text)).toEqual(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? "Sub done." : "Done.")),
    );
  });

  it("never lets a near turn answer in place of a missing one", async () => {
    const upstream = await start(turns);
    await expect(ask(upstream, { answers: 3 })).rejects.toMatchObject({
      kind: "unscripted",
      status: 400,
      message: expect.stringMatching(
        /^the script task\.careful\.json has no answer for turn 3 .*"Issue ID: x".*"turnIndex": 3/,
      ),
    });
    await expect(ask(upstream, { user: "Sub task", answers: 1 })).rejects.toMatchObject({ kind: "unscripted" });
    await expect(ask(upstream, { user: "Something else" })).rejects.toMatchObject({ kind: "unscripted" });
  });

  it("keeps titles and other requests without tools apart from the task", async () => {
    const upstream = await start([...turns, { match: {}, response: { content: "for everything" } }]);
    const title = { tools: false, system: "You are a title generator. You output ONLY a thread title." };
    expect(await ask(upstream, title)).toMatchObject({ text: "Scripted session" });
    await expect(ask(upstream, { tools: false, system: "Summarise this." })).rejects.toThrow(/a request without tools/);
    const own = await start([{ match: { systemMessage: "Summarise" }, response: { content: "Short." } }]);
    expect(await ask(own, { tools: false, system: "Summarise this." })).toMatchObject({ text: "Short." });
  });

  it("plays errors, and answers that break off", async () => {
    const upstream = await start([
      { match: { turnIndex: 0 }, response: { error: { message: "slow down" }, status: 429 } },
      { match: { turnIndex: 1 }, response: { error: { message: "gone" }, status: 404 } },
      { match: { turnIndex: 2 }, response: { content: "x".repeat(500) }, truncateAfterChunks: 2, latency: 20 },
      { match: { turnIndex: 3 }, response: { content: "x" }, disconnectAfterMs: 0, latency: 20 },
    ]);
    expect(await ask(upstream, {})).toMatchObject({ status: 429, error: "slow down" });
    expect(await ask(upstream, { answers: 1 })).toMatchObject({ status: 404, error: "gone" });
    await expect(ask(upstream, { answers: 2 })).rejects.toThrow(/aborted/);
    await expect(ask(upstream, { answers: 3 })).rejects.toMatchObject({ kind: "model-broke-off", status: 502 });
  });

  it("gives up on a model that is silent", async () => {
    const upstream = await start([{ match: {}, response: { content: "late" }, latency: 60_000 }]);
    await expect(ask(upstream, {})).rejects.toMatchObject({ kind: "model-timeout", status: 504 });
  });

  it("outlives requests made to break it", async () => {
    const upstream = await start(turns);
    const strange = {
      model: {},
      messages: [
        { role: "system", content: { a: 1 } },
        { role: "user", content: [null, 7] },
      ],
      tools: [],
    };
    await expect(ask(upstream, Buffer.from(JSON.stringify(strange)))).rejects.toThrow();
    expect(await ask(upstream, {})).toMatchObject({ text: "Look." });
  });

  it("listens on loopback alone, and no longer than it is open", async () => {
    const upstream = await start(turns);
    const listening = () =>
      fs
        .readdirSync("/proc/self/fd")
        .map((fd) => {
          try {
            return fs.readlinkSync(`/proc/self/fd/${fd}`);
          } catch {
            return "";
          }
        })
        .flatMap((link) => {
          const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
          const rows =
            `${fs.readFileSync("/proc/self/net/tcp", "utf8")}${fs.readFileSync("/proc/self/net/tcp6", "utf8")}`.split(
              "\n",
            );
          const row = rows.find((each) => inode !== undefined && each.trim().split(/\s+/)[9] === inode);
          const [, local = "", , state] = row?.trim().split(/\s+/) ?? [];
          return state === "0A" ? [local.split(":")[0]] : [];
        });
    expect(listening()).toEqual(["0100007F"]);
    await upstream.close();
    open.length = 0;
    expect(listening()).toEqual([]);
  });

  it("refuses a script with faults, and names their place", async () => {
    await expect(start([{ match: { turnindex: 0 }, response: { content: "x" } }])).rejects.toMatchObject({
      code: "issues-invalid",
      message: expect.stringContaining('fixtures[0].match: Unrecognized key: "turnindex"'),
    });
    await expect(start([{ match: {}, response: { content: "" } }])).rejects.toThrow(/an answer needs/);
  });
});
