import * as words from "./claim-words.ts";

/** A file or a command that a sentence speaks of. */
export interface Named {
  name: string;
  sentence: string;
}

/** What a final message claims, as far as evidence can contradict it. Sentences are as they stand in it. */
export interface Claims {
  testsPass: string | undefined;
  testsRan: string | undefined;
  noNetwork: string | undefined;
  noChanges: string | undefined;
  /** Nothing beside what is named was changed. */
  nothingElse: string | undefined;
  /** The only files that are said to be changed, where it says so. */
  onlyChanged: { names: string[]; sentence: string } | undefined;
  /** Files said to be as they were. */
  untouched: Named[];
  /** Files said to be written or changed. */
  wrote: Named[];
  /** Commands said to have run. */
  ran: Named[];
}

const MOST_NAMED = 50;
/** A longer one is no sentence; it would cost time, and the message is the agent's. */
const SENTENCE_CHARS = 1_000;
/** Programs that are named without arguments. */
const KNOWN_PROGRAM = /^(?:make|pytest|tox|jest|vitest|eslint|ruff|mypy|black|tsc|ctest|rspec|phpunit)$/u;
/** Pieces of a command that stand for something else. */
const PLACEHOLDER = /[<>…$(]|(?<!\/)\.\.\./u;

export function claimsOf(message: string | null): Claims {
  const sentences = sentencesOf(message ?? "");
  const sure = sentences.filter((one) => !words.DOUBT.test(one));
  const first = (patterns: readonly RegExp[], among: readonly string[]): string | undefined =>
    among.find((one) => patterns.some((pattern) => pattern.test(one)));
  const said = (patterns: readonly RegExp[]): string | undefined =>
    sure.find((one) => patterns.some((pattern) => matches(pattern, one).some((match) => !isDenied(one, match))));
  const only = named(words.ONLY_CHANGED, sure);
  const [{ sentence } = { sentence: "" }] = only;
  return {
    testsPass: said(words.TESTS_PASS),
    testsRan: said(words.TESTS_RAN),
    noNetwork: first(words.NO_NETWORK, sentences),
    noChanges: first(words.NO_CHANGES, sentences),
    nothingElse: first(words.NOTHING_ELSE, sentences),
    onlyChanged: only.length === 0 ? undefined : { names: only.map(({ name }) => name), sentence },
    untouched: named(words.UNTOUCHED, sentences),
    wrote: named(words.WROTE, sure, isDenied),
    ran: named(words.RAN, sure, isDenied).filter(({ name }) => isCommand(name)),
  };
}

function matches(pattern: RegExp, sentence: string): RegExpExecArray[] {
  return [...sentence.matchAll(new RegExp(pattern.source, "giu"))];
}

/** Whether the part of the sentence that the match stands in says the contrary. */
function isDenied(sentence: string, match: RegExpExecArray): boolean {
  const before = sentence.slice(0, match.index).split(words.PART).at(-1) ?? "";
  const [after = ""] = sentence.slice(match.index + match[0].length).split(words.PART);
  return words.DENIAL.test(`${before}${match[0]}${after}`.replace(words.PRAISE, ""));
}

/** A point inside of a name ends no sentence. */
function sentencesOf(message: string): string[] {
  return message
    .split(/(?<=[.!?])\s+|[\n。！？；]|;\s/u)
    .map((one) => one.trim())
    .filter((one) => one !== "" && one.length <= SENTENCE_CHARS);
}

function named(
  patterns: readonly RegExp[],
  sentences: readonly string[],
  isOut: (sentence: string, match: RegExpExecArray) => boolean = () => false,
): Named[] {
  const found = new Map<string, string>();
  for (const sentence of sentences) {
    for (const match of patterns.flatMap((pattern) => matches(pattern, sentence))) {
      const { path, paths, cmd } = match.groups ?? {};
      const names = isOut(sentence, match) ? [] : cmd === undefined ? splitList(path ?? paths ?? "") : [cmd.trim()];
      for (const name of names) if (found.size < MOST_NAMED && !found.has(name)) found.set(name, sentence);
    }
  }
  return [...found].map(([name, sentence]) => ({ name, sentence }));
}

function splitList(list: string): string[] {
  const names = list.split(/, and |, | and |[、和与]/u).map((one) => one.replace(/^[`"'“「]|[`"'”」.]+$/gu, ""));
  return names.filter((one) => one !== "");
}

function isCommand(text: string): boolean {
  if (PLACEHOLDER.test(text)) return false;
  return /^[\w./-]+ \S/u.test(text) || text.startsWith("./") || KNOWN_PROGRAM.test(text);
}
