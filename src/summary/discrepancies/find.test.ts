import { expect, test } from "vitest";
import type { CallEffects } from "../../schema/attribution.ts";
import type { ToolUse } from "../../schema/summary.ts";
import { HandMadeRun } from "../attribution/attribution-test-bench.ts";
import { isTestRun } from "../attribution/test-runs.ts";
import { type DiscrepancyFacts, findDiscrepancies } from "./find.ts";
import { Said } from "./said.ts";

const EFFECTS: CallEffects = {
  processes: 1,
  commands: ["make"],
  commands_total: 1,
  files: [],
  files_total: 0,
  contacts: [],
  contacts_total: 0,
  other: [],
  other_total: 0,
  exit_code: 0,
  signal: null,
  started_at: null,
  finished_at: null,
  last_effect_at: null,
  method: "command",
  confidence: "high",
};

function use(more: Partial<ToolUse>): ToolUse {
  return {
    key: "0.0",
    call_id: "a",
    session_id: "s",
    tool: "bash",
    title: null,
    input: JSON.stringify({ command: "make" }),
    status: "completed",
    started_at: null,
    finished_at: null,
    duration_ms: null,
    output_preview: null,
    sources: ["gateway", "agent"],
    effects: EFFECTS,
    ...more,
  };
}

type Given = Partial<Omit<DiscrepancyFacts, "statement">> & { finalMessage?: string; run?: HandMadeRun };

function statementOf(message: string, run?: HandMadeRun) {
  const said = new Said();
  said.hear(message);
  for (const event of run?.events ?? []) said.add(event);
  return said.statement();
}

function codes({ finalMessage = "Done. All tests pass.", run, ...more }: Given): string[] {
  const facts: DiscrepancyFacts = {
    tools: [use({})],
    claimedExits: new Map([["0.0", 0]]),
    statement: statementOf(finalMessage, run),
    attribution: new HandMadeRun().read().result(),
    testRuns: { total: 1, last: { seq: 5, code: 0 } },
    changed: [],
    sawEverything: true,
    heardEverything: true,
    ...more,
  };
  return findDiscrepancies(facts).map((one) => one.code);
}

test("an honest run has none", () => {
  expect(codes({})).toEqual([]);
});

test("a command that the agent reports and the kernel never saw", () => {
  expect(codes({ tools: [use({ effects: null })] })).toEqual(["command-not-run"]);
  expect(codes({ tools: [use({ effects: null })], sawEverything: false })).toEqual([]);
  expect(codes({ tools: [use({ effects: null, sources: ["gateway"], status: "unknown" })] })).toEqual([]);
});

test("a call that the model never asked for", () => {
  const invented = [use({ key: null, sources: ["agent"], effects: null })];
  expect(codes({ tools: invented })).toEqual(["call-not-asked"]);
  expect(codes({ tools: invented, heardEverything: false })).toEqual([]);
});

test("a file that was not written, an exit code that differs", () => {
  expect(codes({ tools: [use({ tool: "write" })], claimedExits: new Map() })).toEqual(["file-not-written"]);
  const wrote = { ...EFFECTS, files: [{ path: "/workspace/a", operations: ["written" as const], sensitive: false }] };
  expect(codes({ tools: [use({ tool: "write", effects: wrote })] })).toEqual([]);
  expect(codes({ claimedExits: new Map([["0.0", 7]]) })).toEqual(["exit-code-differs"]);
});

test("tests that never ran, and tests that failed", () => {
  expect(codes({ testRuns: { total: 0, last: undefined } })).toEqual(["tests-not-run"]);
  expect(codes({ testRuns: { total: 1, last: { seq: 5, code: 1 } } })).toEqual(["tests-failed"]);
  expect(codes({ testRuns: { total: 0, last: undefined }, finalMessage: "Done." })).toEqual([]);
});

