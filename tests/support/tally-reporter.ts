import { writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";

interface Tally {
  passed: number;
  failed: number;
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
function tally(modules: readonly TestModule[], unhandledErrorCount: number): Tally {
  const result: Tally = { passed: 0, failed: unhandledErrorCount, skipped: [], pending: [] };
  for (const testModule of modules) {
    if (testModule.errors().length > 0) result.failed += 1;
    for (const suite of testModule.children.allSuites()) {
      if (suite.errors().length > 0) result.failed += 1;
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
  else result.failed += 1;
}

/**
 * Writes `PASSED FAILED` to the file named by OPENCODE_CAPTURE_TALLY_FILE for scripts/test.sh, and with CI set makes a
 * skipped test a failure: on our machines nothing is missing that a test could need.
 */
class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const result = tally(modules, unhandledErrors.length);
    for (const text of result.pending) process.stderr.write(`${text}\n`);
    const onCi = (process.env["CI"] ?? "") !== "";
    for (const name of result.skipped) {
      process.stderr.write(`${onCi ? "FAIL (skipped on CI)" : "skipped"}: ${name}\n`);
    }
    if (onCi && result.skipped.length > 0) {
      result.failed += result.skipped.length;
      process.exitCode = 1;
    }
    const file = process.env["OPENCODE_CAPTURE_TALLY_FILE"];
    if (file !== undefined && file !== "") writeFileSync(file, `${result.passed} ${result.failed}\n`);
  }
}

// vitest takes a reporter file's default export.
// oxlint-disable-next-line import/no-default-export
export default TallyReporter;
