import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import type { WireFormatName } from "../../src/schema/exchange.ts";

export interface ModelTurn {
  text: string;
  reasoning?: string;
  tools?: { id: string; name: string; args: Record<string, unknown> }[];
}

/** What a provider can do instead of answering. */
export type Fault =
  | { kind: "status"; status: number; headers?: Record<string, string> }
  | { kind: "hang" | "disconnect" | "malformed" | "wrong-type" | "bomb" | "echo-key" };

interface SeenRequest {
  path: string;
  headers: IncomingMessage["headers"];
  body: string;
}

const USAGE = { input: 1000, output: 50 };
const BOMB_BYTES = 200 * 1024 * 1024;
const SSE = { "content-type": "text/event-stream", "x-request-id": "req-canary-1" };

/**
 * A provider on this machine that speaks all four wire formats. Each request gets the next fault; when none is left, the
 * next turn, and after the last one `All done.`
 */
export class ModelServer implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  readonly turns: ModelTurn[];
  readonly faults: Fault[];
  /** Names that `GET …/models` lists. */
  models: string[] | undefined;
  #answered = 0;
  readonly #server: Server;

  /** Speaks TLS where it has a certificate; its `url` is then of no use, since that names no host. */
  constructor(turns: ModelTurn[], faults: Fault[] = [], tls?: { key: string; cert: string }) {
    this.turns = turns;
    this.faults = faults;
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  }

  async start(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "";
    if (request.method === "GET") return this.#list(response);
    const body = await buffer(request);
    this.seen.push({ path, headers: request.headers, body: body.toString() });
    const fault = this.faults.shift();
    if (fault !== undefined) return play(fault, request, response);
    const turn = this.turns[this.#answered++] ?? { text: "All done." };
    response.writeHead(200, SSE);
    for (const event of eventsOf(formatOf(path), turn, this.#answered)) response.write(event);
    response.end();
  }

  #list(response: ServerResponse): void {
    response.writeHead(this.models === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify({ data: (this.models ?? []).map((id) => ({ id })) }));
  }
}

function play(fault: Fault, request: IncomingMessage, response: ServerResponse): void {
  switch (fault.kind) {
    case "status":
      response.writeHead(fault.status, { "content-type": "application/json", ...fault.headers });
      response.end(JSON.stringify({ error: { type: "fault", message: `fault ${fault.status}` } }));
      return;
    case "hang":
      return;
    case "disconnect":
      response.writeHead(200, SSE);
      response.write(`data: {"choices":[{"delta":{"content":"half"}}]}\n\n`);
      setTimeout(() => response.destroy(), 200);
      return;
    case "malformed":
      response.writeHead(200, SSE);
      response.end("data: {this is no JSON\n\ndata: 7\n\n");
      return;
    case "wrong-type":
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<html>Please log in</html>");
      return;
    case "bomb":
      response.writeHead(200, { ...SSE, "content-encoding": "gzip" });
      response.end(gzipSync(Buffer.alloc(BOMB_BYTES, `: ${"x".repeat(1000)}\n\n`)));
      return;
    case "echo-key": {
      const key = request.headers.authorization ?? request.headers["x-api-key"] ?? "";
      response.writeHead(401, { "content-type": "application/json", "x-echo": String(key) });
      response.end(JSON.stringify({ error: { message: `no such key: ${String(key)}` } }));
    }
  }
}

function formatOf(path: string): WireFormatName {
  if (path.includes("/chat/completions")) return "openai-chat";
  if (path.includes("/responses")) return "openai-responses";
  return path.includes("/messages") ? "anthropic-messages" : "google-generate";
}

const event = (value: object | string): string =>
  `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
const named = (value: { type: string } & Record<string, unknown>): string => `event: ${value.type}\n${event(value)}`;

function eventsOf(format: WireFormatName, turn: ModelTurn, count: number): string[] {
  switch (format) {
    case "openai-responses":
      return responses(turn, count).map(named);
    case "anthropic-messages":
      return messages(turn, count).map(named);
    case "google-generate":
      return [event(generate(turn))];
    default:
      return chat(turn).map(event);
  }
}

function chat({ text, reasoning, tools = [] }: ModelTurn): (object | string)[] {
  const piece = (delta: object, finish_reason: string | null = null) => ({
    id: "c",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta, finish_reason }],
  });
  const calls = tools.map(({ id, name, args }, index) => ({
    tool_calls: [{ index, id, type: "function", function: { name, arguments: JSON.stringify(args) } }],
  }));
  return [
    ...(reasoning === undefined ? [] : [piece({ reasoning_content: reasoning })]),
    piece({ role: "assistant", content: text }),
    ...calls.map((call) => piece(call)),
    {
      ...piece({}, tools.length > 0 ? "tool_calls" : "stop"),
      usage: { prompt_tokens: USAGE.input, completion_tokens: USAGE.output, total_tokens: USAGE.input + USAGE.output },
    },
    "[DONE]",
  ];
}

type Named = { type: string } & Record<string, unknown>;

function responses({ text, reasoning, tools = [] }: ModelTurn, count: number): Named[] {
  const whole = { id: `resp_${count}`, object: "response", created_at: 1, model: "m", output: [] };
  const usage = {
    input_tokens: USAGE.input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: USAGE.output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: USAGE.input + USAGE.output,
  };
  const thought = { type: "reasoning", id: `rs_${count}`, summary: [] };
  const said = { type: "message", id: `msg_${count}`, status: "completed", role: "assistant" };
  const part = { type: "output_text", text, annotations: [] };
  const events: Named[] = [
    { type: "response.created", response: { ...whole, status: "in_progress" } },
    ...(reasoning === undefined ? [] : reasoningEvents(thought, reasoning)),
    { type: "response.output_item.added", output_index: 1, item: { ...said, content: [] } },
    { type: "response.output_text.delta", item_id: said.id, output_index: 1, content_index: 0, delta: text },
    { type: "response.output_item.done", output_index: 1, item: { ...said, content: [part] } },
    ...tools.flatMap((tool, index) => callEvents(tool, index + 2)),
    { type: "response.completed", response: { ...whole, status: "completed", usage } },
  ];
  return events.map((one, index) => ({ ...one, sequence_number: index }));
}

function reasoningEvents(item: { id: string }, text: string): Named[] {
  const at = { item_id: item.id, output_index: 0, summary_index: 0 };
  return [
    { type: "response.output_item.added", output_index: 0, item },
    { type: "response.reasoning_summary_part.added", ...at, part: { type: "summary_text", text: "" } },
    { type: "response.reasoning_summary_text.delta", ...at, delta: text },
    {
      type: "response.output_item.done",
      output_index: 0,
      item: { ...item, summary: [{ type: "summary_text", text }] },
    },
  ];
}

function callEvents({ id, name, args }: NonNullable<ModelTurn["tools"]>[number], output_index: number): Named[] {
  const item = { type: "function_call", id: `fc_${id}`, call_id: id, name, arguments: "", status: "in_progress" };
  const text = JSON.stringify(args);
  return [
    { type: "response.output_item.added", output_index, item },
    { type: "response.function_call_arguments.delta", item_id: item.id, output_index, delta: text },
    { type: "response.function_call_arguments.done", item_id: item.id, output_index, arguments: text },
    { type: "response.output_item.done", output_index, item: { ...item, arguments: text, status: "completed" } },
  ];
}

function messages({ text, reasoning, tools = [] }: ModelTurn, count: number): Named[] {
  const usage = { input_tokens: USAGE.input, output_tokens: 1 };
  const message = {
    id: `msg_${count}`,
    type: "message",
    role: "assistant",
    model: "m",
    content: [],
    stop_reason: null,
  };
  const blocks = [
    ...(reasoning === undefined
      ? []
      : [
          {
            block: { type: "thinking", thinking: "", signature: "" },
            delta: { type: "thinking_delta", thinking: reasoning },
          },
        ]),
    { block: { type: "text", text: "" }, delta: { type: "text_delta", text } },
    ...tools.map(({ id, name, args }) => ({
      block: { type: "tool_use", id, name, input: {} },
      delta: { type: "input_json_delta", partial_json: JSON.stringify(args) },
    })),
  ];
  return [
    { type: "message_start", message: { ...message, stop_sequence: null, usage } },
    ...blocks.flatMap(({ block, delta }, index) => [
      { type: "content_block_start", index, content_block: block },
      { type: "content_block_delta", index, delta },
      { type: "content_block_stop", index },
    ]),
    {
      type: "message_delta",
      delta: { stop_reason: tools.length > 0 ? "tool_use" : "end_turn", stop_sequence: null },
      usage: { output_tokens: USAGE.output },
    },
    { type: "message_stop" },
  ];
}

function generate({ text, reasoning, tools = [] }: ModelTurn): object {
  const parts = [
    ...(reasoning === undefined ? [] : [{ text: reasoning, thought: true }]),
    { text },
    ...tools.map(({ name, args }) => ({ functionCall: { name, args } })),
  ];
  return {
    candidates: [{ content: { role: "model", parts }, finishReason: "STOP", index: 0 }],
    usageMetadata: { promptTokenCount: USAGE.input, candidatesTokenCount: USAGE.output, totalTokenCount: 1050 },
  };
}
