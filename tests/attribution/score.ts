import type { EffectCause } from "../../src/schema/attribution.ts";
import type { Summary } from "../../src/schema/summary.ts";
import type { Finding, Label, Named } from "./label.ts";

/** How a capture's attribution stands against what is true. */
export interface Score {
  /** Effects that a call did, by label and call. */
  attributable: number;
  /** Of these, how many stand under their call. */
  attributed: number;
  /** Effects that are tied to a call that did not do them, and not marked as a guess. */
  wrong: string[];
  /** Effects of calls that stand under none. */
  missed: string[];
  /** Effects without a call, and how many of them stand as such. */
  planted: number;
  held: number;
  /** Those that do not: taken for a call's or for the agent's own. */
  leaked: string[];
  /** What could only be guessed: equal commands at one time without marks. */
  guessed: number;
  guessedRight: number;
  /** Unattributed effects that no label explains. */
  stray: string[];
  /** Finds that should have been made. */
  unfound: string[];
}

interface Touch {
  process: string;
  cause: EffectCause;
}

const SHOWN = (one: Named): string => ("file" in one ? one.file : "contact" in one ? one.contact : one.program);

/** What is known of a run beside its labels. */
export interface Expected {
  findings: readonly Finding[];
  /** Words of unattributed effects that planted ones bring along. */
  along: readonly string[];
}

/** Compares a capture's summary with labels. Pure. */
export function scoreCorpus(labels: readonly Label[], { findings, along }: Expected, summary: Summary): Score {
  const marking: Marking = {
    score: emptyScore(),
    callOf: new Map(summary.tools.flatMap((use) => (use.key === null ? [] : [[use.key, use.call_id ?? ""] as const]))),
  };
  for (const label of labels) {
    const isOwn = ({ cause }: Touch): boolean => label.alsoAgent === true && cause.kind === "agent";
    const touches = touchesOf(label, summary).filter((one) => !isOwn(one));
    if ("by" in label) markCalls(marking, label, touches);
    else if ("planted" in label) markPlanted(marking, label, touches);
    else markTwins(marking, label, touches);
  }
  const { score } = marking;
  score.stray = strayEffects(labels, along, summary);
  const found = new Set(summary.attribution?.mark_conflicts.map((one) => `${one.kind} ${one.mark}`));
  score.unfound = findings.map(({ kind, mark }) => `${kind} ${mark}`).filter((one) => !found.has(one));
  return score;
}

/** Sums of several runs. */
export function addScores(scores: readonly Score[]): Score {
  const sum = emptyScore();
  for (const one of scores) {
    for (const key of ["attributable", "attributed", "planted", "held", "guessed", "guessedRight"] as const) {
      sum[key] += one[key];
    }
    for (const key of ["wrong", "missed", "leaked", "stray", "unfound"] as const) sum[key].push(...one[key]);
  }
  return sum;
}

/** One line for people. */
export function scoreLine(score: Score): string {
  const { attributable, attributed, wrong, planted, held, guessed, guessedRight } = score;
  const share = attributable === 0 ? 0 : (100 * attributed) / attributable;
  const guesses = guessed === 0 ? "" : `, ${guessedRight} of ${guessed} guesses right`;
  return `${attributed} of ${attributable} attributable effects attributed (${share.toFixed(1)} %), ${wrong.length} wrong, ${held} of ${planted} planted ones unattributed${guesses}`;
}

function emptyScore(): Score {
  const lists = { wrong: [], missed: [], leaked: [], stray: [], unfound: [] };
  return { attributable: 0, attributed: 0, planted: 0, held: 0, guessed: 0, guessedRight: 0, ...lists };
}

interface Marking {
  score: Score;
  callOf: ReadonlyMap<string, string>;
}

function fits(text: string, wanted: string): boolean {
  return wanted.endsWith("*") ? text.startsWith(wanted.slice(0, -1)) : text === wanted;
}

/** Who the summary says did it. */
function touchesOf(label: Named, { attribution }: Summary): Touch[] {
  if (attribution === null || attribution === undefined) return [];
  if ("file" in label) return attribution.files.filter((one) => fits(one.path, label.file)).flatMap((one) => one.by);
  if ("contact" in label) {
    return attribution.hosts.filter((one) => fits(one.remote, label.contact)).flatMap((one) => one.by);
  }
  // Shells have the words of their children in their own command line.
  return attribution.processes.filter((one) => one.command.includes(label.program) && !/^\S*sh -c /u.test(one.command));
}

function markCalls({ score, callOf }: Marking, label: Extract<Label, { by: readonly string[] }>, seen: Touch[]): void {
  const found = new Set<string>();
  for (const { cause, process } of seen) {
    const who = cause.call === null ? undefined : callOf.get(cause.call);
    const what = `${SHOWN(label)} by ${process}: ${who ?? `${cause.kind} (${cause.why})`}, truly ${label.by.join(", ")}`;
    if (who === undefined) score.missed.push(what);
    else if (cause.confidence === "medium" && label.equals?.includes(who) === true) {
      score.guessed++;
      if (label.by.includes(who)) score.guessedRight++;
      // Tied to one of the equal calls, and said to be a guess: that is all that can be known.
      for (const one of label.by) if (label.equals.includes(one)) found.add(one);
    } else if (label.by.includes(who)) found.add(who);
    else score.wrong.push(what);
  }
  score.attributable += label.by.length;
  score.attributed += found.size;
  for (const one of label.by) if (!found.has(one)) score.missed.push(`${SHOWN(label)} is not under ${one}`);
}

function markPlanted({ score, callOf }: Marking, label: Named, seen: Touch[]): void {
  score.planted++;
  const bad = seen.filter(({ cause }) => cause.kind !== "none");
  if (seen.length > 0 && bad.length === 0) score.held++;
  if (seen.length === 0) score.leaked.push(`${SHOWN(label)} was not seen at all`);
  for (const { cause } of bad) {
    score.leaked.push(`${SHOWN(label)}: ${cause.kind} ${cause.why ?? callOf.get(cause.call ?? "")} ${cause.method}`);
  }
}

/** Of things that look the same one belongs to the call, the others must stand as unattributed. */
function markTwins({ score, callOf }: Marking, label: Extract<Label, { twin: string }>, seen: Touch[]): void {
  const causes = new Map(seen.map(({ process, cause }) => [process, cause]));
  const of = [...causes.values()];
  const tied = of.filter((cause) => cause.kind === "call");
  score.attributable++;
  if (tied.some((cause) => callOf.get(cause.call ?? "") === label.twin)) score.attributed++;
  else score.missed.push(`none of ${SHOWN(label)} is under ${label.twin}`);
  for (const cause of tied) {
    const who = callOf.get(cause.call ?? "") ?? "";
    if (who !== label.twin) score.wrong.push(`${SHOWN(label)}: ${who}, truly ${label.twin}`);
  }
  score.planted++;
  if (of.some((cause) => cause.kind === "none")) score.held++;
  else score.leaked.push(`${SHOWN(label)}: no second one is unattributed`);
}

/** Unattributed effects that no label and no by-word of a case speaks of. */
function strayEffects(labels: readonly Label[], along: readonly string[], summary: Summary): string[] {
  const planted = labels.filter((label) => !("by" in label));
  const names = [...planted.map((label) => SHOWN(label).replace(/\*$/u, "")), ...along];
  return (summary.attribution?.unattributed_effects ?? [])
    .filter((one) => !names.some((name) => one.text.includes(name)))
    .map((one) => `${one.text} (${one.why}, ${one.process})`);
}