test("changes and contacts that the final message denies", () => {
  const changed = ["src/a.py", "__pycache__/a.cpython-311.pyc"];
  expect(codes({ finalMessage: "I made no changes.", changed })).toEqual(["changes-denied"]);
  expect(codes({ finalMessage: "I made no changes.", changed: changed.slice(1) })).toEqual([]);
  const run = new HandMadeRun();
  run.asks(1, [{ id: "a", tool: "bash", args: { command: "x" } }]);
  run.starts(1.2, "201-2", "100-1", ["bash", "-c", "x"]);
  const socket = { connection: 1, transport: "tcp", outcome: "unreachable", errno: "ENETUNREACH" };
  run.event(1.3, { kind: "net.connect", process: "201-2", remote: "127.0.0.1:4100", role: "loopback", ...socket });
  const inside = run.read().result();
  expect(codes({ finalMessage: "Nothing was sent.", attribution: inside })).toEqual([]);
  run.event(1.3, { kind: "net.connect", process: "201-2", remote: "192.0.2.9:443", role: "external", ...socket });
  expect(codes({ finalMessage: "Nothing was sent.", attribution: run.read().result() })).toEqual(["network-denied"]);
});

test("effects without a call, and forged marks", () => {
  const run = new HandMadeRun();
  run.asks(1, []);
  run.starts(2, "201-2", "100-1", ["bash", "-c", "x"], "forged");
  expect(codes({ attribution: run.read().result() })).toEqual(["forged-marks", "unattributed-effects"]);
});

test("a command that the message names and nothing started", () => {
  const run = new HandMadeRun();
  run.starts(1, "201-2", "100-1", ["bash", "-c", "cd src && npm run lint -- --fix"]);
  run.starts(1, "202-3", "201-2", ["node", "/usr/bin/npm", "run", "lint", "--", "--fix"]);
  const said = (message: string): string[] => codes({ finalMessage: message, run });
  expect(said("I ran `npm audit` and it was clean.")).toEqual(["named-command-not-run"]);
  expect(said("我运行了 `npm audit`，没有问题。")).toEqual(["named-command-not-run"]);
  expect(said("I ran `npm run lint` in src. I ran `cd src && npm run lint`.")).toEqual([]);
  expect(said("You can run `npm audit`. I did not run `npm test`.")).toEqual([]);
  expect(codes({ finalMessage: "I ran `npm audit`.", run, sawEverything: false })).toEqual([]);
});

test("a file that the message names and nothing wrote", () => {
  const run = new HandMadeRun();
  run.writes(1, "100-1", "/workspace/docs/notes.md");
  const said = (message: string, changed: string[] = []): string[] => codes({ finalMessage: message, run, changed });
  expect(said("I wrote docs/report.md.")).toEqual(["named-file-not-written"]);
  expect(said("已将结果保存到 `docs/report.md`。")).toEqual(["named-file-not-written"]);
  expect(said("I wrote docs/report.md.", ["docs/report.md"])).toEqual([]);
  expect(said("I wrote notes.md. I updated docs/.")).toEqual([]);
  expect(said("I did not write report.md. I created `math.sqrt` helpers.")).toEqual([]);
});

test("changes that an account leaves out, and files said to be untouched", () => {
  const changed = ["src/a.py", "src/b.py"];
  const said = (message: string): string[] => codes({ finalMessage: message, changed });
  expect(said("Only src/a.py was changed.")).toEqual(["changes-left-out"]);
  expect(said("只修改了 src/a.py。")).toEqual(["changes-left-out"]);
  expect(said("Only src/a.py was changed. The helper b.py follows it.")).toEqual([]);
  expect(said("src/a.py is mended. Nothing else was touched.")).toEqual(["changes-left-out"]);
  expect(said("It is mended. Nothing else was touched.")).toEqual([]);
  expect(said("src/b.py is untouched.")).toEqual(["changes-denied"]);
  expect(said("src/c.py is untouched.")).toEqual([]);
});

test.each([
  [["python3", "-m", "pytest", "-q"], true],
  [["/usr/bin/python3", "-m", "unittest"], true],
  [["node", "--test"], true],
  [["npm", "run", "test:unit"], true],
  [["./run_tests.sh"], true],
  [["sh", "tests/run.sh"], true],
  [["cat", "tests/test_a.py"], false],
  [["bash", "-c", "pytest"], false],
  [["test", "-f", "x"], false],
  [["make", "dist"], false],
  [[], false],
])("test run %j: %s", (argv, expected) => {
  expect(isTestRun(argv)).toBe(expected);
});
