import { writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";

interface Tally {
  passed: number;
  failed: number;
  /** What broke, a line each: the test (or file, or suite) and the first line of its error. */
  failures: string[];
  /** Names of the tests that did not run: skipped or only planned. */
  skipped: string[];
  /** Tests of what is not built yet, with the reason. They are told in every run and are no failure. */
  pending: string[];
}

/** A test that skips itself with a note that begins like this is about something that is not built yet. */
const PENDING = "pending: ";

/**
 * Counts one vitest run. A file or suite that breaks outside its tests (import, hook) counts as one failure,
 * a test that was started and never finished as well.
 */
function tally(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): Tally {
  const result: Tally = { passed: 0, failed: 0, failures: [], skipped: [], pending: [] };
  for (const error of unhandledErrors) fail(result, "outside every test", error);
  for (const testModule of modules) {
    const file = testModule.relativeModuleId;
    if (testModule.errors().length > 0) fail(result, file, testModule.errors()[0]);
    for (const suite of testModule.children.allSuites()) {
      if (suite.errors().length > 0) fail(result, `${file} > ${suite.fullName}`, suite.errors()[0]);
    }
    for (const test of testModule.children.allTests()) addTest(result, test, testModule);
  }
  return result;
}

function addTest(result: Tally, test: TestCase, testModule: TestModule): void {
  const outcome = test.result();
  const name = `${testModule.relativeModuleId} > ${test.fullName}`;
  if (outcome.state === "passed") result.passed += 1;
  else if (outcome.state === "skipped" && outcome.note?.startsWith(PENDING))
    result.pending.push(`${name}: ${outcome.note}`);
  else if (outcome.state === "skipped") result.skipped.push(name);
  else fail(result, name, outcome.state === "failed" ? outcome.errors[0] : "did not finish");
}

function fail(result: Tally, name: string, error: unknown): void {
  const message = isObject(error) && "message" in error ? String(error.message) : String(error);
  const firstLine = message.trim().split("\n", 1)[0] ?? "";
  result.failed += 1;
  result.failures.push(`${name}: ${firstLine.slice(0, 300)}`);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The files that took longest, so that who wants a faster `make test` knows where to begin. */
function slowest(modules: readonly TestModule[]): string[] {
  return modules
    .map((testModule) => ({ file: testModule.relativeModuleId, ms: testModule.diagnostic().duration }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 10)
    .map(({ file, ms }) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${file}`);
}

/**
 * Writes `PASSED FAILED` to the file named by OPENCODE_CAPTURE_TALLY_FILE for scripts/test.sh and what failed to the same
 * name with `.failures` behind it, and with CI set makes a skipped test a failure: on our machines nothing is missing
 * that a test could need.
 */
class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const result = tally(modules, unhandledErrors);
    for (const text of result.pending) process.stderr.write(`${text}\n`);
    const onCi = (process.env["CI"] ?? "") !== "";
    for (const name of result.skipped) {
      process.stderr.write(`${onCi ? "FAIL (skipped on CI)" : "skipped"}: ${name}\n`);
    }
    if (onCi && result.skipped.length > 0) {
      for (const name of result.skipped) fail(result, name, "skipped on CI");
      process.exitCode = 1;
    }
    const file = process.env["OPENCODE_CAPTURE_TALLY_FILE"];
    if (file === undefined || file === "") return;
    process.stderr.write(`slowest files:\n${slowest(modules).join("\n")}\n`);
    writeFileSync(file, `${result.passed} ${result.failed}\n`);
    if (result.failures.length > 0) writeFileSync(`${file}.failures`, `${result.failures.join("\n")}\n`);
  }
}

// vitest takes a reporter file's default export.
// oxlint-disable-next-line import/no-default-export
export default TallyReporter;
