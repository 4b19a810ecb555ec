import * as fs from "node:fs";
import * as path from "node:path";
import { errorMessage } from "../../core/errors.ts";
import { shorten, visible } from "../../schema/display.ts";
import { sessionId } from "../../schema/native-event.ts";
import { copyUntrustedFile } from "./copy-untrusted-file.ts";
import { placeExports, writeExportLogs } from "./place-exports.ts";
import { WORK_FILES } from "./reader-result.ts";
import { exportCompleteness, NOTHING, type Partly, type SessionExportResult } from "./session-export-result.ts";
import { SessionReader } from "./session-reader.ts";

export type { SessionExportResult } from "./session-export-result.ts";

const STORE = [".local", "share", "opencode"] as const;

export interface SessionExportLimits {
  /** Largest database and write-ahead log that are read. */
  storeBytes: number;
  /** Largest export of one session. */
  sessionBytes: number;
  /** All exports of the run together. */
  totalBytes: number;
  sessions: number;
  timeMs: number;
}

export const DEFAULT_EXPORT_LIMITS: SessionExportLimits = {
  storeBytes: 512 << 20,
  sessionBytes: 128 << 20,
  totalBytes: 512 << 20,
  sessions: 200,
  timeMs: 30_000,
};

export interface SessionExportOptions {
  /** The agent's home on this side; everything in it is the agent's. */
  homeDir: string;
  captureDir: string;
  /** Root session by the native events. Without it (or when it is not in the store) the oldest session is the root. */
  rootSessionId?: string | null;
  signal?: AbortSignal;
  /** Started ahead to save its start-up time (about 0.3 s); used once. */
  reader?: SessionReader;
  limits?: Partial<SessionExportLimits>;
  /** Directory for the private copy; default: beside the home, in the run's private directory. */
  workParent?: string;
  /**
   * Second way to an export when the store can't be read: runs `opencode export <id>` somewhere and leaves what it printed
   * in a regular file.
   */
  fallback?: (sessionId: string) => Promise<{ exitCode: number | null; stdoutFile: string }>;
}

/**
 * Exports the agent's sessions from its session store, as `opencode export` would print them, byte for byte. Writes
 * logs/opencode_export.stdout.log (the raw root session), logs/opencode_export.stderr.log (what was done),
 * session/export.json (the same, when it is a valid export) and session/children/<id>.json. Call it after the agent's last
 * process is dead. Never throws because of what the agent left behind.
 */
export async function exportSessions(options: SessionExportOptions): Promise<SessionExportResult> {
  const log: string[] = [];
  const reader = options.reader ?? new SessionReader();
  let workDir: string | undefined;
  let result = NOTHING;
  try {
    workDir = fs.mkdtempSync(path.join(options.workParent ?? path.dirname(options.homeDir), "export-"));
    fs.mkdirSync(path.join(workDir, WORK_FILES.sessions));
    result = await readStore(options, workDir, log, reader);
    if (!result.saved && options.fallback !== undefined) result = await useFallback(options, workDir, log, result);
  } catch (error) {
    result = { ...result, reason: visible(shorten(errorMessage(error), 300)) };
  } finally {
    reader.stop();
    if (workDir !== undefined) fs.rmSync(workDir, { recursive: true, force: true });
  }
  if (result.reason !== undefined) log.push(`not saved: ${result.reason}`);
  try {
    writeExportLogs(options.captureDir, log);
  } catch (error) {
    // What was exported stands; only the account of it is missing.
    result = { ...result, reason: result.reason ?? errorMessage(error) };
  }
  return { ...result, completeness: exportCompleteness(result) };
}

async function readStore(
  options: SessionExportOptions,
  workDir: string,
  log: string[],
  reader: SessionReader,
): Promise<Partly> {
  const limits = { ...DEFAULT_EXPORT_LIMITS, ...options.limits };
  for (const suffix of ["", "-wal"]) {
    const name = `${WORK_FILES.database}${suffix}`;
    const copy = copyUntrustedFile(options.homeDir, [...STORE, name], path.join(workDir, name), limits.storeBytes);
    log.push(copy.kind === "copied" ? `${name}: ${copy.bytes} bytes copied` : `${name}: ${copy.kind}`);
    if (copy.kind === "refused") return { ...NOTHING, reason: `${name} was not read: ${copy.reason}` };
    if (copy.kind === "absent" && suffix === "") return { ...NOTHING, reason: "the agent left no session store" };
  }
  return readAndPlace(options, workDir, log, "store", reader);
}

async function useFallback(
  options: SessionExportOptions,
  workDir: string,
  log: string[],
  before: Partly,
): Promise<Partly> {
  const id = sessionId.safeParse(before.sessionId ?? options.rootSessionId);
  if (!id.success || options.fallback === undefined) return before;
  log.push(`the store could not be used (${before.reason ?? "unknown"}); running opencode export ${id.data}`);
  const made = await options.fallback(id.data);
  log.push(`opencode export ended with ${made.exitCode}`);
  if (made.exitCode !== 0) return { ...before, exitCode: made.exitCode };
  const { sessionBytes } = { ...DEFAULT_EXPORT_LIMITS, ...options.limits };
  const parts = [path.basename(made.stdoutFile)] as const;
  const target = path.join(workDir, WORK_FILES.export);
  const copy = copyUntrustedFile(path.dirname(made.stdoutFile), parts, target, sessionBytes);
  if (copy.kind !== "copied") return { ...before, reason: `the export is not readable: ${copy.kind}` };
  return readAndPlace(options, workDir, log, "file", new SessionReader());
}

async function readAndPlace(
  options: SessionExportOptions,
  workDir: string,
  log: string[],
  mode: "store" | "file",
  reader: SessionReader,
): Promise<Partly> {
  const limits = { ...DEFAULT_EXPORT_LIMITS, ...options.limits };
  const wanted = sessionId.safeParse(options.rootSessionId);
  const order = {
    workDir,
    mode,
    rootSessionId: wanted.data ?? null,
    maxSessionBytes: limits.sessionBytes,
    maxTotalBytes: limits.totalBytes,
    maxSessions: limits.sessions,
  };
  const run = await reader.run(order, limits.timeMs, options.signal);
  log.push(...run.log);
  if (run.result === undefined) return { ...NOTHING, exitCode: run.exitCode, reason: run.failure };
  return placeExports(options.captureDir, workDir, run.result, run.exitCode);
}
