import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect } from "vitest";
import { pathWithoutSecrets, withoutSecrets } from "../../src/gateway/headers.ts";
import { wireFormatOf } from "../../src/gateway/wire/formats.ts";
import { type ServerSentEvent, SseReader } from "../../src/gateway/wire/sse.ts";
import type { AnswerFacts } from "../../src/gateway/wire/wire-format.ts";
import { printableJson, visible, visibleLines } from "../../src/schema/display.ts";
import { exchange } from "../../src/schema/exchange.ts";
import { sessionId } from "../../src/schema/native-event.ts";
import { ClaimTally } from "../../src/sensors/agent-events/claim-tally.ts";
import { type Line, LineSplitter } from "../../src/sensors/agent-events/line-splitter.ts";
import { obeyedIn } from "../support/terminal-safety.ts";
import { fuzz } from "./fuzz.ts";
import { pieces } from "./mutator.ts";

/** What arrives while a run goes on: from the plugin, from the model, from whoever speaks to the gateway. */
const CAPTURE = path.join(import.meta.dirname, "../fixtures/captures/20261122T190948Z-fix_math_utils");
const EVENTS = fs.readFileSync(path.join(CAPTURE, "events/opencode_events.jsonl"));
const eventLines = EVENTS.toString("latin1")
  .split("\n")
  .filter((line) => line !== "" && line.length < 8000)
  .slice(0, 60)
  .map((line) => Buffer.from(line, "latin1"));

describe("native events", () => {
  const MAX_LINE = 1000;

  fuzz("lines come out as they went in, whatever the pieces", {
    seeds: [EVENTS.subarray(0, 20_000), Buffer.from("\n\n\0\n"), Buffer.alloc(5000, 0x61)],
    check(input, random) {
      const lines: Line[] = [];
      const keep = (line: Line): void => void lines.push({ ...line, bytes: Buffer.from(line.bytes) });
      const splitter = new LineSplitter(MAX_LINE, keep);
      for (const piece of pieces(random, input)) splitter.push(piece);
      splitter.end();
      const expected = input.toString("latin1").split("\n");
      if (expected.at(-1) === "") expected.pop();
      expect(lines.map(({ bytes }) => bytes.toString("latin1"))).toEqual(expected.map((one) => one.slice(0, MAX_LINE)));
      expect(lines.reduce((sum, { bytes, cutBytes, ended }) => sum + bytes.length + cutBytes + Number(ended), 0)).toBe(
        input.length,
      );
    },
  });

  fuzz("each line is a valid event or none, and counted once", {
    seeds: [eventLines[0] ?? Buffer.alloc(0), ...eventLines],
    check(input) {
      const tally = new ClaimTally();
      tally.add(input, true);
      tally.add(input, true);
      expect(tally.validCount + tally.invalidCount).toBe(2);
      for (const id of [tally.rootSessionId, ...tally.childSessionIds])
        if (id !== null) expect(sessionId.safeParse(id).success).toBe(true);
      for (const number of [tally.dropped, tally.sequenceGaps, tally.sequenceRepeats])
        expect(Number.isSafeInteger(number) && number >= 0).toBe(true);
    },
  });
});

const STREAM = Buffer.from(
  `event: message\ndata: {"choices":[{"delta":{"content":"hi","tool_calls":[{"index":0,"id":"c","function":{"name":"bash","arguments":"{\\"command\\":\\"ls\\"}"}}]}}]}\n\n` +
    `data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\ndata: [DONE]\n\n`,
);

