import * as fs from "node:fs";
import * as path from "node:path";
import { LAYOUT } from "../evidence/layout.ts";
import { readLines } from "../evidence/reader-lines.ts";
import { exchange } from "../schema/exchange.ts";
import { ClaimTally } from "../sensors/agent-events/claim-tally.ts";

/** Longest line that is looked into. */
const MAX_LINE_BYTES = 64 << 20;

interface LostLines {
  lines: number;
  valid: number;
  bytes: number;
}

/** What the streams of a capture hold whose supervisor was killed. */
export interface LostStreams {
  stdoutBytes: number;
  stderrBytes: number;
  events: LostLines;
  exchanges: LostLines;
  /** Lines of observations/events.jsonl. */
  kernelEvents: number;
  pluginAlive: boolean;
  pluginDisposed: boolean;
  sessionId: string | null;
  exportSaved: boolean;
  /** Lines that were cut in the middle, and bodies of exchanges that are on no line, in words. */
  faults: string[];
}

/** Counts the lines of a capture's streams; changes nothing. */
export async function countLostStreams(captureDir: string): Promise<LostStreams> {
  const faults: string[] = [];
  const tally = new ClaimTally();
  const events = await countLines(captureDir, LAYOUT.nativeEvents, faults, (text) => {
    const before = tally.validCount;
    tally.add(Buffer.from(text), true);
    return tally.validCount > before;
  });
  const exchanges = await countLines(captureDir, LAYOUT.exchanges, faults, isExchange);
  const kernelEvents = await countLines(captureDir, LAYOUT.events, faults, () => true);
  const bodies = unfinishedBodies(captureDir);
  if (bodies > 0) faults.push(`${bodies} bodies of exchanges that were open stand in model/bodies as .unfinished`);
  return {
    stdoutBytes: sizeOf(captureDir, LAYOUT.stdoutLog),
    stderrBytes: sizeOf(captureDir, LAYOUT.stderrLog),
    events,
    exchanges,
    kernelEvents: kernelEvents.lines,
    pluginAlive: tally.pluginAlive,
    pluginDisposed: tally.pluginDisposed,
    sessionId: tally.rootSessionId,
    exportSaved: fs.existsSync(path.join(captureDir, LAYOUT.sessionExport)),
    faults,
  };
}

async function countLines(
  captureDir: string,
  file: string,
  faults: string[],
  isValid: (text: string) => boolean,
): Promise<LostLines> {
  const count: LostLines = { lines: 0, valid: 0, bytes: sizeOf(captureDir, file) };
  await readLines(captureDir, file, MAX_LINE_BYTES, (line) => {
    count.lines++;
    if (line.text !== undefined && isValid(line.text)) count.valid++;
    if (!line.ended) faults.push(`the last line of ${file} was cut in the middle`);
  });
  return count;
}

function isExchange(text: string): boolean {
  try {
    return exchange.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

function unfinishedBodies(captureDir: string): number {
  const dir = path.join(captureDir, path.dirname(LAYOUT.exchanges), "bodies");
  if (!fs.existsSync(dir)) return 0;
  return fs.readdirSync(dir).filter((name) => name.endsWith(".unfinished")).length;
}

function sizeOf(captureDir: string, file: string): number {
  return fs.statSync(path.join(captureDir, file), { throwIfNoEntry: false })?.size ?? 0;
}
