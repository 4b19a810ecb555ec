import { describe, expect, it } from "vitest";
import { parseRoute, routeTo } from "./route.ts";

describe("routes", () => {
  it.each(["20261122T162000Z-x", "a b/c?d#e%", "风险"])("find the capture %j again", (name) => {
    expect(parseRoute(routeTo(name, "files"))).toEqual({ capture: name, tab: "files" });
  });

  it.each(["", "#", "#/", "#/x/y", "#/c/", "#/c/%E0%A4%A"])("take %j for the list", (hash) => {
    expect(parseRoute(hash).capture).toBeUndefined();
  });

  it("take an unknown tab for the overview", () => {
    expect(parseRoute("#/c/x/__proto__").tab).toBe("overview");
  });
});
