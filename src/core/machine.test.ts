import { describe, expect, it } from "vitest";
import { parseMemAvailable, parseOsRelease, readMachineFacts } from "./machine.ts";

describe("parseOsRelease", () => {
  it("reads quoted and bare values", () => {
    const text = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n`;
    expect(parseOsRelease(text)).toEqual({ id: "debian", versionId: "12", name: "Debian GNU/Linux 12 (bookworm)" });
  });

  it("does without a version and a name", () => {
    expect(parseOsRelease("ID='arch'\n")).toEqual({ id: "arch", versionId: "", name: "arch" });
  });

  it("knows nothing of an empty file", () => {
    expect(parseOsRelease("")).toBeUndefined();
  });
});

it("reads MemAvailable in bytes", () => {
  expect(parseMemAvailable("MemTotal:       10 kB\nMemAvailable:    2048 kB\n")).toBe(2_097_152);
  expect(parseMemAvailable("MemTotal: 10 kB\n")).toBeUndefined();
});

it("reads this machine", async () => {
  const facts = await readMachineFacts();
  expect(facts.platform).toBe(process.platform);
  expect(facts.cores).toBeGreaterThan(0);
  expect(facts.memoryTotalBytes).toBeGreaterThan(2 ** 28);
  if (facts.platform === "linux") {
    expect(facts.distribution?.id).toBeTruthy();
    expect(facts.memoryAvailableBytes).toBeGreaterThan(0);
    expect(facts.cgroupVersion).toBeDefined();
  }
});
