import * as fs from "node:fs";
import * as path from "node:path";
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
  if (children.length > 0) fs.mkdirSync(path.join(captureDir, CHILDREN), { recursive: true });
  for (const child of children) move(fileOf(child.id), path.join(captureDir, CHILDREN, `${child.id}.json`));
  const saved = root !== undefined && root.fault === null;
  if (root !== undefined) {
    const raw = path.join(captureDir, LAYOUT.exportStdoutLog);
    move(fileOf(root.id), raw);
    if (saved) fs.copyFileSync(raw, path.join(captureDir, LAYOUT.sessionExport), fs.constants.COPYFILE_FICLONE);
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

/** A rename where both are on one file system, else a copy. */
function move(from: string, to: string): void {
  fs.copyFileSync(from, to, fs.constants.COPYFILE_FICLONE);
  fs.chmodSync(to, 0o644);
  fs.rmSync(from);
}

/** What was printed and what was done, also when nothing could be exported. */
export function writeExportLogs(captureDir: string, log: readonly string[]): void {
  const stdout = path.join(captureDir, LAYOUT.exportStdoutLog);
  if (!fs.existsSync(stdout)) fs.writeFileSync(stdout, "");
  fs.writeFileSync(path.join(captureDir, LAYOUT.exportStderrLog), `${visibleLines(log.join("\n"))}\n`);
}
