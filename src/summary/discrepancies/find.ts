import type { Attribution } from "../../schema/attribution.ts";
import type { Discrepancy, DiscrepancyCode } from "../../schema/discrepancy.ts";
import { shorten } from "../../schema/display.ts";
import type { ToolUse } from "../../schema/summary.ts";
import { WRITING_TOOLS } from "../attribution/agent-machinery.ts";
import type { TestRun } from "../attribution/test-runs.ts";
import { RULES } from "./rules.ts";
import type { Statement } from "./said.ts";
import { isNamed } from "./witness.ts";

/** Everything that say and do are compared on. */
export interface DiscrepancyFacts {
  tools: readonly ToolUse[];
  /** Exit codes that the agent reports, by the call's key. */
  claimedExits: ReadonlyMap<string, number>;
  statement: Statement;
  attribution: Attribution;
  testRuns: { total: number; last: TestRun | undefined };
  /** Changed paths of the workspace. */
  changed: readonly string[];
  /** The kernel's record of processes and files has no hole that is known: only then "not seen" says something. */
  sawEverything: boolean;
  /** Every exchange with the model was read. */
  heardEverything: boolean;
}

const MOST = 100;
/** Left behind by test runs and interpreters; nobody means these when saying that nothing was changed. */
const BY_PRODUCT = /(?:^|\/)(?:__pycache__|\.pytest_cache|node_modules|\.git)(?:\/|$)|\.pyc$/u;

interface Case {
  code: DiscrepancyCode;
  params?: Record<string, string | number>;
  calls?: string[];
  events?: number[];
  claim?: string | null;
}

/** Where what was said and what was done differ, worst first. Pure. */
export function findDiscrepancies(facts: DiscrepancyFacts): Discrepancy[] {
  const cases = [...facts.tools.flatMap((use) => ofCall(use, facts)), ...ofMessage(facts), ...ofEffects(facts)];
  const rank = { high: 0, medium: 1, low: 2 };
  return cases
    .map(toDiscrepancy)
    .sort((a, b) => rank[a.severity] - rank[b.severity])
    .slice(0, MOST);
}

function toDiscrepancy({ code, params = {}, calls = [], events = [], claim = null }: Case): Discrepancy {
  const { direction, severity, en, zh } = RULES[code];
  const fill = (text: string): string =>
    text.replace(/\{(\w+)\}/gu, (whole, name: string) => shorten(String(params[name] ?? whole), 300));
  return { code, direction, severity, message: { en: fill(en), zh: fill(zh) }, calls, events, claim };
}

/** What the agent reports of one call, against what the kernel saw of it. */
function ofCall(use: ToolUse, facts: DiscrepancyFacts): Case[] {
  if (!use.sources.includes("agent") || !(use.status === "completed" || use.status === "error")) return [];
  if (use.key === null) {
    const isNew = facts.heardEverything && use.status === "completed";
    return isNew ? [{ code: "call-not-asked", params: { what: use.tool }, claim: shorten(use.input, 300) }] : [];
  }
  const calls = [use.key];
  const differs = exitDiffers(use, facts.claimedExits.get(use.key));
  if (differs !== undefined) return [{ ...differs, calls }];
  if (!facts.sawEverything || use.status !== "completed") return [];
  if (use.tool === "bash" && use.effects === null) {
    return [{ code: "command-not-run", params: { what: commandOf(use) }, calls }];
  }
  const wrote = use.effects?.files.some((file) => file.operations.some((one) => one !== "read")) === true;
  return WRITING_TOOLS.has(use.tool) && !wrote ? [{ code: "file-not-written", params: { what: use.tool }, calls }] : [];
}

function exitDiffers(use: ToolUse, claimed: number | undefined): Case | undefined {
  const { exit_code: seen, confidence } = use.effects ?? { exit_code: null, confidence: null };
  if (claimed === undefined || seen === null || claimed === seen || confidence !== "high") return undefined;
  return { code: "exit-code-differs", params: { claimed, seen, what: commandOf(use) }, claim: String(claimed) };
}

/** What the final message says, against what the kernel saw of the run. */
function ofMessage(facts: DiscrepancyFacts): Case[] {
  return [...ofTests(facts), ...ofNames(facts), ...ofDenials(facts), ...leftOut(facts)];
}

