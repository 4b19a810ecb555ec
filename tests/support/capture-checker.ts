import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type * as z from "zod";
import { hasRequiredObservations } from "../../src/evidence/capture-directory.ts";
import { LAYOUT, RUNS_DIRECTORY } from "../../src/evidence/layout.ts";
import { LABEL } from "../../src/sandbox/container-spec.ts";
import { containerRecord } from "../../src/schema/container.ts";
import { type Exchange, exchange } from "../../src/schema/exchange.ts";
import { fileContents } from "../../src/schema/file-contents.ts";
import { type Completeness, completeness, fsDiff, network, processTree } from "../../src/schema/observations.ts";
import { type RunRecord, runRecord } from "../../src/schema/run.ts";
import { summary } from "../../src/schema/summary.ts";

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  [LAYOUT.run]: runRecord,
  [LAYOUT.container]: containerRecord,
  [LAYOUT.processTree]: processTree,
  [LAYOUT.network]: network,
  [LAYOUT.fileContents]: fileContents,
  [LAYOUT.fsDiff]: fsDiff,
  [LAYOUT.completeness]: completeness,
  [LAYOUT.summary]: summary,
};
/** Classes of which every capture must say how well they were seen. */
const STATED = ["process", "network", "file-workspace", "file-outside", "model", "agent-output"] as const;

export interface CheckOptions {
  /** Accepted runs, each of which must have left exactly one capture. */
  captures: number;
  /** Program that lists containers, when there may be some. */
  engineBin?: string;
}

/**
 * Looks at a capture root after a fault and the start that followed it.
 * @returns everything that a capture must never be: missing, double, unfinished, half written, or silently short.
 */
export function faultsOf(captureRoot: string, options: CheckOptions): string[] {
  const faults: string[] = [];
  const entries = fs.existsSync(captureRoot) ? fs.readdirSync(captureRoot) : [];
  const names = entries.filter((name) => !name.startsWith("."));
  if (names.length !== options.captures) faults.push(`${names.length} captures instead of ${options.captures}`);
  const runs = path.join(captureRoot, RUNS_DIRECTORY);
  const left = fs.existsSync(runs) ? fs.readdirSync(runs) : [];
  if (left.length > 0) faults.push(`left in ${RUNS_DIRECTORY}: ${left.join(", ")}`);
  for (const name of names) {
    const check = new CaptureCheck(path.join(captureRoot, name), options.engineBin);
    faults.push(...check.faults().map((fault) => `${name}: ${fault}`));
  }
  return faults;
}

class CaptureCheck {
  readonly #dir: string;
  readonly #engineBin: string | undefined;
  readonly #faults: string[] = [];

  constructor(dir: string, engineBin: string | undefined) {
    this.#dir = dir;
    this.#engineBin = engineBin;
  }

  faults(): string[] {
    this.#files();
    const record = this.#json(LAYOUT.run) as RunRecord | undefined;
    if (record === undefined) return [...this.#faults, `${LAYOUT.run} is missing`];
    const stated = this.#json(LAYOUT.completeness) as Completeness | undefined;
    this.#verdict(record, stated);
    if (stated !== undefined) {
      this.#output(record, stated);
      this.#events(record, stated);
      this.#exchanges(record, stated);
      this.#lines(LAYOUT.events, stated, "process");
    }
    this.#derived(record);
    this.#containers(record);
    return this.#faults;
  }

  #expect(holds: boolean, fault: string): void {
    if (!holds) this.#faults.push(fault);
  }

  /** Every JSON file is whole, and nothing lies about that was being written. */
  #files(): void {
    for (const file of filesBelow(this.#dir)) {
      const name = path.basename(file);
      this.#expect(!name.endsWith(".tmp"), `${file} was left by a writer`);
      if (name.endsWith(".json") && !file.startsWith(LAYOUT.workspace)) this.#json(file);
    }
  }

