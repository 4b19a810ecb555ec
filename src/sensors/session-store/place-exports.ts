import * as fs from "node:fs";
import * as path from "node:path";
import { copyFileAtomic, writeFileAtomic } from "../../core/atomic-file.ts";
import { storage } from "../../core/storage.ts";
import { LAYOUT } from "../../evidence/layout.ts";
import { visibleLines } from "../../schema/display.ts";
import { type ReaderResult, WORK_FILES } from "./reader-result.ts";
import type { Partly } from "./session-export-result.ts";

const CHILDREN = "session/children";

/** Moves the exported files to where they belong. The ids were checked, so they are safe as names. */
export function placeExports(captureDir: string, workDir: string, read: ReaderResult, exitCode: number | null): Partly {
  const fileOf = (id: string) => path.join(workDir, WORK_FILES.sessions, `${id}.json`);
  const root = read.sessions.find((session) => session.id === read.root);
  const children = read.sessions.filter((session) => session !== root && session.fault === null);
  const dir = path.join(captureDir, CHILDREN);
  if (children.length > 0 && !fs.existsSync(dir)) storage().makeDirectory(dir, 0o755);
  for (const child of children) move(fileOf(child.id), path.join(captureDir, CHILDREN, `${child.id}.json`));
  const saved = root !== undefined && root.fault === null;
  if (root !== undefined) {
    const raw = path.join(captureDir, LAYOUT.exportStdoutLog);
    move(fileOf(root.id), raw);
    if (saved) copyFileAtomic(raw, path.join(captureDir, LAYOUT.sessionExport));
  }
  return {
    saved,
    exitCode,
    sessionId: read.root,
    children: children.map((child) => child.id),
    skipped: read.skipped,
    reason: saved ? undefined : (root?.fault ?? read.reason ?? "the root session could not be exported"),
    outcome: read.outcome,
    opencodeVersion: read.opencodeVersion,
  };
}

function move(from: string, to: string): void {
  copyFileAtomic(from, to);
  fs.rmSync(from);
}

/** What was printed and what was done, also when nothing could be exported. */
export function writeExportLogs(captureDir: string, log: readonly string[]): void {
  const stdout = path.join(captureDir, LAYOUT.exportStdoutLog);
  if (!fs.existsSync(stdout)) writeFileAtomic(stdout, "");
  writeFileAtomic(path.join(captureDir, LAYOUT.exportStderrLog), `${visibleLines(log.join("\n"))}\n`);
}
