import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeCapture } from "../../tests/support/capture-factory.ts";
import type { CaptureParts } from "../../tests/support/capture-parts.ts";
import { busEvent, eventSample, FINAL_MESSAGE, SESSION } from "../../tests/support/capture-sample.ts";
import { LAYOUT } from "../evidence/layout.ts";
import { summary as summarySchema } from "../schema/summary.ts";
import { buildSummary, writeSummary } from "./build-summary.ts";
import { LIMITS, TIMELINE_SHARE } from "./limits.ts";

const LEGACY = path.resolve(import.meta.dirname, "../../tests/fixtures/legacy-captures");
let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "summary-"));
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function summaryOf(change?: (parts: CaptureParts) => void) {
  return buildSummary(makeCapture(root, "20261122T162000Z-fix_math_utils", change));
}

async function codesOf(change: (parts: CaptureParts) => void): Promise<string[]> {
  return (await summaryOf(change)).anomalies.map((one) => one.code);
}

describe("a run of four turns", () => {
  it("has the form of its schema, and nothing out of the ordinary but what can't be seen", async () => {
    const summary = await summaryOf();
    expect(summarySchema.parse(summary)).toEqual(summary);
    expect(new Set(summary.anomalies.map((one) => one.code))).toEqual(new Set(["incomplete_observation"]));
    expect(summary.truncated).toEqual([]);
  });

  it("counts every native event once, as significant or as noise", async () => {
    const { counts } = await summaryOf();
    const total = Object.values(counts.by_type).reduce((sum, count) => sum + count, 0);
    expect(counts.significant_total + counts.noise_total).toBe(total);
    expect(counts.noise_by_type).toMatchObject({
      "plugin.added": 45,
      "message.part.delta": 4,
      "message.part.updated": 3,
    });
    expect(Object.values(counts.noise_by_type).reduce((sum, count) => sum + count, 0)).toBe(counts.noise_total);
  });

  it("joins what the model asked for with what the agent says it ran", async () => {
    const { tools } = await summaryOf();
    expect(tools.map((tool) => [tool.tool, tool.call_id, tool.status, tool.sources])).toEqual([
      ["read", "call_read_1", "completed", ["gateway", "agent"]],
      ["edit", "call_edit_2", "completed", ["gateway", "agent"]],
      ["bash", "call_bash_3", "completed", ["gateway", "agent"]],
    ]);
    expect(tools[2]).toMatchObject({ duration_ms: 900, output_preview: "2 passed in 0.03s\n", session_id: SESSION });
  });

  it("has everything in time order, each entry with its source", async () => {
    const { timeline, phases } = await summaryOf();
    const times = timeline.map((entry) => Date.parse(entry.timestamp));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(new Set(timeline.map((entry) => entry.source))).toEqual(
      new Set(["supervisor", "gateway", "process", "network", "filesystem", "agent"]),
    );
    expect(new Set(timeline.map((entry) => entry.id)).size).toBe(timeline.length);
    expect(phases.map((phase) => phase.name)).toEqual(["workspace", "create", "attach", "agent", "after"]);
  });

  it("takes the last words from the gateway, and from the agent where there is none", async () => {
    expect(await summaryOf()).toMatchObject({ final_message: FINAL_MESSAGE, final_message_source: "gateway" });
    const alone = await buildSummary(
      makeCapture(root, "20261122T162001Z-x", (parts) => {
        parts.exchanges = [];
      }),
    );
    expect(alone).toMatchObject({ final_message: FINAL_MESSAGE, final_message_source: "agent" });
  });

  it("marks files that the agent names", async () => {
    const { files } = await summaryOf();
    expect(files.map((file) => [file.path, file.claimed])).toEqual([
      ["RESULT.md", false],
      ["tasks/fixtures/fix_math_utils/math_utils.py", true],
    ]);
  });
});