  #json(file: string): unknown {
    let text: string;
    try {
      text = fs.readFileSync(path.join(this.#dir, file), "utf8");
    } catch {
      return undefined;
    }
    try {
      const value: unknown = JSON.parse(text);
      const parsed = SCHEMAS[file]?.safeParse(value);
      if (parsed?.success === false) this.#faults.push(`${file} does not fit its schema: ${parsed.error.message}`);
      return value;
    } catch {
      this.#faults.push(`${file} is half a file`);
      return undefined;
    }
  }

  #verdict(record: RunRecord, stated: Completeness | undefined): void {
    this.#expect(record.finished_at !== null, "the run was never finished");
    this.#expect(record.end_reason !== null, "nothing says how the run ended");
    this.#expect(record.capture_dir === this.#dir, `capture_dir is ${record.capture_dir}`);
    this.#expect(record.capture_valid === hasRequiredObservations(this.#dir), "capture_valid is not true to the files");
    if (stated === undefined) {
      this.#expect(record.completeness === "absent", "completeness without a statement behind it");
      this.#expect(record.end_detail?.includes("not on record") === true, "nothing says why completeness is missing");
      return;
    }
    this.#expect(record.completeness === stated.verdict, "two verdicts on completeness");
    for (const name of STATED) {
      const sensors = stated.classes.filter((entry) => entry.class === name).map((entry) => entry.sensor);
      const failed = stated.gaps.some((gap) => !gap.reason.startsWith("could not be read"));
      this.#expect(sensors.length > 0 || failed, `no statement on ${name}`);
      this.#expect(new Set(sensors).size === sensors.length, `two statements on ${name} of one sensor`);
    }
    this.#expect(
      record.end_reason !== "supervisor-lost" || stated.gaps.some((gap) => gap.class === "all"),
      "a lost supervisor is no gap",
    );
  }

  #isComplete(stated: Completeness, name: string): boolean {
    return stated.classes.some((entry) => entry.class === name && entry.level === "complete");
  }

  #output(record: RunRecord, stated: Completeness): void {
    const found = this.#size(LAYOUT.stdoutLog) + this.#size(LAYOUT.stderrLog);
    const told = record.output.stdout_bytes + record.output.stderr_bytes;
    const lost = stated.classes.find((entry) => entry.class === "agent-output")?.lost ?? 0;
    const known = stated.classes.some((entry) => entry.class === "agent-output" && entry.lost !== null);
    this.#expect(found === told || !this.#isComplete(stated, "agent-output"), `output: ${told} told, ${found} found`);
    if (known) this.#expect(found === told - lost, `output: ${told} told, ${lost} lost, ${found} found`);
  }

  #events(record: RunRecord, stated: Completeness): void {
    const { lines, torn } = this.#lines(LAYOUT.nativeEvents, stated, "native-events");
    this.#expect(
      lines.length + (torn ? 1 : 0) === record.native_events.lines || torn,
      `events: ${record.native_events.lines} told, ${lines.length} found`,
    );
    const status = lines.length === 0 ? "missing" : "present";
    this.#expect(record.native_events_status === status || torn, `events are ${record.native_events_status}`);
  }

  #exchanges(record: RunRecord, stated: Completeness): void {
    const { lines } = this.#lines(LAYOUT.exchanges, stated, "model");
    const told = record.model.exchange_count;
    this.#expect(lines.length <= told, `exchanges: ${told} told, ${lines.length} found`);
    this.#expect(
      lines.length === told || !this.#isComplete(stated, "model"),
      `exchanges: ${told} told, ${lines.length} found`,
    );
    for (const line of lines) this.#bodies(exchange.parse(line));
  }

  #bodies(one: Exchange): void {
    for (const body of [one.request, one.response]) {
      if (body === null || body.file === null) continue;
      const size = this.#size(path.join("model", body.file));
      this.#expect(size === body.bytes || body.truncated, `${body.file}: ${body.bytes} bytes told, ${size} found`);
    }
  }

  /** Every line is whole; half a line at the end must be said to be one. */
  #lines(file: string, stated: Completeness, className: string): { lines: unknown[]; torn: boolean } {
    const target = path.join(this.#dir, file);
    const text = fs.existsSync(target) ? fs.readFileSync(target, "utf8") : "";
    const parts = text.split("\n");
    const torn = parts.pop() !== "";
    this.#expect(!torn || !this.#isComplete(stated, className), `${file} ends in half a line, silently`);
    const lines = parts.flatMap((line, index) => {
      try {
        return [JSON.parse(line) as unknown];
      } catch {
        this.#faults.push(`${file}: line ${index + 1} is broken`);
        return [];
      }
    });
    return { lines, torn };
  }

  #derived(record: RunRecord): void {
    for (const file of [LAYOUT.summary, LAYOUT.report]) {
      const there = fs.existsSync(path.join(this.#dir, file));
      this.#expect(there || record.report_error !== null, `${file} is missing, and nothing says why`);
    }
    const workspace = fs.existsSync(path.join(this.#dir, LAYOUT.workspace));
    this.#expect(!workspace || record.keep_workspace, "the working copy was left");
  }

  #containers(record: RunRecord): void {
    if (this.#engineBin === undefined) return;
    const args = ["ps", "--all", "--quiet", "--filter", `label=${LABEL.run}=${record.run_id}`];
    this.#expect(
      execFileSync(this.#engineBin, args, { encoding: "utf8" }).trim() === "",
      "its container was left behind",
    );
  }

  #size(file: string): number {
    return fs.statSync(path.join(this.#dir, file), { throwIfNoEntry: false })?.size ?? 0;
  }
}

function filesBelow(dir: string): string[] {
  return fs
    .readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)));
}
