import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anthropicMessages } from "./anthropic-messages.ts";
import { wireFormatOf } from "./formats.ts";
import { googleGenerate } from "./google-generate.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";
import type { AnswerFacts, WireFormat } from "./wire-format.ts";

const limits = { answerChars: 1000, toolCalls: 4 };
const STREAM = "text/event-stream";

function parse(format: WireFormat, contentType: string, chunks: Iterable<Uint8Array>): AnswerFacts {
  const parser = format.createParser(contentType, limits);
  for (const chunk of chunks) parser.push(chunk);
  return parser.finish();
}

const stream = (...events: object[]) => Buffer.from(events.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(""));
const whole = (answer: object) => Buffer.from(JSON.stringify(answer));

const messages = stream(
  {
    type: "message_start",
    message: {
      usage: { input_tokens: 7, cache_read_input_tokens: 90, cache_creation_input_tokens: 3, output_tokens: 1 },
    },
  },
  { type: "ping" },
  { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "hm" } },
  { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "Löök 👀." } },
  {
    type: "content_block_start",
    index: 2,
    content_block: { type: "server_tool_use", id: "s", name: "web_search", input: {} },
  },
  { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '{"query":"x"}' } },
  { type: "content_block_start", index: 3, content_block: { type: "tool_use", id: "c1", name: "bash", input: {} } },
  { type: "content_block_delta", index: 3, delta: { type: "input_json_delta", partial_json: '{"command":' } },
  { type: "content_block_start", index: 4, content_block: { type: "tool_use", id: "c2", name: "read", input: {} } },
  { type: "content_block_delta", index: 4, delta: { type: "input_json_delta", partial_json: '{"filePath":"/x"}' } },
  { type: "content_block_delta", index: 3, delta: { type: "input_json_delta", partial_json: '"ls"}' } },
  { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 20 } },
  { type: "message_stop" },
);

const call = (id: string, name: string) => ({
  type: "function_call",
  id: `fc_${id}`,
  call_id: id,
  name,
  arguments: "",
});
const responses = stream(
  { type: "response.created", response: { status: "in_progress", output: [] } },
  { type: "response.output_item.added", output_index: 0, item: { type: "reasoning", summary: [] } },
  { type: "response.reasoning_summary_text.delta", output_index: 0, delta: "hm" },
  { type: "response.output_item.added", output_index: 1, item: { type: "message", content: [] } },
  { type: "response.output_text.delta", output_index: 1, delta: "Löök 👀." },
  {
    type: "response.output_item.done",
    output_index: 1,
    item: { type: "message", content: [{ type: "output_text", text: "Löök 👀." }] },
  },
  { type: "response.output_item.added", output_index: 2, item: call("c1", "bash") },
  { type: "response.function_call_arguments.delta", output_index: 2, delta: '{"command":' },
  { type: "response.function_call_arguments.delta", output_index: 2, delta: '"ls"}' },
  {
    type: "response.output_item.done",
    output_index: 2,
    item: { ...call("c1", "bash"), arguments: '{"command":"ls"}' },
  },
  // Some servers send a call whole.
  {
    type: "response.output_item.done",
    output_index: 3,
    item: { ...call("c2", "read"), arguments: '{"filePath":"/x"}' },
  },
  {
    type: "response.completed",
    response: {
      status: "completed",
      usage: { input_tokens: 100, input_tokens_details: { cached_tokens: 90 }, output_tokens: 20 },
    },
  },
);

const generate = stream(
  { candidates: [{ content: { parts: [{ text: "hm", thought: true }, { text: "Löök " }] } }] },
  {
    candidates: [
      {
        content: {
          parts: [
            { text: "👀." },
            { functionCall: { name: "bash", args: { command: "ls" } } },
            { functionCall: { name: "read", args: { filePath: "/x" } } },
          ],
        },
        finishReason: "STOP",
      },
    ],
    usageMetadata: {
      promptTokenCount: 100,
      candidatesTokenCount: 15,
      thoughtsTokenCount: 5,
      cachedContentTokenCount: 90,
    },
  },
);

const cases = [
  { format: anthropicMessages, bytes: messages, finishReason: "tool_use", ids: ["c1", "c2"], written: 3 },
  { format: openaiResponses, bytes: responses, finishReason: "completed", ids: ["c1", "c2"], written: null },
  { format: googleGenerate, bytes: generate, finishReason: "STOP", ids: [null, null], written: null },
] as const;