describe("tool calls", () => {
  const call = (messageID: string, callID: string, state: object) =>
    busEvent(5, "message.part.updated", {
      sessionID: SESSION,
      part: { id: `p${messageID}`, sessionID: SESSION, messageID, type: "tool", tool: "bash", callID, state },
    });

  it("keeps two uses apart when a model gives one id twice", async () => {
    const { tools } = await summaryOf((parts) => {
      const [first] = parts.exchanges;
      if (first === undefined) throw new Error("no sample");
      const ask = (seq: number) => ({
        ...first,
        seq,
        tool_calls: [{ id: "call_1", name: "bash", arguments: `{"n":${seq}}` }],
      });
      parts.exchanges = [ask(0), ask(1)];
      parts.events = [
        call("m1", "call_1", { status: "completed", output: "one" }),
        call("m2", "call_1", { status: "error", error: "two" }),
      ];
    });
    expect(tools.map((tool) => [tool.input, tool.status, tool.output_preview])).toEqual([
      ['{"n":0}', "completed", "one"],
      ['{"n":1}', "error", "two"],
    ]);
  });

  it("joins by order where the wire format has no ids", async () => {
    const { tools } = await summaryOf((parts) => {
      for (const one of parts.exchanges) for (const ask of one.tool_calls) ask.id = null;
    });
    expect(tools.map((tool) => [tool.tool, tool.call_id, tool.sources])).toEqual([
      ["read", "call_read_1", ["gateway", "agent"]],
      ["edit", "call_edit_2", ["gateway", "agent"]],
      ["bash", "call_bash_3", ["gateway", "agent"]],
    ]);
  });

  it("shows what only one side tells", async () => {
    const { tools } = await summaryOf((parts) => {
      parts.events = [call("m9", "call_forged", { status: "completed", output: "x" })];
    });
    expect(tools.map((tool) => [tool.call_id, tool.status, tool.sources])).toEqual([
      ["call_read_1", "unknown", ["gateway"]],
      ["call_edit_2", "unknown", ["gateway"]],
      ["call_bash_3", "unknown", ["gateway"]],
      ["call_forged", "completed", ["agent"]],
    ]);
  });
});

describe("anomalies", () => {
  it.each<[string, (parts: CaptureParts) => void]>([
    ["execution_error", (parts) => void (parts.run.execution_error = "no image")],
    ["timeout", (parts) => void (parts.run.end_reason = "time-limit")],
    ["idle", (parts) => void (parts.run.end_reason = "idle-limit")],
    ["interrupted", (parts) => void (parts.run.end_reason = "interrupted")],
    ["supervisor_lost", (parts) => void (parts.run.end_reason = "supervisor-lost")],
    ["engine_lost", (parts) => void (parts.run.end_reason = "engine-lost")],
    ["model_unreachable", (parts) => void (parts.run.end_reason = "model-unreachable")],
    ["token_limit", (parts) => void (parts.run.end_reason = "token-limit")],
    ["disk_limit", (parts) => void (parts.run.end_reason = "disk-limit")],
    ["disk_full", (parts) => void (parts.run.end_reason = "disk-full")],
    ["unfinished", (parts) => void (parts.run.finished_at = null)],
    ["capture_invalid", (parts) => void (parts.run.capture_valid = false)],
    ["oom", (parts) => void (parts.run.kernel_counters.oom_kills = 1)],
    ["pids_limit", (parts) => void (parts.run.kernel_counters.pids_limit_hits = 3)],
    ["output_truncated", (parts) => void (parts.run.output.truncated = true)],
    ["permission_rejected", (parts) => void parts.events.push(busEvent(6, "permission.replied", { reply: "reject" }))],
    ["agent_error", (parts) => void parts.events.push(busEvent(6, "session.error", { error: { name: "APIError" } }))],
    ["model_errors", (parts) => void Object.assign(parts.exchanges[1] ?? {}, { status: 500 })],
    [
      "sensitive_paths_touched",
      (parts) => void Object.assign(parts.fsDiff?.changes[0] ?? {}, { sensitive_path: true }),
    ],
    ["export_failed", (parts) => void (parts.run.export_saved = false)],
    ["missing_native_events", (parts) => void (parts.events = [])],
    ["native_events_dropped", (parts) => void (parts.run.native_events.sequence_gaps = 2)],
    ["plugin_not_loaded", (parts) => void (parts.run.native_events.plugin_alive = false)],
    ["invalid_native_events", (parts) => void (parts.run.native_events.invalid = 2)],
    ["evidence_problem", (parts) => void (parts.network = null)],
    ["report_error", (parts) => void (parts.run.report_error = "disk full")],
  ])("names %s", async (code, change) => {
    expect(await codesOf(change)).toContain(code);
  });

  it("says it when nothing tells what was seen", async () => {
    const { anomalies, completeness } = await summaryOf((parts) => {
      parts.completeness = null;
    });
    expect(completeness).toBeNull();
    expect(anomalies).toMatchObject([{ code: "incomplete_observation", params: { class: "all" } }]);
  });

  it("stands worst first", async () => {
    const { anomalies } = await summaryOf((parts) => {
      parts.run.execution_error = "no";
      parts.run.end_reason = "time-limit";
    });
    expect(anomalies.map((one) => one.level)).toEqual(
      anomalies.map((one) => one.level).toSorted((a, b) => rank(a) - rank(b)),
    );
  });
});

