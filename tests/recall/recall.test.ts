import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CASES } from "./cases.ts";
import { missingContents } from "./contents.ts";
import { lostContents, type RecallCase } from "./expect.ts";
import { disorder, type Judgement, judgeCase, reportedLoss, shown } from "./judge.ts";
import { NameServer } from "./name-server.ts";
import { namesOf } from "./names.ts";
import { captureRun, type RecallCapture } from "./run-recall.ts";
import { type Call, type RecallPlan, type RecallProject, recallProject } from "./workload.ts";

/** Set by scripts/test-full.sh. */
const FULL = process.env["OPENCODE_CAPTURE_FULL_RECALL"] === "1";
const GATE_PER_SECOND = 500;
const MANY = 1000;
const BULK = CASES.filter((entry) => entry.bulk === true);
const RUN_MS = 1_800_000;

const titleOf = ({ number, title }: RecallCase): string => `${number} ${title}`;

describe("the table of cases", () => {
  it("has all 72, each shown or said to be pending", () => {
    const numbers = new Set(CASES.map((entry) => entry.number));
    expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 72 }, (_, i) => i + 1));
    expect(CASES.filter((entry) => !entry.program && !entry.ownRun && !entry.pending).map(titleOf)).toEqual([]);
    const unseen = CASES.filter((entry) => entry.mayStayUnseen !== undefined).map((entry) => entry.number);
    expect(unseen).toEqual([51, 53, 60]);
  });

  for (const entry of CASES.filter(({ pending }) => pending !== undefined)) {
    it(`${titleOf(entry)}, all of it`, (context) => context.skip(`pending: ${entry.pending}`));
  }
});

/** One run of the plan, shared by the tests of a `describe`. */
function sharedRun(plan: RecallPlan): { project: () => RecallProject; seen: () => RecallCapture } {
  let project: RecallProject | undefined;
  let seen: RecallCapture | undefined;
  beforeAll(async () => {
    project = recallProject(plan);
    await using _names = NameServer.beside(project.captureRoot);
    seen = await captureRun(project);
  }, RUN_MS);
  afterAll(() => project?.[Symbol.dispose]());
  const made = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error("the run failed");
    return value;
  };
  return { project: () => made(project), seen: () => made(seen) };
}

/** Judges one call; first of all, the program must have done what it should. */
function judgeCall({ entry, context }: Call, { ledger, processes }: RecallCapture): Judgement {
  const { tag, n } = context;
  expect(ledger.get(tag), "the program's own account").toMatchObject({ tag, n, done: n });
  return judgeCase(entry, context, processes);
}

const GATES: RecallPlan[] = [
  { cases: CASES, counts: [1, 50], perSecond: GATE_PER_SECOND },
  ...(FULL ? [{ cases: BULK, counts: [MANY], perSecond: GATE_PER_SECOND }] : []),
];

describe.each(GATES)("recall of $counts each, at up to $perSecond a second", (plan) => {
  const { project, seen } = sharedRun(plan);

  it("lost nothing, says so, and keeps the order", () => {
    const { events, capture } = seen();
    expect(reportedLoss(events)).toBe(0);
    expect(capture.completeness.gaps).toEqual([]);
    expect(disorder(events)).toEqual([]);
    const stated = capture.completeness.classes.filter(({ sensor }) => sensor === "kernel");
    const levels = stated.map((entry) => `${entry.class} ${entry.level}`);
    expect(levels).toContain("process complete");
    expect(levels).toContain("network complete");
    expect(levels).toContain("file-workspace complete");
    const packets = capture.completeness.classes.find((entry) => entry.class === "packets");
    expect(packets?.level, packets?.reason).toBe("complete");
    const contents = capture.completeness.classes.find(({ sensor }) => sensor === "fanotify");
    expect(contents?.level, contents?.reason).toBe("complete");
  });

  it("72 events carry the tool call: each call has its effects, and nothing is left that no call explains", () => {
    const { attribution, tools } = seen().capture.summary;
    expect(attribution?.unattributed_effects).toEqual([]);
    const shells = tools.filter((use) => use.tool === "bash");
    expect(shells.length).toBeGreaterThan(1);
    expect(shells.filter((use) => use.effects?.method !== "command").map((use) => use.input)).toEqual([]);
    const forged = attribution?.mark_conflicts.filter((one) => one.kind !== "scrubbed");
    expect(forged).toEqual([]);
  });

  it("events, file diff, packets and lives of processes bear each other out", () => {
    const { checks, mismatches } = seen().capture.summary.reconciliation ?? { checks: [], mismatches: [] };
    expect(mismatches).toEqual([]);
    // Thousands of files may be more than the file diff lists; then what it lacks proves nothing.
    if (!plan.counts.includes(1)) return;
    const whole = checks.filter(({ skipped }) => skipped === null).map(({ check }) => check);
    expect(whole).toEqual(["changes", "file-events", "processes", "flows", "connects"]);
  });

  it("says what of names could not be seen, where such a case was done", () => {
    const dns = seen().capture.completeness.classes.find((entry) => entry.class === "dns");
    const numbers = new Set(project().calls.map(({ entry }) => entry.number));
    const reason = dns?.reason ?? "";
    expect(reason.includes("names inside encrypted traffic")).toBe(numbers.has(51));
    expect(reason.includes("ports 53 and 853")).toBe(numbers.has(53));
  });

  for (const entry of plan.cases.filter(({ program }) => program !== undefined)) {
    it(titleOf(entry), () => {
      const calls = project().calls.filter((call) => call.entry === entry);
      expect(calls).toHaveLength(plan.counts.length);
      for (const call of calls) {
        const judgement = judgeCall(call, seen());
        expect([judgement.missing.length, judgement.phantom.length], shown(judgement)).toEqual([0, 0]);
        expect(missingContents(lostContents(entry, call.context), seen().contents)).toEqual([]);
        const names = namesOf(entry, call.context, seen().names);
        expect(names.seen).toEqual(names.made);
      }
    });
  }
});

if (FULL) {
  describe("honesty at full speed", () => {
    const { project, seen } = sharedRun({ cases: BULK, counts: [MANY], perSecond: 0 });

    it("reports at least what is missing", () => {
      const missing = project().calls.flatMap((call) => judgeCall(call, seen()).missing);
      const reported = reportedLoss(seen().events);
      expect(reported, missing.slice(0, 20).join("\n")).toBeGreaterThanOrEqual(missing.length);
      if (missing.length > 0) expect(seen().capture.completeness.verdict).not.toBe("complete");
    });

    it("says so where a content is not kept", () => {
      const { contents, capture } = seen();
      const missing = project().calls.flatMap(({ entry, context }) =>
        missingContents(lostContents(entry, context), contents),
      );
      const stated = capture.completeness.classes.find(({ sensor }) => sensor === "fanotify");
      if (missing.length > 0) expect(stated?.level, missing.slice(0, 20).join("\n")).not.toBe("complete");
    });
  });
}