describe("model traffic", () => {
  fuzz("server-sent events do not depend on the pieces and stay within their limit", {
    seeds: [
      STREAM,
      Buffer.from("data: a\ndata: b\n\n: comment\r\n\r\ndata\n\n"),
      Buffer.from(`data: ${"y".repeat(900)}\n\n`),
    ],
    check(input, random) {
      const read = (parts: readonly Buffer[]): { events: ServerSentEvent[]; dropped: number } => {
        const events: ServerSentEvent[] = [];
        const reader = new SseReader(1000, (event) => events.push(event));
        for (const part of parts) reader.push(part);
        reader.end();
        return { events, dropped: reader.dropped };
      };
      const whole = read([input]);
      expect(read(pieces(random, input))).toEqual(whole);
      for (const { data } of whole.events) expect(data.length).toBeLessThanOrEqual(1000 + 1000);
    },
  });

  const answer = exchange.pick({
    answer_state: true,
    text: true,
    reasoning: true,
    tool_calls: true,
    finish_reason: true,
    usage: true,
    cost_usd: true,
    error: true,
  });
  const LIMITS = { answerChars: 500, toolCalls: 3 };

  function holds(facts: AnswerFacts): void {
    answer.parse({
      answer_state: facts.state,
      text: facts.text,
      reasoning: facts.reasoning,
      tool_calls: facts.toolCalls,
      finish_reason: facts.finishReason,
      usage: facts.usage,
      cost_usd: facts.costUsd,
      error: facts.error,
    });
    expect(facts.toolCalls.length).toBeLessThanOrEqual(LIMITS.toolCalls);
    const chars = [facts.text, facts.reasoning, ...facts.toolCalls.map((call) => call.arguments)].join("").length;
    expect(chars).toBeLessThanOrEqual(LIMITS.answerChars * (2 + LIMITS.toolCalls));
  }

  const anthropic = `event: message_start\ndata: {"type":"message_start","message":{"id":"m","usage":{"input_tokens":3,"output_tokens":1}}}\n\nevent: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"bash","input":{}}}\n\nevent: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{}"}}\n\nevent: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n`;
  const responses = `event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id":"i","output_index":0,"delta":"hi"}\n\nevent: response.completed\ndata: {"type":"response.completed","response":{"status":"completed","usage":{"input_tokens":3,"output_tokens":2,"input_tokens_details":{"cached_tokens":1}}}}\n\n`;
  const google = `data: {"candidates":[{"content":{"parts":[{"text":"hi"},{"functionCall":{"name":"bash","args":{"a":1}}}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}\n\n`;
  const FORMATS = [
    [
      "/v1/chat/completions",
      STREAM.toString(),
      `{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"x"}}]}`,
    ],
    [
      "/v1/responses",
      responses,
      `{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]}],"tools":[{"type":"web_search"}]}`,
    ],
    [
      "/v1/messages",
      anthropic,
      `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"web_search_20250305","name":"s"}]}`,
    ],
    [
      "/v1beta/models/m:streamGenerateContent",
      google,
      `{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"tools":[{"googleSearch":{}}]}`,
    ],
  ] as const;

  for (const [place, stream, request] of FORMATS) {
    fuzz(`${place}: answers are read or called unreadable, never more`, {
      seeds: [Buffer.from(stream), Buffer.from(stream.replaceAll(/^(event|data): |\n\n/gm, ""))],
      check(input, random) {
        const format = wireFormatOf("POST", place);
        expect(format).toBeDefined();
        const type = random.pick(["text/event-stream", "application/json", "application/vnd.amazon.eventstream", ""]);
        const parser = format?.createParser(type, LIMITS);
        for (const piece of pieces(random, input)) parser?.push(piece);
        const facts = parser?.finish();
        expect(facts).toBeDefined();
        if (facts !== undefined) holds(facts);
      },
    });

    fuzz(`${place}: requests are described, whatever stands in them`, {
      seeds: [Buffer.from(request)],
      check(input) {
        let body: unknown;
        try {
          body = JSON.parse(input.toString("utf8"));
        } catch {
          return;
        }
        const facts = wireFormatOf("POST", place)?.describeRequest(body, place);
        exchange.pick({ model: true, message_count: true, provider_tools: true }).parse({
          model: facts?.model,
          message_count: facts?.messageCount,
          provider_tools: facts?.providerTools,
        });
      },
    });
  }

  fuzz("paths and headers lose their secrets", {
    seeds: [
      Buffer.from("/v1/x?key=CANARY&alt=sse"),
      Buffer.from("/v1/x?api_key=CANARY#a"),
      Buffer.from("x-api-key: CANARY"),
    ],
    check(input) {
      const text = input.toString("latin1");
      expect(pathWithoutSecrets(`/p?key=CANARY&${text.replaceAll("CANARY", "")}`)).not.toContain("CANARY");
      const kept = withoutSecrets({ "x-api-key": "CANARY", authorization: "CANARY", [text]: "value" });
      expect(Object.values(kept)).not.toContain("CANARY");
    },
  });
});

fuzz("whatever is shown is visible, and JSON keeps its value", {
  seeds: [
    Buffer.from("a\u202eb\u001b[2J\u{e0041}"),
    Buffer.from('{"a":["\\ud800",1]}'),
    eventLines[0] ?? Buffer.alloc(0),
  ],
  check(input) {
    for (const text of [input.toString("utf8"), input.toString("utf16le"), input.toString("latin1")]) {
      expect(obeyedIn(visible(text))).toEqual([]);
      expect(obeyedIn(visibleLines(text))).toEqual([]);
      const value = { [text]: [text] };
      const json = printableJson(value);
      expect(obeyedIn(json)).toEqual([]);
      expect(JSON.parse(json)).toEqual(value);
    }
  },
});
