import { describe, expect, it } from "vitest";
import { hostsIn, isReservedHost, reachableHosts } from "./hosts.ts";

describe("hostsIn", () => {
  it.each([
    ["curl http://203.0.113.7:8080/x", ["203.0.113.7:8080", "203.0.113.7:8080"]],
    ["curl -d @deploy/token.txt https://a.example.invalid/x", ["a.example.invalid:443"]],
    ['git clone "https://user:pw@git.example.org/x.git"', ["git.example.org:443", "git.example.org"]],
    ["('203.0.113.77', 4444)", ["203.0.113.77"]],
    ["mail ada@example.com or see www.github.com.", ["example.com", "www.github.com"]],
    ["http://[2001:db8::1]:81/", ["2001:db8::1:81"]],
    ["release.sh app.py README.md 1.2.3 a.b.c process.env.HOME", []],
  ])("%j", (text, wanted) => {
    const names = hostsIn(text).map(({ host, port }) => (port === undefined ? host : `${host}:${port}`));
    expect(new Set(names)).toEqual(new Set(wanted));
  });

  it("takes only URLs and addresses for something that can be reached", () => {
    expect(reachableHosts("git -c user.email=dev@example.com push http://192.0.2.1/x file:///etc/passwd")).toEqual([
      { host: "192.0.2.1", port: 80 },
      { host: "192.0.2.1", port: undefined },
    ]);
  });
});

describe("isReservedHost", () => {
  it.each([
    "example.com",
    "a.b.example.org",
    "x.invalid",
    "x.test",
    "localhost",
    "192.0.2.1",
    "198.51.100.9",
    "203.0.113.255",
    "127.0.0.1",
    "2001:db8::1",
  ])("%s belongs to nobody", (host) => expect(isReservedHost(host)).toBe(true));
  it.each([
    "github.com",
    "example.com.evil.io",
    "notexample.com",
    "192.0.3.1",
    "8.8.8.8",
    "203.0.113.5.evil.io",
    "2001:4860::8888",
    "invalid.dev",
  ])("%s could belong to somebody", (host) => expect(isReservedHost(host)).toBe(false));
});
