import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openaiChat } from "./openai-chat.ts";
import type { AnswerFacts } from "./wire-format.ts";

const limits = { answerChars: 1000, toolCalls: 4 };

function parse(contentType: string, chunks: Iterable<Uint8Array>, own = limits): AnswerFacts {
  const parser = openaiChat.createParser(contentType, own);
  for (const chunk of chunks) parser.push(chunk);
  return parser.finish();
}

function stream(...events: unknown[]): Uint8Array {
  return Buffer.from(
    events.map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join(""),
  );
}

const piece = (delta: unknown, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta, finish_reason }],
});
const call = (index: number, id: string | undefined, name: string | undefined, args: string) => ({
  tool_calls: [
    { index, ...(id ? { id, type: "function" } : {}), function: { ...(name ? { name } : {}), arguments: args } },
  ],
});

const whole = stream(
  piece({ role: "assistant", content: "" }),
  piece({ reasoning_content: "hm" }),
  piece({ content: "Let me " }),
  piece({ content: "löök 👀." }),
  piece(call(1, "c2", "read", "")),
  piece(call(0, "c1", "bash", '{"command":')),
  piece(call(1, undefined, undefined, '{"filePath":"/x"}')),
  piece(call(0, undefined, undefined, '"ls"}')),
  piece({}, "tool_calls"),
  { choices: [], usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } },
  "[DONE]",
);

const expected: AnswerFacts = {
  state: "complete",
  text: "Let me löök 👀.",
  reasoning: "hm",
  toolCalls: [
    { id: "c1", name: "bash", arguments: '{"command":"ls"}' },
    { id: "c2", name: "read", arguments: '{"filePath":"/x"}' },
  ],
  finishReason: "tool_calls",
  usage: { input_tokens: 7, output_tokens: 3, cache_read_tokens: null, cache_write_tokens: null },
  costUsd: null,
  error: null,
};

describe("openaiChat answers", () => {
  it("puts a streamed answer together, however its bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 20 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
        const chunks = places.slice(1).map((end, index) => whole.subarray(places[index], end));
        expect(parse("text/event-stream; charset=utf-8", chunks)).toEqual(expected);
      }),
    );
  });

  it("takes carriage returns, comments and a missing last empty line", () => {
    const text = `: keep-alive\r\ndata: ${JSON.stringify(piece({ content: "x" }, "stop"))}\r\n\r\ndata: [DONE]`;
    expect(parse("text/event-stream", [Buffer.from(text)])).toMatchObject({
      state: "complete",
      text: "x",
      finishReason: "stop",
    });
  });

  it("reads a whole answer and an error message", () => {
    const message = {
      role: "assistant",
      content: "hi",
      tool_calls: [{ id: "a", function: { name: "read", arguments: "{}" } }],
    };
    const body = { choices: [{ message, finish_reason: "stop" }], usage: { prompt_tokens: 1, completion_tokens: 2 } };
    expect(parse("application/json", [Buffer.from(JSON.stringify(body))])).toMatchObject({
      state: "complete",
      text: "hi",
      toolCalls: [{ id: "a", name: "read", arguments: "{}" }],
      usage: { input_tokens: 1, output_tokens: 2 },
    });
    expect(parse("application/json", [Buffer.from('{"error":{"message":"no"}}')])).toMatchObject({ error: "no" });
  });

  it("says how far an answer can be trusted", () => {
    const state = (chunk: Uint8Array, own = limits) => parse("text/event-stream", [chunk], own).state;
    expect(state(whole.subarray(0, 300))).toBe("unfinished");
    expect(state(stream("{broken", "[DONE]"))).toBe("unreadable");
    expect(state(stream({ choices: "none" }, "[DONE]"))).toBe("unreadable");
    expect(state(whole, { answerChars: 10, toolCalls: 4 })).toBe("cut");
    expect(state(whole, { answerChars: 1000, toolCalls: 1 })).toBe("cut");
    expect(state(stream(piece({ content: "x".repeat(2 << 20) }), "[DONE]"))).toBe("cut");
    expect(state(Buffer.alloc(0))).toBe("unfinished");
    expect(parse("application/json", [])).toMatchObject({ state: "unfinished" });
  });

  it("keeps no more than it may, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), fc.boolean(), (chunks, sse) => {
        const facts = parse(sse ? "text/event-stream" : "application/json", chunks);
        expect(["complete", "unfinished", "unreadable", "cut"]).toContain(facts.state);
      }),
    );
    const flood = Array.from({ length: 50 }, (_, index) => piece(call(index, `c${index}`, "bash", "y".repeat(500))));
    const facts = parse("text/event-stream", [stream(...flood, "[DONE]")]);
    expect(facts.toolCalls).toHaveLength(4);
    expect(facts.toolCalls.map((one) => one.arguments).join("")).toHaveLength(1000);
  });
});

describe("openaiChat requests", () => {
  it("knows its paths", () => {
    expect(openaiChat.matches("POST", "/v1/chat/completions")).toBe(true);
    expect(openaiChat.matches("POST", "/chat/completions?x=1")).toBe(true);
    expect(openaiChat.matches("GET", "/v1/chat/completions")).toBe(false);
    expect(openaiChat.matches("POST", "/v1/chat/completions2")).toBe(false);
  });

  it("describes a request, or says why it is none", () => {
    const messages = [{ role: "user", content: "x" }];
    expect(openaiChat.describeRequest({ model: "m", messages }, "")).toEqual({
      model: "m",
      messageCount: 1,
      providerTools: [],
    });
    for (const wrong of [null, [], {}, { messages: [null] }, { messages: [{}] }, { messages, tools: [{}] }]) {
      expect(openaiChat.describeRequest(wrong, "").problem).toBeTypeOf("string");
    }
  });
});
