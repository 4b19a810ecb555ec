import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderDoctorReport } from "../../src/cli/doctor/report.ts";
import { createProgress } from "../../src/cli/progress.ts";
import { runSummaryLines } from "../../src/cli/run-summary.ts";
import { showLines } from "../../src/cli/show-capture.ts";
import { CaptureError } from "../../src/core/errors.ts";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { printableJson, visible } from "../../src/schema/display.ts";
import { DESCRIBED_FILES } from "../../src/schema/files.ts";
import { type RunRecord, runRecord } from "../../src/schema/run.ts";
import { summary as summarySchema } from "../../src/schema/summary.ts";
import { buildSummary, writeSummary } from "../../src/summary/build-summary.ts";
import { fillSchema } from "../support/fill-schema.ts";
import { makeFilledCapture } from "../support/filled-capture.ts";
import { CHEATS, obeyedIn } from "../support/terminal-safety.ts";

const PROJECT = path.resolve(import.meta.dirname, "../..");
let root: string;
const captures: { cheat: string; text: string; name: string; dir: string }[] = [];

beforeAll(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "hostile-terminal-")));
  for (const [index, [cheat, text]] of Object.entries(CHEATS).entries()) {
    const name = `20261122T1620${String(index).padStart(2, "0")}Z-hostile`;
    captures.push({ cheat, text, name, ...makeFilledCapture(root, name, text) });
  }
});
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

function cli(...args: string[]) {
  const env = { ...process.env, OPENCODE_CAPTURE_CAPTURE_ROOT: root };
  const result = spawnSync(process.execPath, ["src/cli/main.ts", ...args], {
    cwd: PROJECT,
    encoding: "utf8",
    env,
    maxBuffer: 1 << 28,
  });
  return { code: result.status, out: result.stdout, all: `${result.stdout}${result.stderr}` };
}

describe("the checker", () => {
  it("sees each text that is meant for terminals when nobody has made it visible", () => {
    const cheating = Object.entries(CHEATS).filter(([, text]) => obeyedIn(text).length > 0);
    expect(cheating.map(([cheat]) => cheat)).toEqual([
      "terminal commands",
      "bidi override",
      "zero width",
      "line and paragraph separators",
      "lone surrogate",
    ]);
    for (const [, text] of cheating) expect(obeyedIn(visible(text))).toEqual([]);
  });

  it("sees it in a listing that shows names as they are", () => {
    const naive = captures.map(({ dir }) => {
      const { issue_title } = runRecord.parse(JSON.parse(fs.readFileSync(path.join(dir, LAYOUT.run), "utf8")));
      return obeyedIn(`${issue_title}\n`).length > 0;
    });
    expect(naive.filter(Boolean)).toHaveLength(5);
  });

  it("stands on every free text of every schema", () => {
    for (const { path: file, schema } of DESCRIBED_FILES) {
      const { places, formed } = fillSchema(schema, "x\u202ey");
      expect([file, places.size > 3]).toEqual([file, true]);
      // What takes no such text has a form of its own: ids, hashes.
      expect([...formed].filter((place) => !/id$|ID$|sha256|sessions|digest/i.test(place))).toEqual([]);
    }
  });
});

