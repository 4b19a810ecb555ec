import type { LostContent } from "./contents.ts";
import { type Fact, fact } from "./fact.ts";
import { ARGUMENT_SHOWN, type FactClass } from "./observed.ts";

/** Where a case works, inside the container, and by what names. */
export interface CaseContext {
  tag: string;
  n: number;
  /** Its own working directory. */
  dir: string;
  /** Directory of programs and scripts. */
  home: string;
  /** Path and size of the program `recall`. */
  self: string;
  selfBytes: number;
  selfSha256: string;
}

/** One of the 72 cases, or one of its ways. */
export interface RecallCase {
  number: number;
  title: string;
  /** Case of the C program, or script. Without one the case has a run of its own or is pending. */
  program?: string;
  /** Shows in a run of its own: name of the test. */
  ownRun?: string;
  /** Most instances that make sense. */
  atMost?: number;
  /** Also done a thousand times, at 500 a second and as fast as it goes. */
  bulk?: true;
  /** What is compared; all classes where it is not said. */
  classes?: readonly FactClass[];
  /** Facts that may be there or not: the case does not determine them. */
  open?: (fact: Fact) => boolean;
  /** Facts that instance `i` makes. */
  each?: (i: number, context: CaseContext) => Fact[];
  /** Facts that the call makes once. */
  once?: (context: CaseContext) => Fact[];
  /** Contents that instance `i` leaves behind nowhere but in the capture. */
  contents?: (i: number, context: CaseContext) => LostContent[];
  /** What the packets say of names after instance `i`, as in names.ts. */
  names?: (i: number, context: CaseContext) => string[];
  /** What of the case can't be shown yet, and why. */
  pending?: string;
  /** What of the case may stay unseen, and why. */
  mayStayUnseen?: string;
}

export interface ExpectedExec {
  exe: string;
  argv: readonly (string | Buffer)[];
  cwd?: string;
  memfd?: true;
  written_in_run?: true;
  script?: string;
  interpreter?: string;
}

/** The life of one process that the case starts. */
export function life(
  context: CaseContext,
  execs: readonly ExpectedExec[],
  end: string,
  more: { depth?: number; failed?: [string, string][] } = {},
): Fact {
  return fact("process", {
    depth: more.depth ?? 1,
    execs: execs.map((entry) => ({
      cwd: context.dir,
      ...entry,
      argv: entry.argv.map((text) => Buffer.from(text).subarray(0, ARGUMENT_SHOWN)),
      argv_bytes: entry.argv.reduce((sum, text) => sum + Buffer.from(text).length + 1, 0),
    })),
    failed: more.failed ?? [],
    end,
  });
}

/** An execution of `recall nop TAG-i`. */
export function nop(context: CaseContext, i: number, changes: Partial<ExpectedExec> = {}): ExpectedExec {
  return { exe: context.self, argv: ["recall", "nop", `${context.tag}-${i}`], ...changes };
}

/** Name of an instance's file: absolute, or in the case's directory. */
export function named({ dir, tag }: CaseContext, prefix: string, i: number): string {
  return prefix.startsWith("/") ? `${prefix}-${tag}-${i}` : `${dir}/${prefix}-${tag}-${i}`;
}

/** A file is made, filled and closed. */
export function made(path: string | Buffer, sizeBytes: number, more: Record<string, unknown> = {}): Fact[] {
  return [
    fact("file.open", { path, access: "write", created: true, ...more }),
    fact("file.close-write", { path, size: sizeBytes }),
  ];
}

/** A file that exists is opened for writing and closed. */
export function written(path: string, sizeBytes: number): Fact[] {
  return [fact("file.open", { path, access: "write" }), fact("file.close-write", { path, size: sizeBytes })];
}

/** Contents that one call of a case leaves behind nowhere but in the capture. */
export function lostContents(entry: RecallCase, context: CaseContext): LostContent[] {
  return times(context.n, (i) => entry.contents?.(i, context) ?? []);
}

/** `count` times what `make` gives for 0, 1, … */
export function times<T>(count: number, make: (i: number) => T[]): T[] {
  return Array.from({ length: count }, (_, i) => make(i)).flat();
}
