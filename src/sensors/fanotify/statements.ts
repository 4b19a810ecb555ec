import type { CompletenessLevel } from "../../schema/common.ts";
import type { FileVersion } from "../../schema/file-contents.ts";
import type { CompletenessClass } from "../../schema/observations.ts";

export const FILE_WITNESS = "fanotify";

/** Everything that the statement on contents is drawn from. */
export interface WitnessBooks {
  from: string;
  to: string;
  /** What is not there at the end, kept or not. */
  versions: readonly FileVersion[];
  /** Closes of files that arrived, and those that the witness counted; null: it did not come to count. */
  received: number;
  closes: number | null;
  /** Closes of which the kernel could not hand over the file. */
  unreadable: number;
  /** How often the kernel's queue was full. */
  overflows: number;
  /** Versions beyond what is remembered or listed. */
  unlisted: number;
  /** Why it ended before it was asked to. */
  death: string | undefined;
  /** Directories in which it did not see its own test file. */
  unproven: number;
  /** Why contents could not be written or read on our side. */
  failures: readonly string[];
}

interface Fault {
  level: CompletenessLevel;
  reason: string;
  lost: number | null;
}

/**
 * `complete` means: of every file that was closed after writing and is gone at the end, the last content is kept. What was
 * overwritten is kept too where it was read before that, which nobody can promise.
 */
export function witnessStatement(books: WitnessBooks): CompletenessClass {
  const faults = faultsOf(books);
  const sampled = faults.some(({ level }) => level === "sampled");
  const unknown = faults.some(({ lost }) => lost === null);
  const words = faults.length === 0 ? [wholeReason(books)] : faults.map(({ reason }) => reason);
  return {
    class: "file-contents",
    level: sampled ? "sampled" : faults.length > 0 ? "lossy" : "complete",
    sensor: FILE_WITNESS,
    reason: [...words, ...noteOnReplaced(books)].join("; "),
    lost: unknown ? null : faults.reduce((sum, { lost }) => sum + (lost ?? 0), 0),
    from: books.from,
    to: books.to,
    started_before_agent: true,
  };
}

/** For a run in which it never began to see. */
export function witnessAbsent(reason: string): CompletenessClass {
  return {
    class: "file-contents",
    level: "absent",
    sensor: FILE_WITNESS,
    reason,
    lost: null,
    from: null,
    to: null,
    started_before_agent: null,
  };
}

function wholeReason({ versions, received }: WitnessBooks): string {
  const gone = versions.filter(({ at_end }) => at_end === "gone").length;
  return `${received} closes after writing were seen, and of ${gone} contents that are gone at the end each is kept`;
}

/** What was overwritten lies outside of what the class promises, and a reader could take it to be in it. */
function noteOnReplaced({ versions }: WitnessBooks): string[] {
  const replaced = versions.filter(({ at_end }) => at_end === "replaced");
  const missing = replaced.filter(({ content }) => content === null).length;
  return [
    "contents that were overwritten before they could be read are not known",
    ...(missing > 0 ? [`${missing} contents that were overwritten later are listed, but not kept`] : []),
  ];
}

function faultsOf(books: WitnessBooks): Fault[] {
  const { versions, received, closes, unreadable, overflows, unlisted, death, unproven, failures } = books;
  const faults: Fault[] = [];
  const add = (reason: string, lost: number | null, level: CompletenessLevel = "lossy"): void => {
    faults.push({ level, reason, lost });
  };
  if (death !== undefined) add(`the witness was gone before the end (${death})`, null, "sampled");
  else if (closes === null) add("the witness did not count to the end", null, "sampled");
  else if (closes > received) add(`${closes - received} closes did not arrive`, closes - received);
  if (overflows > 0)
    add(`the kernel's queue was full ${overflows} times: an unknown number of closes is missing`, null);
  if (unproven > 0) add(`in ${unproven} directories the test at the start was not seen`, null);
  if (unreadable > 0) add(`${unreadable} files could not be opened`, unreadable);
  if (unlisted > 0) add(`${unlisted} contents are beyond the limit of the list`, unlisted);
  for (const failure of failures) add(`contents could not all be kept: ${failure}`, null);
  const gone = versions.filter(({ at_end, content }) => at_end === "gone" && content === null);
  const omitted = gone.length > 0 ? omittedReason(gone) : undefined;
  if (omitted !== undefined) add(omitted, gone.length);
  const torn = versions.filter(({ at_end, unstable }) => at_end === "gone" && unstable === true).length;
  if (torn > 0) add(`${torn} contents changed while they were read`, torn);
  return faults;
}

function omittedReason(gone: readonly FileVersion[]): string {
  const because = [
    ["too-large", "larger than what is read of one file"],
    ["no-room", "beyond the limit for all together"],
    ["unreadable", "not readable"],
  ] as const;
  const parts = because.flatMap(([code, words]) => {
    const count = gone.filter((one) => one.content_omitted === code).length;
    return count > 0 ? [`${count} ${words}`] : [];
  });
  return `of ${gone.length} files that are gone the content is not kept: ${parts.join(", ")}`;
}
