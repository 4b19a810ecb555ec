import * as path from "node:path";
import { writeJsonAtomic } from "../../core/atomic-file.ts";
import { isoNow } from "../../core/clock.ts";
import { LAYOUT } from "../../evidence/layout.ts";
import { SCHEMA_VERSION } from "../../schema/common.ts";
import type { FileContents, FileVersion } from "../../schema/file-contents.ts";
import type { Gap } from "../../schema/observations.ts";
import type { BootClock } from "../kernel/boot-clock.ts";
import { textFields } from "../kernel/text.ts";
import type { SensorReport } from "../port.ts";
import type { ContentSpool } from "./content-spool.ts";
import { FinalState, type WatchedDirectory } from "./final-state.ts";
import { ContentKeeper } from "./keep-contents.ts";
import { witnessStatement } from "./statements.ts";
import type { Version, VersionLog } from "./version-log.ts";

/** What the witness noted of its own work. */
export interface Books {
  from: string;
  to: string;
  directories: string[];
  unproven: number;
  received: number;
  closes: number | null;
  unreadable: number;
  /** When the kernel's queue was found full. */
  overflows: string[];
  death: { at: string; reason: string } | undefined;
}

export interface ReportOptions {
  captureDir: string;
  directories: readonly WatchedDirectory[];
  keptBytes: number;
  hashes: ReadonlySet<string>;
  clock: BootClock;
}

/** Most versions that are listed, and most files that are kept. */
const MOST_LISTED = 20_000;
const MOST_KEPT = 2000;

type Listed = Version & { atEnd: FileVersion["at_end"] };

/** What is gone has no other trace, so it comes first where there is no room for all. */
const PRIORITY = ["gone", "replaced", "elsewhere"] as const;

/** Keeps what is gone or overwritten, writes observations/file_contents.json, and says how well it was seen. */
export async function reportContents(
  books: Books,
  log: VersionLog,
  spool: ContentSpool,
  options: ReportOptions,
): Promise<SensorReport> {
  const found = await notThereAtEnd(log, new FinalState(options.directories, options.hashes));
  const listed = inPriority(found).slice(0, MOST_LISTED);
  const keeper = new ContentKeeper(options.captureDir, spool, { totalBytes: options.keptBytes, files: MOST_KEPT });
  const places = new Map<Listed, string | null>();
  for (const one of listed) places.set(one, one.sha256 === null ? null : keeper.keep(one.sha256));
  const inTime = listed.toSorted((a, b) => a.timeNs - b.timeNs);
  const versions = inTime.map((one) => describe(one, places.get(one) ?? null, options.clock));
  const unlisted = log.forgotten + found.length - listed.length;
  const value: FileContents = {
    schema_version: SCHEMA_VERSION,
    generated_at: isoNow(),
    directories: books.directories,
    closes: books.received,
    versions,
    truncated: unlisted > 0,
  };
  writeJsonAtomic(path.join(options.captureDir, LAYOUT.fileContents), value);
  const failures = [spool.failure, keeper.failure].filter((one) => one !== undefined);
  const { death, overflows, ...rest } = books;
  const statement = witnessStatement({
    ...rest,
    versions,
    unlisted,
    failures,
    overflows: overflows.length,
    death: death?.reason,
  });
  return { completeness: [statement], gaps: gapsOf(books) };
}

function inPriority(found: readonly Listed[]): Listed[] {
  return PRIORITY.flatMap((atEnd) => found.filter((one) => one.atEnd === atEnd));
}

async function notThereAtEnd(log: VersionLog, final: FinalState): Promise<Listed[]> {
  const found: Listed[] = [];
  for (const version of log.list()) {
    const atEnd = await final.of(version);
    if (atEnd !== "same") found.push({ ...version, atEnd });
  }
  return found;
}

function describe(one: Listed, content: string | null, clock: BootClock): FileVersion {
  return {
    ...textFields("path", one.path),
    time: clock.wallTime(one.timeNs),
    pid: one.pid,
    size_bytes: one.sizeBytes,
    sha256: one.sha256,
    at_end: one.atEnd,
    content,
    ...(content === null ? { content_omitted: one.omitted ?? "no-room" } : {}),
    closes: one.closes,
    ...(one.unlinked ? { unlinked: true } : {}),
    ...(one.unstable ? { unstable: true } : {}),
  };
}

function gapsOf({ death, overflows }: Books): Gap[] {
  const gap = (from: string, reason: string, to: string | null): Gap => ({ class: "file-contents", from, to, reason });
  const [first] = overflows;
  const last = overflows.at(-1);
  return [
    ...(death === undefined ? [] : [gap(death.at, `the file witness was away: ${death.reason}`, null)]),
    ...(first === undefined || last === undefined
      ? []
      : [gap(first, `the kernel's queue for the file witness was full ${overflows.length} times`, last)]),
  ];
}