function rank(level: string): number {
  return ["error", "warning", "info"].indexOf(level);
}

describe("captures of the earlier program", () => {
  it("are summarised, and the empty network is no statement that there was none", async () => {
    const summary = await buildSummary(path.join(LEGACY, "20261122T161530Z-fix_math_utils"));
    expect(summarySchema.parse(summary)).toEqual(summary);
    expect(summary.run).toMatchObject({
      session_id: "ses_dfbf3de1effe4bK4zamVRAPVaE",
      title: "Fix the broken add helper",
    });
    expect(summary.final_message).toBe("All done.");
    expect(summary.counts).toMatchObject({ significant_total: 36, noise_total: 58, tools_total: 1, files_total: 2 });
    const levels = Object.fromEntries(summary.completeness?.classes.map((one) => [one.class, one]) ?? []);
    expect(levels["process"]).toMatchObject({ level: "sampled" });
    expect(levels["network"]).toMatchObject({
      level: "absent",
      reason: expect.stringMatching(/98 looks.*can't be told/),
    });
    expect(summary.anomalies.map((one) => one.code)).toEqual(
      expect.arrayContaining(["export_failed", "sensitive_paths_touched"]),
    );
  });

  it("keep their error when the container never started", async () => {
    const summary = await buildSummary(path.join(LEGACY, "20261122T161456Z-fix_math_utils"));
    expect(summary.anomalies[0]).toMatchObject({
      code: "execution_error",
      message: expect.stringMatching(/Unable to find image/),
    });
    expect(summary.completeness?.classes.filter((one) => one.level === "absent").map((one) => one.class)).toEqual(
      expect.arrayContaining(["process", "network", "native-events"]),
    );
  });
});

describe("bounds", () => {
  it("keeps the first and the last of many events, and the true totals", async () => {
    const many = 30_000;
    const summary = await summaryOf((parts) => {
      parts.events = Array.from({ length: many }, (_, n) =>
        busEvent(n / 1000, "session.status", { status: { type: `s${n}` } }),
      );
    });
    const kept = summary.timeline.filter((entry) => entry.source === "agent");
    expect(kept).toHaveLength(TIMELINE_SHARE.nativeHead + TIMELINE_SHARE.nativeTail);
    expect(kept.at(0)?.title).toBe("s0");
    expect(kept.at(-1)?.title).toBe(`s${many - 1}`);
    expect(summary.counts).toMatchObject({ significant_total: many, by_type: { "session.status": many } });
    expect(summary.truncated).toContain("timeline");
    expect(summary.timeline.length).toBeLessThanOrEqual(LIMITS.timeline);
  });

  it("counts invented types together", async () => {
    const { counts } = await summaryOf((parts) => {
      parts.events = Array.from({ length: 1500 }, (_, n) => eventSample(1, `type.${n}`, {}));
    });
    expect(Object.keys(counts.by_type)).toHaveLength(1001);
    expect(counts.by_type["(other)"]).toBe(500);
  });

  it("takes a type called __proto__ as a name like any other", async () => {
    const { counts } = await summaryOf((parts) => {
      parts.events = [eventSample(1, "__proto__", {}), eventSample(1, "constructor", { properties: 1 })];
    });
    expect(Object.entries(counts.by_type)).toEqual([
      ["__proto__", 1],
      ["constructor", 1],
    ]);
  });
});

describe("writing", () => {
  it("writes derived/summary.json and nothing else", async () => {
    const dir = makeCapture(root, "20261122T162000Z-fix_math_utils");
    const before = new Set(fs.readdirSync(dir, { recursive: true, encoding: "utf8" }));
    const summary = await writeSummary(dir);
    expect(JSON.parse(fs.readFileSync(path.join(dir, LAYOUT.summary), "utf8"))).toEqual(summary);
    expect(new Set(fs.readdirSync(dir, { recursive: true, encoding: "utf8" }))).toEqual(
      before.add("derived/summary.json"),
    );
  });

  it("does not write through a link", async () => {
    const dir = makeCapture(root, "20261122T162000Z-fix_math_utils");
    const elsewhere = path.join(root, "elsewhere");
    fs.mkdirSync(elsewhere);
    fs.rmdirSync(path.join(dir, "derived"));
    fs.symlinkSync(elsewhere, path.join(dir, "derived"));
    await expect(writeSummary(dir)).rejects.toThrow(/link/);
    expect(fs.readdirSync(elsewhere)).toEqual([]);
  });
});
