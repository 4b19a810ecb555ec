import type { CaptureEvent } from "../../schema/event.ts";

/** A program that runs tests, as the kernel saw it. */
export interface TestRun {
  seq: number;
  /** Exit code; null: a signal ended it, or its end was not seen. */
  code: number | null;
}

const RUNNERS: ReadonlySet<string> = new Set([
  "pytest",
  "py.test",
  "tox",
  "nox",
  "nose2",
  "jest",
  "vitest",
  "mocha",
  "ava",
  "ctest",
  "phpunit",
  "rspec",
  "bats",
  "prove",
]);
/** Programs that run tests when told so by a word. */
const WITH_A_WORD =
  /^(?:go|cargo|npm|pnpm|yarn|bun|deno|make|gmake|gradle|gradlew|mvn|dotnet|mix|rake|zig|just|ninja)$/u;
const INTERPRETERS = /^(?:python[\d.]*|node|ruby|perl|php|sh|bash|dash|zsh|lua|Rscript)$/u;
const WORD = /test|spec|check/iu;
const MOST = 1_000;

/** Whether a command line runs tests. Generous: a run that is missed here makes a false alarm elsewhere. */
export function isTestRun(argv: readonly string[]): boolean {
  const program = argv[0]?.split("/").at(-1) ?? "";
  if (RUNNERS.has(program)) return true;
  const rest = argv.slice(1);
  if (WITH_A_WORD.test(program)) return rest.some((arg) => WORD.test(arg));
  // What a shell is told with -c starts programs of its own, which are looked at in turn.
  if (INTERPRETERS.test(program)) return !rest.includes("-c") && rest.some((arg) => WORD.test(arg));
  return WORD.test(program) && program !== "test" && program !== "[";
}

/** Keeps the test runs of a run. */
export class TestRuns {
  readonly #open = new Map<string, TestRun>();
  #last: TestRun | undefined;
  total = 0;

  add(event: CaptureEvent): void {
    if (event.kind === "process.exec" && isTestRun(event.argv)) {
      this.total++;
      if (this.#open.size < MOST) this.#open.set(event.process, { seq: event.seq, code: null });
    }
    if (event.kind !== "process.exit") return;
    const run = this.#open.get(event.process);
    if (run === undefined) return;
    this.#open.delete(event.process);
    this.#last = { seq: run.seq, code: event.code };
  }

  /** The run that ended last. */
  get last(): TestRun | undefined {
    return this.#last;
  }
}
