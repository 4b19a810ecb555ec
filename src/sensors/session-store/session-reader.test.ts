import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, expect, it } from "vitest";
import { exec } from "../../core/exec.ts";
import { SessionReader } from "./session-reader.ts";

const { execPath } = process;
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "busy-"));
afterEach(() => {
  process.execPath = execPath;
  fs.rmSync(scratch, { recursive: true, force: true });
});

it("a program that the system refuses to start ends no run: it is a failure that is told", async () => {
  const program = path.join(scratch, "program");
  fs.copyFileSync("/bin/true", program);
  // The kernel starts no program that somebody has open for writing.
  const writer = fs.openSync(program, "r+");
  process.execPath = program;
  const order = { workDir: scratch, mode: "store" as const, rootSessionId: null };
  const limits = { maxSessionBytes: 1, maxTotalBytes: 1, maxSessions: 1 };
  const reader = new SessionReader();
  const run = await reader.run({ ...order, ...limits }, 60_000);
  expect(run).toMatchObject({ exitCode: null, result: undefined });
  expect(run.failure).toContain("ETXTBSY");
  reader.stop();
  expect(await exec(program, [])).toMatchObject({ exitCode: null, failure: expect.stringContaining("ETXTBSY") });
  fs.closeSync(writer);
});
