import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CaptureError } from "../../core/errors.ts";
import { isListed } from "./model-names.ts";
import { type LivePlaces, resolveLive } from "./resolve-live.ts";

const KEY = "sk-canary-0123456789";
const OAUTH = "canary-oauth-refresh";
let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "keys-"));
  fs.writeFileSync(path.join(dir, "key"), `${KEY}\n`);
  const logins = {
    openai: { type: "api", key: KEY },
    anthropic: { type: "oauth", refresh: OAUTH, access: OAUTH, expires: 1 },
  };
  fs.writeFileSync(path.join(dir, "auth.json"), JSON.stringify(logins));
  fs.writeFileSync(path.join(dir, "broken.json"), `{"openai": "${KEY}`);
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

const near = (wanted: string, names: readonly string[]) => names.filter((name) => name[0] === wanted[0]);
const resolve = (spec: string, places: Partial<LivePlaces> = {}) => resolveLive(spec, { env: {}, ...places }, near);

function failure(spec: string, places: Partial<LivePlaces> = {}): CaptureError {
  try {
    resolve(spec, places);
  } catch (error) {
    if (error instanceof CaptureError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("resolveLive", () => {
  it.each([
    ["anthropic/m", { ANTHROPIC_API_KEY: KEY }, "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"],
    ["google/m", { GEMINI_API_KEY: KEY }, "https://generativelanguage.googleapis.com/v1beta", "GEMINI_API_KEY"],
    ["openrouter/a/b:free", { OPENROUTER_API_KEY: KEY }, "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"],
    ["opencode/m", { OPENCODE_API_KEY: KEY }, "https://opencode.ai/zen/v1", "OPENCODE_API_KEY"],
    ["ollama/m", {}, "http://127.0.0.1:11434/v1", "no key"],
    [
      "openai/m",
      { OPENAI_API_KEY: "other", OPENCODE_CAPTURE_API_KEY: KEY },
      "https://api.openai.com/v1",
      "OPENCODE_CAPTURE_API_KEY",
    ],
    // Some variables are written without the version segment.
    [
      "anthropic/m",
      { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: "https://x.example/" },
      "https://x.example/v1",
      "ANTHROPIC_API_KEY",
    ],
  ])("%s with %j is at %s", (spec, env, baseUrl, keySource) => {
    const model = resolve(spec, { env });
    expect(model).toMatchObject({ model: spec.slice(spec.indexOf("/") + 1), baseUrl, keySource });
    expect(model.key?.reveal()).toBe(keySource === "no key" ? undefined : KEY);
    expect(`${JSON.stringify(model)}${String(model.key)}`).not.toContain("canary");
  });

  it("takes the base URL of the settings, a key file, and OpenCode's own log-in", () => {
    const baseUrl = "http://10.0.0.1:8000/api/v2/";
    expect(resolve("openai-compatible/m", { baseUrl })).toMatchObject({
      baseUrl: "http://10.0.0.1:8000/api/v2",
      key: undefined,
    });
    const apiKeyFile = path.join(dir, "key");
    expect(resolve("anthropic/m", { apiKeyFile }).key?.reveal()).toBe(KEY);
    const authFile = path.join(dir, "auth.json");
    expect(resolve("openai/m", { authFile })).toMatchObject({ keySource: "OpenCode's log-in" });
  });

  it("refuses an OAuth log-in, and says what to do", () => {
    const error = failure("anthropic/m", { authFile: path.join(dir, "auth.json") });
    expect(error.message).toContain("OAuth");
    expect(error.hint).toContain("ANTHROPIC_API_KEY");
    expect(`${error.message}${error.hint}`).not.toContain("canary");
  });

  it.each(["azure/gpt-5", "amazon-bedrock/claude", "google-vertex/gemini"])(
    "says that %s is not supported, and what is",
    (spec) => {
      const error = failure(spec);
      expect(error.code).toBe("usage");
      expect(error.message).toContain("is not supported");
      expect(error.hint).toContain("anthropic/MODEL");
    },
  );

  it("names what a misspelt provider may have meant", () => {
    expect(failure("antropic/m").message).toContain("did you mean anthropic?");
    expect(failure("zzz/m").hint).toContain("openai-compatible/MODEL");
  });

  it.each([
    ["openai/m", {}, "no key"],
    ["openai-compatible/m", {}, "has to be said"],
    ["openai/m", { baseUrl: `https://user:${KEY}@x.example/v1` }, "is not one"],
    ["openai/m", { baseUrl: "ftp://x.example/v1" }, "is not one"],
    ["openai/m", { env: { OPENAI_API_KEY: `${KEY}\nx` } }, "can't be a key"],
    ["openai/m", { apiKeyFile: "/nowhere/key" }, "can't be read"],
    ["openai/m x", { env: { OPENAI_API_KEY: KEY } }, "can't be the name"],
  ])("refuses %s with %j", (spec, places, why) => {
    const error = failure(spec, places);
    expect(error.message).toContain(why);
    expect(`${error.message}${error.hint}`).not.toContain("canary");
  });

  it("never quotes a broken file of log-ins", () => {
    const error = failure("openai/m", { authFile: path.join(dir, "broken.json") });
    expect(`${error.message}${error.hint}${String(error.cause)}`).not.toContain("canary");
  });
});

describe("isListed", () => {
  it("knows short forms and variants", () => {
    const names = ["claude-haiku-4-5-20251001", "llama3:8b", "x-ai/grok"];
    for (const name of ["claude-haiku-4-5", "claude-haiku-4-5-latest", "llama3", "x-ai/grok:nitro"]) {
      expect(isListed(name, names), name).toBe(true);
    }
    expect(isListed("claude-hiaku-4-5", names)).toBe(false);
  });
});
