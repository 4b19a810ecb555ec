import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { basename } from "node:path";
import { Readable } from "node:stream";
import type { ChatCompletionRequest, FixtureFileResponse, FixtureMatch, FixtureOpts, LLMock } from "@copilotkit/aimock";
import { CaptureError, errnoOf, errorMessage } from "../core/errors.ts";
import type { Script, ScriptEntry } from "../schema/scripted-model.ts";
import { withoutSecrets } from "./headers.ts";
import type { GatewayLimits } from "./limits.ts";
import { readScript } from "./script-file.ts";
import {
  type AcceptQuestion,
  type Upstream,
  UpstreamError,
  type UpstreamRequest,
  type UpstreamResponse,
} from "./upstream.ts";

/** OpenCode has titles written by a request of its own, with the session's id but without tools. */
const TITLE_MARK = "title generator";
const TITLE_ANSWER = "Scripted session";
const MAX_ERROR_BYTES = 64 * 1024;

/** Starts the scripted model on a loopback port of its own. @throws CaptureError for a faulty script. */
export async function startScriptedUpstream(
  scriptFile: string,
  limits: Pick<GatewayLimits, "modelSilenceMs">,
): Promise<Upstream & { sha256: string }> {
  const { script, sha256 } = readScript(scriptFile);
  // Loaded late: it takes 0.15 s and 40 MB, and only scripted runs need it.
  const { LLMock: Mock } = await import("@copilotkit/aimock");
  // It would keep every request it has seen; our own record does that.
  const mock = new Mock({ host: "127.0.0.1", port: 0, journalMaxEntries: 1 });
  addEntries(mock, script);
  try {
    await mock.start();
  } catch (error) {
    throw new CaptureError("setup", `the scripted model does not start: ${errorMessage(error)}`, { cause: error });
  }
  return Object.assign(new ScriptedUpstream(mock, basename(scriptFile), limits.modelSilenceMs), { sha256 });
}

function addEntries(mock: LLMock, script: Script): void {
  mock.addFixture({
    match: { predicate: (request) => isHousekeeping(request) && systemText(request).includes(TITLE_MARK) },
    response: { content: TITLE_ANSWER },
  });
  for (const { match, response, ...pace } of script.fixtures) {
    const predicate = (request: ChatCompletionRequest) => mayAnswer(match, request);
    // The same types but for `undefined`, which zod allows and never writes.
    mock.on({ ...match, predicate } as FixtureMatch, response as FixtureFileResponse, pace as FixtureOpts);
  }
}

/**
 * What aimock's own rules are too generous for: it lets the nearest turn answer where none fits exactly, so a script
 * would go on for ever, and it would answer OpenCode's housekeeping with the task's first turn.
 */
function mayAnswer(match: ScriptEntry["match"], request: ChatCompletionRequest): boolean {
  if (match.turnIndex !== undefined && answersSoFar(request) !== match.turnIndex) return false;
  return match.systemMessage !== undefined || !isHousekeeping(request);
}

function answersSoFar(request: ChatCompletionRequest): number {
  return request.messages.filter((message) => message.role === "assistant").length;
}

function isHousekeeping(request: ChatCompletionRequest): boolean {
  return (request.tools ?? []).length === 0;
}

function systemText(request: ChatCompletionRequest): string {
  const texts = request.messages.filter((message) => message.role === "system").map((message) => message.content);
  return texts.filter((text) => typeof text === "string").join("\n");
}

class ScriptedUpstream implements Upstream {
  readonly #mock: LLMock;
  readonly #port: number;
  readonly #scriptName: string;
  readonly #silenceMs: number;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(mock: LLMock, scriptName: string, silenceMs: number) {
    this.#mock = mock;
    this.#port = mock.port;
    this.#scriptName = scriptName;
    this.#silenceMs = silenceMs;
  }

  /** Only what a script can answer: aimock has control routes on the same port that are no business of an agent. */
  accepts({ method, path, wireFormat }: AcceptQuestion): string | undefined {
    if (wireFormat === "openai-chat" && path === "/v1/chat/completions") return undefined;
    return `${method} ${path} is no request that the model answers`;
  }

  async send(request: UpstreamRequest): Promise<UpstreamResponse> {
    const answer = await this.#post(request);
    const status = answer.statusCode ?? 502;
    if (status === 404) {
      const text = await readStart(answer);
      if (text.includes('"no_fixture_match"')) throw this.#unscripted(request);
      return { status, headers: withoutSecrets(answer.headers), body: Readable.from([Buffer.from(text)]) };
    }
    return { status, headers: withoutSecrets(answer.headers), body: answer };
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    await this.#mock.stop();
  }

  #post(request: UpstreamRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        host: "127.0.0.1",
        port: this.#port,
        agent: this.#agent,
        method: "POST",
        path: request.path,
        // Nothing else: aimock obeys headers of its own, and the agent must not steer it.
        headers: { "content-type": "application/json", "content-length": request.body.length },
        signal: request.signal,
        timeout: this.#silenceMs,
      });
      outgoing.on("response", resolve);
      outgoing.on("timeout", () => {
        const seconds = Math.round(this.#silenceMs / 1000);
        outgoing.destroy(new UpstreamError("model-timeout", 504, `the model was silent for ${seconds} s`));
      });
      outgoing.on("error", (error) => reject(asUpstreamError(error)));
      outgoing.end(request.body);
    });
  }

  #unscripted(request: UpstreamRequest): UpstreamError {
    const asked = JSON.parse(Buffer.from(request.body).toString()) as ChatCompletionRequest;
    const turn = answersSoFar(asked);
    const about = isHousekeeping(asked) ? "a request without tools" : `turn ${turn}`;
    const user = JSON.stringify(asked.messages.findLast((message) => message.role === "user")?.content ?? null);
    return new UpstreamError(
      "unscripted",
      400,
      `the script ${this.#scriptName} has no answer for ${about} of the session whose last user message begins with ` +
        `${user.slice(0, 120)}; add an entry to it, for example with "match": {"turnIndex": ${turn}}`,
    );
  }
}

function asUpstreamError(error: Error): Error {
  if (error instanceof UpstreamError || error.name === "AbortError") return error;
  const kind = errnoOf(error) === "ECONNRESET" ? "model-broke-off" : "model-unreachable";
  return new UpstreamError(kind, 502, `the scripted model does not answer: ${error.message}`, error);
}

async function readStart(answer: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of answer) {
    text += String(chunk);
    if (text.length > MAX_ERROR_BYTES) break;
  }
  return text;
}