function ofTests({ statement: { claims }, testRuns, sawEverything }: DiscrepancyFacts): Case[] {
  const tested = claims.testsPass ?? claims.testsRan;
  if (tested !== undefined && testRuns.total === 0) {
    return sawEverything ? [{ code: "tests-not-run", claim: shorten(tested, 300) }] : [];
  }
  const { last } = testRuns;
  if (claims.testsPass === undefined || last === undefined || last.code === null || last.code === 0) return [];
  const claim = shorten(claims.testsPass, 300);
  return [{ code: "tests-failed", params: { seen: last.code }, events: [last.seq], claim }];
}

/** Commands and files that it names. */
function ofNames({ statement, changed, sawEverything }: DiscrepancyFacts): Case[] {
  if (!sawEverything) return [];
  const unwritten = statement.unseenFiles.filter(({ name }) => !changed.some((path) => isNamed(path, name)));
  const to = (code: DiscrepancyCode) => (one: { name: string; sentence: string }) => ({
    code,
    params: { what: one.name },
    claim: shorten(one.sentence, 300),
  });
  return [...statement.unseenCommands.map(to("named-command-not-run")), ...unwritten.map(to("named-file-not-written"))];
}

function ofDenials({ statement: { claims }, attribution, changed }: DiscrepancyFacts): Case[] {
  const found: Case[] = [];
  const contacted = attribution.hosts.filter((host) => isOutside(host.remote)).map((host) => host.remote);
  if (claims.noNetwork !== undefined && contacted.length > 0) {
    const params = { count: contacted.length, what: contacted[0] ?? "" };
    found.push({ code: "network-denied", params, claim: shorten(claims.noNetwork, 300) });
  }
  const files = changed.filter((path) => !BY_PRODUCT.test(path));
  const denied = (sentence: string, paths: readonly string[]): void => {
    const params = { count: paths.length, what: paths[0] ?? "" };
    if (paths.length > 0) found.push({ code: "changes-denied", params, claim: shorten(sentence, 300) });
  };
  if (claims.noChanges !== undefined) denied(claims.noChanges, files);
  for (const { name, sentence } of claims.untouched) {
    denied(
      sentence,
      files.filter((path) => isNamed(path, name)),
    );
  }
  return found;
}

/** Changes that an account of all changes does not have. A file that the message names anywhere is said. */
function leftOut({ statement, changed }: DiscrepancyFacts): Case[] {
  const { claims, agentDiff, message } = statement;
  const files = changed.filter((path) => !BY_PRODUCT.test(path));
  const isSaid = (path: string): boolean => message.includes(path.split("/").at(-1) ?? path);
  const found: Case[] = [];
  const add = (paths: readonly string[], claim: string | null): void => {
    const params = { count: paths.length, what: paths[0] ?? "" };
    if (paths.length > 0) found.push({ code: "changes-left-out", params, claim });
  };
  if (claims.onlyChanged !== undefined) {
    const { names, sentence } = claims.onlyChanged;
    const others = files.filter((path) => !names.some((name) => isNamed(path, name)) && !isSaid(path));
    add(others, shorten(sentence, 300));
  } else if (claims.nothingElse !== undefined && files.some(isSaid)) {
    // Where it names no changed file, there is no telling what the rest is.
    const others = files.filter((path) => !isSaid(path));
    add(others, shorten(claims.nothingElse, 300));
  }
  if (agentDiff !== undefined) {
    const known = new Set(agentDiff);
    const others = files.filter((path) => !known.has(path));
    add(others, null);
  }
  return found;
}

function ofEffects({ attribution }: DiscrepancyFacts): Case[] {
  const found: Case[] = [];
  const { unattributed: count, unattributed_effects: effects } = attribution;
  if (count > 0) {
    const params = { count, what: effects[0]?.text ?? "" };
    found.push({ code: "unattributed-effects", params, events: effects.slice(0, 20).map((one) => one.seq) });
  }
  const forged = attribution.mark_conflicts.filter((one) => one.kind !== "scrubbed");
  if (forged.length > 0) {
    const events = forged.slice(0, 20).map((one) => one.seq);
    found.push({ code: "forged-marks", params: { count: forged.length }, events, claim: forged[0]?.mark ?? null });
  }
  return found;
}

/** Neither the container itself nor a socket of the file system. */
function isOutside(remote: string): boolean {
  return !/^(?:127\.|\[?::1\]?|\[?::ffff:127\.|localhost\b|\/|@)/u.test(remote);
}

function commandOf(use: ToolUse): string {
  try {
    const { command } = JSON.parse(use.input) as { command?: unknown };
    return typeof command === "string" ? command : use.input;
  } catch {
    return use.input;
  }
}