describe.each(cases)("answers of $format.name", ({ format, bytes, finishReason, ids, written }) => {
  it("are put together, however their bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        expect(parse(format, STREAM, chunks)).toEqual({
          state: "complete",
          text: "Löök 👀.",
          reasoning: "hm",
          toolCalls: [
            { id: ids[0], name: "bash", arguments: '{"command":"ls"}' },
            { id: ids[1], name: "read", arguments: '{"filePath":"/x"}' },
          ],
          finishReason,
          usage: { input_tokens: 100, output_tokens: 20, cache_read_tokens: 90, cache_write_tokens: written },
          costUsd: null,
          error: null,
        });
      }),
    );
  });

  it("are unfinished when they break off, and unreadable when they are something else", () => {
    expect(parse(format, STREAM, [bytes.subarray(0, 120)]).state).toBe("unfinished");
    expect(parse(format, STREAM, [Buffer.from("data: <html>\n\n")]).state).toBe("unreadable");
    expect(parse(format, "text/html", [Buffer.from("<html>")]).state).toBe("unreadable");
  });

  it("never throw, whatever comes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.uint8Array(), (value, junk) => {
        const answer = parse(format, STREAM, [Buffer.from(`data: ${JSON.stringify(value)}\n\n`), junk]);
        expect(["complete", "cut", "unfinished", "unreadable"]).toContain(answer.state);
      }),
    );
  });

  it("tell an error", () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "too many" } };
    expect(parse(format, "application/json", [whole(error)]).error).toBe("too many");
    expect(parse(format, STREAM, [stream(error)]).error).toBe("too many");
  });
});

describe("whole answers", () => {
  it("are understood in each format", () => {
    const anthropic = {
      type: "message",
      content: [{ type: "text", text: "Hi" }],
      stop_reason: "end_turn",
      usage: { input_tokens: 1, output_tokens: 2 },
    };
    const openai = {
      status: "completed",
      output: [{ type: "message", content: [{ type: "output_text", text: "Hi" }] }],
      usage: { input_tokens: 1, output_tokens: 2 },
    };
    const google = {
      candidates: [{ content: { parts: [{ text: "Hi" }] }, finishReason: "STOP" }],
      usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2 },
    };
    for (const [format, answer] of [
      [anthropicMessages, anthropic],
      [openaiResponses, openai],
      [googleGenerate, google],
    ] as const) {
      expect(parse(format, "application/json", [whole(answer)])).toMatchObject({
        state: "complete",
        text: "Hi",
        usage: { input_tokens: 1, output_tokens: 2 },
      });
    }
  });
});

describe("requests", () => {
  it("are told apart by their paths", () => {
    const name = (path: string) => wireFormatOf("POST", path)?.name;
    expect(name("/v1/messages")).toBe("anthropic-messages");
    expect(name("/v1/messages/count_tokens")).toBeUndefined();
    expect(name("/v1/responses")).toBe("openai-responses");
    expect(name("/v1/models/gemini-3-pro:streamGenerateContent?alt=sse")).toBe("google-generate");
    expect(wireFormatOf("GET", "/v1/models")).toBeUndefined();
  });

  it("say which model they ask", () => {
    const path = "/v1/models/g-1:generateContent";
    expect(googleGenerate.describeRequest({ contents: [{}] }, path)).toMatchObject({ model: "g-1", messageCount: 1 });
    expect(openaiResponses.describeRequest({ model: "m", input: "x" }, "")).toMatchObject({
      model: "m",
      messageCount: 1,
    });
    for (const format of [anthropicMessages, openaiResponses, googleGenerate]) {
      expect(format.describeRequest({}, path).problem).toBeTypeOf("string");
    }
  });

  const own = { type: "function", function: { name: "bash" } };
  it.each([
    [anthropicMessages, { messages: [], tools: [{ name: "x" }, { type: "custom" }, { type: "bash_20250124" }] }, []],
    [anthropicMessages, { messages: [], tools: [{ type: "web_search_20250305" }] }, ["web_search_20250305"]],
    [anthropicMessages, { messages: [], mcp_servers: [{ url: "https://mcp.example" }] }, ["mcp:https://mcp.example"]],
    [
      anthropicMessages,
      { messages: [{ content: [{ type: "image", source: { type: "url", url: "https://x.example/" } }] }] },
      ["remote-url"],
    ],
    [anthropicMessages, { messages: [{ content: [{ type: "tool_use", input: { url: "https://x.example/" } }] }] }, []],
    [openaiResponses, { input: [], tools: [{ type: "function" }, { type: "custom" }] }, []],
    [
      openaiResponses,
      { input: [], tools: [{ type: "mcp", server_url: "https://mcp.example" }] },
      ["mcp:https://mcp.example"],
    ],
    [
      openaiResponses,
      { input: [{ content: [{ type: "input_image", image_url: "https://x.example/" }] }] },
      ["remote-url"],
    ],
    [openaiResponses, { input: [{ content: [{ type: "input_image", image_url: "data:image/png;base64,AA" }] }] }, []],
    [openaiChat, { messages: [], tools: [own] }, []],
    [openaiChat, { messages: [], tools: [own, { type: "openrouter:web_search" }] }, ["openrouter:web_search"]],
    [openaiChat, { messages: [], model: "m:online", plugins: [{}] }, ["plugins", ":online"]],
    [googleGenerate, { contents: [], tools: [{ functionDeclarations: [] }] }, []],
    [
      googleGenerate,
      { contents: [], tools: [{ googleSearch: {} }, { codeExecution: {} }] },
      ["googleSearch", "codeExecution"],
    ],
    [googleGenerate, { contents: [{ parts: [{ fileData: { fileUri: "https://x.example/" } }] }] }, ["remote-url"]],
  ])("of %o name what acts at the provider: %j", (format, body, tools) => {
    expect(format.describeRequest(body, "/v1/models/m:generateContent").providerTools).toEqual(tools);
  });
});
