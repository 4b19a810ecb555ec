import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { exec } from "../core/exec.ts";
import { PROBE_EXIT_CODE, probeProgram, withProbeRootfs } from "./probe-program.ts";

test.runIf(process.platform === "linux")("the program runs and ends with its code", async () => {
  const dir = mkdtempSync(path.join(tmpdir(), "probe-"));
  const exitCode = await withProbeRootfs(dir, async (rootfs) => {
    expect(readdirSync(rootfs)).toEqual(["probe"]);
    return (await exec(path.join(rootfs, "probe"), [])).exitCode;
  });
  expect(exitCode).toBe(PROBE_EXIT_CODE);
  expect(readdirSync(dir)).toEqual([]);
  rmSync(dir, { recursive: true });
});

test("each processor gets its own code, another one an error", () => {
  expect(probeProgram("x64").readUInt16LE(18)).toBe(62);
  expect(probeProgram("arm64").readUInt16LE(18)).toBe(183);
  expect(readFileSync(process.execPath).subarray(0, 7)).toEqual(probeProgram(process.arch).subarray(0, 7));
  expect(() => probeProgram("mips")).toThrow(/mips/);
});
