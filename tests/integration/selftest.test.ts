import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { selftestResult } from "../../src/schema/selftest.ts";
import { readCapture } from "../support/captures.ts";
import { captureDirOf, runCli } from "../support/cli.ts";
import { bash, tempProject } from "../support/temp-project.ts";

describe("opencode-capture selftest", () => {
  let cache: string;
  let env: Record<string, string>;
  beforeAll(() => {
    cache = fs.mkdtempSync(path.join(os.tmpdir(), "opencode-capture-test-cache-"));
    env = { OPENCODE_CAPTURE_ENGINE: "podman", XDG_CACHE_HOME: cache };
  });
  afterAll(() => fs.rmSync(cache, { recursive: true, force: true }));

  const selftest = async (...options: string[]) => {
    const result = await runCli(["selftest", "--json", "--count", "30", ...options], env);
    expect(result.stdout, result.stderr).not.toBe("");
    return { ...result, report: selftestResult.parse(JSON.parse(result.stdout)) };
  };

  it("sees everything with the kernel sensor, and the next capture refers to it", async () => {
    const { code, report } = await selftest("--sensor", "kernel");
    expect(report.classes.filter((entry) => entry.verdict !== "complete")).toEqual([]);
    expect(report.classes.map((entry) => entry.expected)).toEqual(report.classes.map(() => 30));
    expect(report).toMatchObject({ sensor: "kernel", verdict: "complete", reported_lost: 0 });
    expect(code).toBe(0);
    using project = tempProject([bash("true")]);
    const run = await runCli(["run", "--issue", "probe", ...project.options], env);
    const { finished_at, tool_version, kernel, sensor, verdict } = report;
    expect(readCapture(captureDirOf(run)).run.selftest).toEqual({ finished_at, tool_version, kernel, sensor, verdict });
  });

  it("says what polling misses, and ends with 1", async () => {
    const { code, report, stderr } = await selftest("--sensor", "polling");
    expect(code, stderr).toBe(1);
    expect(report).toMatchObject({ sensor: "polling", verdict: "blind", reported_lost: null });
    const files = report.classes.find((entry) => entry.id === "short_file");
    expect(files).toMatchObject({ expected: 30, seen: 0, lost: 30, verdict: "blind" });
  });

  it("leaves nothing behind when the work can't be done", async () => {
    const result = await runCli(["selftest", "--image-ref", "localhost/no-such-image:1"], env);
    expect(result.code).toBe(3);
    expect(result.stderr).toContain("no-such-image");
    expect(fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith("opencode-capture-selftest-"))).toEqual([]);
  });
});
