import * as fs from "node:fs";
import * as path from "node:path";
import { CaptureError, errnoOf, errorMessage } from "../core/errors.ts";
import type { CaptureListEntry } from "../schema/page.ts";
import type { RunView } from "../schema/view.ts";
import { LAYOUT, RUNS_DIRECTORY } from "./layout.ts";
import { type OpenCapture, openCapture, readRunKeys } from "./reader.ts";

/** What a capture's name looks like: time, issue, and a number where two began in one second. */
const CAPTURE_NAME = /^\d{8}T\d{6}Z-./;

/**
 * Names of the captures below `root`, newest first. Links are left out: they could point anywhere.
 * A root that does not exist holds none.
 * @throws CaptureError `capture-root` when the directory can't be read.
 */
export function captureNames(root: string): string[] {
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(root, { withFileTypes: true });
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw new CaptureError("capture-root", `cannot read ${root}: ${errorMessage(error)}`, { cause: error });
  }
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== RUNS_DIRECTORY && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .filter((name) => CAPTURE_NAME.test(name) || fs.existsSync(path.join(root, name, LAYOUT.run)))
    .sort((a, b) => (a < b ? 1 : -1));
}

const LIST_KEYS = [
  "issue_id",
  "issue_title",
  "risk_level",
  "started_at",
  "finished_at",
  "duration_seconds",
  "run_status",
  "end_reason",
  "capture_valid",
  "completeness",
  "model",
  "native_events_status",
] as const;

type ListFacts = Pick<RunView, (typeof LIST_KEYS)[number] | "schema_version">;

/** The few facts of one capture that a list shows; reads meta/run.json only. */
export function readListEntry(root: string, name: string): CaptureListEntry {
  const loaded = readRunKeys({ dir: path.join(fs.realpathSync.native(root), name), name }, LIST_KEYS);
  const run = loaded.value;
  const problem = loaded.problems[0]?.message ?? null;
  return run === null ? { ...NOTHING, name, problem: problem ?? "unknown" } : entryOf(name, run);
}

const NOTHING: Omit<CaptureListEntry, "name"> = {
  issueId: null,
  title: null,
  riskLevel: null,
  startedAt: null,
  durationSeconds: null,
  runStatus: null,
  endReason: null,
  captureValid: null,
  completeness: null,
  model: null,
  nativeEventsStatus: null,
  formatVersion: null,
  finished: true,
  problem: null,
};

function entryOf(name: string, run: ListFacts): CaptureListEntry {
  return {
    name,
    issueId: run.issue_id,
    title: run.issue_title,
    riskLevel: run.risk_level,
    startedAt: run.started_at,
    durationSeconds: run.duration_seconds,
    runStatus: run.run_status,
    endReason: run.end_reason,
    captureValid: run.capture_valid,
    completeness: run.completeness,
    model: run.model?.requested ?? null,
    nativeEventsStatus: run.native_events_status,
    formatVersion: run.schema_version,
    finished: run.finished_at !== null,
    problem: null,
  };
}

/** All captures below `root`, newest first. */
export function listCaptures(root: string): CaptureListEntry[] {
  return captureNames(root).map((name) => readListEntry(root, name));
}

/**
 * Finds the capture that a person means: a directory, a name below the capture root, the unique beginning of one
 * (with or without its time), or `latest`.
 * @throws CaptureError `capture-not-found`, with what there is.
 */
export function findCapture(root: string, wanted: string): OpenCapture {
  const names = captureNames(root);
  if (names.includes(wanted)) return openCapture(path.join(root, wanted));
  const [latest] = names;
  if (wanted === "latest") {
    if (latest === undefined) throw notFound(`there are no captures in ${root}`);
    return openCapture(path.join(root, latest));
  }
  if (fs.existsSync(wanted)) return openCapture(wanted);
  const found = names.filter((name) => name.startsWith(wanted) || name.replace(CAPTURE_TIME, "").startsWith(wanted));
  const [only] = found;
  if (found.length === 1 && only !== undefined) return openCapture(path.join(root, only));
  if (found.length === 0) throw notFound(`no capture '${wanted}' in ${root}`);
  const some = found.slice(0, 5).join(", ");
  throw notFound(`'${wanted}' may be ${found.length} captures: ${some}${found.length > 5 ? ", …" : ""}`);
}

const CAPTURE_TIME = /^\d{8}T\d{6}Z-/;

function notFound(message: string): CaptureError {
  return new CaptureError("capture-not-found", message, { hint: "list the captures: opencode-capture list" });
}