describe("F03: no output obeys what an agent has made", () => {
  it("list, for people and as JSON", () => {
    const { code, out, all } = cli("list");
    expect(code).toBe(0);
    expect(out.trim().split("\n")).toHaveLength(captures.length);
    expect(obeyedIn(all)).toEqual([]);
    const json = cli("list", "--json");
    expect(obeyedIn(json.all)).toEqual([]);
    expect(JSON.parse(json.out)).toHaveLength(captures.length);
  });

  it("show", async () => {
    for (const { dir, cheat } of captures) {
      const lines = showLines(dir, await buildSummary(dir));
      expect([cheat, obeyedIn(lines.join(""))]).toEqual([cheat, []]);
      expect(lines.filter((line) => /[\n\t]/.test(line))).toEqual([]);
      expect(lines.every((line) => line.length < 3000)).toBe(true);
    }
  });

  it("show --json, with the same values", async () => {
    for (const { dir, name } of captures) {
      const { out, all } = cli("show", name, "--json");
      expect(obeyedIn(all)).toEqual([]);
      const { generated_at: _, ...told } = JSON.parse(out) as Record<string, unknown>;
      const { generated_at: __, ...made } = await buildSummary(dir);
      expect(told).toEqual(JSON.parse(JSON.stringify(made)));
    }
  });

  it("show and the summary of a run, on a summary that is filled itself", async () => {
    for (const [index, { dir, text }] of captures.entries()) {
      const summary = summarySchema.parse(fillSchema(summarySchema, text, index).value);
      expect(obeyedIn(showLines(dir, summary).join(""))).toEqual([]);
      fs.writeFileSync(path.join(dir, LAYOUT.summary), JSON.stringify(summary));
      const record = runRecord.parse(fillSchema(runRecord, text, index).value);
      expect(obeyedIn((await runSummaryLines(dir, record)).join(""))).toEqual([]);
    }
  });

  it("the summary of a run", async () => {
    for (const { dir } of captures) {
      await writeSummary(dir);
      const record: RunRecord = runRecord.parse(JSON.parse(fs.readFileSync(path.join(dir, LAYOUT.run), "utf8")));
      const lines = await runSummaryLines(dir, record);
      expect(lines.length).toBeGreaterThan(8);
      expect(obeyedIn(lines.join(""))).toEqual([]);
    }
  });

  it.each([true, false])("progress and the table of run-all (terminal: %s)", (isTTY) => {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 80 });
    const progress = createProgress(stream as unknown as NodeJS.WriteStream);
    for (const { text } of captures) {
      progress.status(text);
      progress.line(`[1/2] severe ${text}: FAILED, ${text}`);
    }
    progress.close();
    const written = String(stream.read());
    // On a terminal it clears its own status line and dims it.
    const ours = ["\r\u001b[K", "\u001b[2m", "\u001b[22m"];
    const rest = isTTY ? ours.reduce((output, own) => output.replaceAll(own, ""), written) : written;
    expect(rest.length).toBeGreaterThan(1000);
    expect(obeyedIn(rest)).toEqual([]);
  });

  it("doctor", () => {
    for (const { text } of captures) {
      const checks = [{ id: "a", title: "Engine", ok: "no" as const, detail: text, fix: text }];
      const report = { generated_at: "x", tool_version: "1", ready: false, checks };
      expect(obeyedIn(renderDoctorReport(report))).toEqual([]);
      expect(JSON.parse(printableJson(report))).toEqual(report);
    }
  });

  it("errors, whatever was asked for", () => {
    // All of them at once: each call is a process.
    const text = captures.map((one) => one.text.replaceAll("\0", "").slice(0, 300)).join("");
    expect(obeyedIn(text).length).toBeGreaterThan(20);
    for (const args of [
      ["show", text],
      ["run", "--issue", text],
      ["run", "--issue", "fix_math_utils", "--model", text],
      ["list", `--${text}`],
      [text],
    ]) {
      const { code, all } = cli(...args);
      expect(code).toBe(2);
      expect([args[0], obeyedIn(all)]).toEqual([args[0], []]);
    }
  });

  it("tasks check, for people and as JSON", () => {
    const file = path.join(root, "issues.json");
    const issues = captures.map(({ text }) => ({
      id: text,
      title: text,
      prompt: text,
      risk_level: text,
      files: [text],
    }));
    fs.writeFileSync(file, JSON.stringify(issues));
    for (const args of [[], ["--json"]]) {
      const { code, all } = cli("tasks", "check", "--issues-path", file, ...args);
      expect(code).toBe(2);
      expect(obeyedIn(all)).toEqual([]);
    }
  });
});

it("an error's own text and hint are made visible where they are printed", () => {
  // Thrown far from the terminal, with what a file or an engine said.
  const error = new CaptureError("internal", CHEATS["terminal commands"] ?? "", { hint: CHEATS["bidi override"] });
  expect(obeyedIn(error.message).length).toBeGreaterThan(3);
  expect(obeyedIn(visible(error.message) + visible(error.hint ?? ""))).toEqual([]);
});
