import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { LAYOUT } from "../evidence/layout.ts";
import { AgentOutput, outputCompleteness } from "./agent-output.ts";

it("keeps each stream up to its limit and counts the rest", async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "output-"));
  fs.mkdirSync(path.join(dir, "logs"));
  const output = new AgentOutput(dir, path.join(dir, "combined"), {
    agent_stdout: 10,
    agent_stderr: 20,
    container_log: 5,
  });
  output.follow(
    Readable.from([Buffer.from("0123456789"), Buffer.from("abc")]),
    Readable.from([Buffer.from([0, 255, 10])]),
  );
  const stats = await output.close();
  expect(fs.readFileSync(path.join(dir, LAYOUT.stdoutLog), "utf8")).toBe("0123456789");
  expect([...fs.readFileSync(path.join(dir, LAYOUT.stderrLog))]).toEqual([0, 255, 10]);
  expect(stats.stdout).toMatchObject({ bytesTotal: 13, bytesKept: 10, truncated: true });
  expect(outputCompleteness(stats, null, "now")).toMatchObject({ level: "lossy", lost: 3 });
  expect(outputCompleteness(stats, null, "now").reason).toBe(
    "3 bytes beyond the limit were counted and not kept: there are the first 10 bytes of stdout",
  );
  expect(stats.missing).toBe(11);
  fs.rmSync(dir, { recursive: true });
});
