import { describe, expect, it } from "vitest";
import { endToEnd, pathWithoutSecrets, withoutSecrets } from "./headers.ts";

describe("withoutSecrets", () => {
  it("drops what any provider calls its key, and keeps the rest", () => {
    const secret = [
      "authorization",
      "proxy-authorization",
      "x-api-key",
      "api-key",
      "x-goog-api-key",
      "cookie",
      "set-cookie",
      "x-amz-security-token",
      "x-client-secret",
      "openai-organization-token",
    ];
    const kept = {
      "x-session-id": "ses_1",
      "user-agent": "opencode/1",
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
      "x-ratelimit-remaining-tokens": "5",
    };
    const all = { ...Object.fromEntries(secret.map((name) => [name, "s3cret"])), ...kept };
    expect(withoutSecrets(all)).toEqual(kept);
    expect(withoutSecrets({ via: ["a", "b"] as never, host: undefined as never })).toEqual({ via: "a, b" });
  });
});

describe("endToEnd", () => {
  it("leaves out what belongs to one connection", () => {
    const hop = { connection: "keep-alive", "transfer-encoding": "chunked", "content-length": "3", host: "h" };
    expect(endToEnd({ ...hop, "content-type": "x" })).toEqual({ "content-type": "x" });
  });
});

describe("pathWithoutSecrets", () => {
  it.each([
    ["/v1/chat/completions", "/v1/chat/completions"],
    ["/v1/models/m:generate?key=abc&alt=sse", "/v1/models/m:generate?alt=sse"],
    ["/x?api_key=abc", "/x"],
    ["/x?alt=sse&access_token=abc", "/x?alt=sse"],
    ["/x?monkey=1&a=b?c", "/x?monkey=1&a=b?c"],
  ])("%s is kept as %s", (path, kept) => {
    expect(pathWithoutSecrets(path)).toBe(kept);
  });

  it("bounds a path", () => {
    expect(pathWithoutSecrets(`/${"a".repeat(10_000)}`)).toHaveLength(4096);
  });
});
