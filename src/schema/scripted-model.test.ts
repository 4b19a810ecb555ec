import { describe, expect, it } from "vitest";
import * as z from "zod";
import { script, toolCallsOf } from "./scripted-model.ts";

const entry = (response: unknown, match: object = {}) => ({ fixtures: [{ match, response }] });
const problems = (value: unknown) => script.safeParse(value).error?.issues.length ?? 0;

describe("script", () => {
  it.each([
    ["text", { content: "x" }],
    [
      "tool calls with arguments as an object or as text",
      {
        toolCalls: [
          { name: "bash", arguments: {} },
          { id: "a", name: "x", arguments: "{" },
        ],
      },
    ],
    ["empty text beside tool calls", { content: "", toolCalls: [{ name: "bash", arguments: {} }] }],
    [
      "blocks",
      {
        blocks: [
          { type: "text", text: "x" },
          { type: "toolCall", name: "bash", arguments: {} },
        ],
      },
    ],
    ["an error", { error: { message: "no" }, status: 429, retryAfter: 1 }],
    ["a finish reason of its own", { content: "x", finishReason: "length", usage: { prompt_tokens: 1, more: 2 } }],
  ])("takes %s", (_, response) => {
    expect(problems(entry(response))).toBe(0);
  });

  it.each([
    ["nothing to say", { content: "" }],
    ["a misspelt key", { content: "x", toolcalls: [] }],
    ["no tool call in the list", { toolCalls: [] }],
    ["a tool call without a name", { toolCalls: [{ arguments: {} }] }],
    ["an error and an answer at once", { content: "x", error: { message: "no" } }],
    ["a status that is no error", { error: { message: "no" }, status: 200 }],
  ])("refuses %s", (_, response) => {
    expect(problems(entry(response))).toBeGreaterThan(0);
  });

  it("refuses turns that can't be, and a script without entries", () => {
    expect(problems(entry({ content: "x" }, { turnIndex: -1 }))).toBeGreaterThan(0);
    expect(problems(entry({ content: "x" }, { predicate: "x" }))).toBeGreaterThan(0);
    expect(problems({ fixtures: [] })).toBeGreaterThan(0);
    expect(problems([])).toBeGreaterThan(0);
  });

  it("can be told to editors as JSON Schema", () => {
    const schema = z.toJSONSchema(script, { io: "input" });
    expect(schema).toMatchObject({ type: "object", required: ["fixtures"], additionalProperties: false });
    expect(JSON.stringify(schema)).toContain("Exact number of the model's answers");
  });
});

describe("toolCallsOf", () => {
  it("finds them wherever they stand", () => {
    const call = (name: string) => ({ name, arguments: {} });
    const both = {
      toolCalls: [call("a")],
      blocks: [
        { type: "text" as const, text: "x" },
        { type: "toolCall" as const, ...call("b") },
      ],
    };
    expect(toolCallsOf(both).map((one) => one.name)).toEqual(["a", "b"]);
    expect(toolCallsOf({ error: { message: "no" } })).toEqual([]);
  });
});
