import { describe, expect, it } from "vitest";
import { hasSysAdmin, parseMemAvailable, parseOsRelease, readMachineFacts } from "./machine.ts";

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

describe("hasSysAdmin", () => {
  it("looks at bit 21 of the effective set", () => {
    expect(hasSysAdmin("CapPrm:\t0000000000000000\nCapEff:\t000001ffffffffff\n")).toBe(true);
    expect(hasSysAdmin("CapEff:\t0000000000200000\n")).toBe(true);
    expect(hasSysAdmin("CapEff:\t000001ffffdfffff\n")).toBe(false);
    expect(hasSysAdmin("CapPrm:\t000001ffffffffff\nCapEff:\t0000000000000000\n")).toBe(false);
    expect(hasSysAdmin("")).toBe(false);
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
