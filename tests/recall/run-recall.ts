import * as fs from "node:fs";
import * as path from "node:path";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { type CaptureEvent, captureEvent } from "../../src/schema/event.ts";
import { readCapture } from "../support/captures.ts";
import { captureDirOf, runCli } from "../support/cli.ts";
import type { TempProject } from "../support/temp-project.ts";
import { type KeptContents, readKeptContents } from "./contents.ts";
import { type LedgerLine, readLedger } from "./ledger.ts";
import { readSeenNames, type SeenNames } from "./names.ts";
import { ObservedProcesses } from "./observed.ts";

export const PODMAN = { OPENCODE_CAPTURE_ENGINE: "podman" };
/** A busy machine may make a run take many times as long; nothing here is about time. */
export const RUN_OPTIONS = ["--timeout-seconds", "1500", "--idle-seconds", "600"];

/** A finished capture of the suite, read anew from the disk. */
export interface RecallCapture {
  capture: ReturnType<typeof readCapture>;
  events: CaptureEvent[];
  processes: ObservedProcesses;
  ledger: Map<string, LedgerLine>;
  contents: KeptContents;
  names: SeenNames;
}

/** Runs a project with the real OpenCode and reads what was captured. */
export async function captureRun(project: TempProject, options: readonly string[] = []): Promise<RecallCapture> {
  const result = await runCli(["run", "--issue", "probe", ...RUN_OPTIONS, ...options, ...project.options], PODMAN);
  if (result.code !== 0) throw new Error(`run ended with ${result.code}:\n${result.stderr}`);
  return readRecallCapture(captureDirOf(result));
}

export function readRecallCapture(dir: string): RecallCapture {
  const capture = readCapture(dir);
  const file = path.join(dir, LAYOUT.events);
  const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  const events = lines.map((line) => captureEvent.parse(JSON.parse(line)));
  const ledger = readLedger(dir, capture.exchanges);
  return {
    capture,
    events,
    processes: new ObservedProcesses(events),
    ledger,
    contents: readKeptContents(dir),
    names: readSeenNames(dir),
  };
}
