import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { capturesIn, readCapture } from "../support/captures.ts";
import { captureDirOf, runCli, startCli } from "../support/cli.ts";
import { bash, tempProject } from "../support/temp-project.ts";

const PODMAN = { OPENCODE_CAPTURE_ENGINE: "podman" };
const STALL_MS = 6000;
const FLOOD_BYTES = 64 << 20;
/** NUL, bytes that are no UTF-8, a title, a cleared screen, right-to-left, a C1 control. */
const HOSTILE = Buffer.from("\u0000\u001b]0;title\u0007\u001b[2J\u202egnp\u009b31m", "utf8");
const WITH_INVALID = Buffer.concat([HOSTILE, Buffer.from([0xff, 0xfe, 0xc0, 0x80])]);
const OCTAL = [...WITH_INVALID].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");

describe("L02 output that is no text", () => {
  it("is kept byte for byte, and reaches neither terminal nor records raw; a long line and a long event are counted", async () => {
    const command = [
      `printf '${OCTAL}' > /proc/1/fd/1`,
      "head -c 8000000 /dev/zero | tr '\\000' x > /proc/1/fd/1",
      `{ printf '{"native_event_type":"'; head -c 8000000 /dev/zero | tr '\\000' a; printf '"}\\n'; } > /capture/opencode_events.fifo`,
      "sleep 2",
    ];
    using project = tempProject([bash(command.join("; "))]);
    const result = await runCli(["run", "--issue", "probe", ...project.options], PODMAN);
    expect(result.code, result.stderr).toBe(0);
    const { dir, run, completeness, nativeEvents } = readCapture(captureDirOf(result));
    const log = fs.readFileSync(path.join(dir, LAYOUT.stdoutLog));
    const at = log.indexOf(WITH_INVALID);
    expect(at).toBeGreaterThanOrEqual(0);
    const line = log.subarray(at + WITH_INVALID.length, at + WITH_INVALID.length + 8_000_000);
    expect(line.equals(Buffer.alloc(8_000_000, "x"))).toBe(true);
    expect(run.output).toMatchObject({ stdout_bytes: log.length, truncated: false });
    expect(run.native_events.bytes).toBeGreaterThan(8_000_000);
    expect(run.native_events).toMatchObject({ truncated: true, invalid: 1 });
    expect(nativeEvents.every((event) => Buffer.byteLength(event) <= 2 << 20)).toBe(true);
    const events = completeness.classes.find((entry) => entry.class === "native-events");
    expect(events?.level).toBe("lossy");
    expect(events?.reason).toMatch(/\d{7} bytes beyond the limits were thrown away/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(result.stdout + result.stderr).not.toMatch(/[\u0000\u0007\u001b\u009b\u202e]/);
    for (const file of [LAYOUT.run, LAYOUT.completeness, LAYOUT.summary]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
      expect(fs.readFileSync(path.join(dir, file), "utf8"), file).not.toMatch(/[\u0000\u0007\u001b\u009b]/);
    }
  });
});

describe("L03 a supervisor that stands still", () => {
  it("makes the agent wait and loses nothing", async () => {
    using project = tempProject([bash(`yes 0123456789abcde | head -c ${FLOOD_BYTES} > /proc/1/fd/2`)]);
    const running = startCli(["run", "--issue", "probe", ...project.options], PODMAN);
    await running.seen("capture  ");
    const [name] = capturesIn(project.captureRoot).filter((entry) => entry.endsWith("-probe"));
    const log = path.join(project.captureRoot, name ?? "", LAYOUT.stderrLog);
    const size = (): number => (fs.existsSync(log) ? fs.statSync(log).size : 0);
    await expect.poll(size, { timeout: 120_000, interval: 5 }).toBeGreaterThan(1 << 20);
    running.child.kill("SIGSTOP");
    await sleep(200);
    const before = size();
    await sleep(STALL_MS);
    expect(size()).toBe(before);
    expect(before).toBeLessThan(FLOOD_BYTES);
    running.child.kill("SIGCONT");
    const result = await running.ended;
    expect(result.code, result.stderr).toBe(0);
    const { run, completeness } = readCapture(captureDirOf(result));
    expect(run.run_status).toBe("completed");
    // OpenCode prints its own log there too.
    expect(run.output.stderr_bytes).toBeGreaterThan(FLOOD_BYTES);
    expect(run.output.stderr_bytes).toBeLessThan(FLOOD_BYTES + (1 << 20));
    const output = completeness.classes.find((entry) => entry.class === "agent-output");
    expect(output?.lost).toBe(run.output.stderr_bytes - fs.statSync(log).size);
  });
});
