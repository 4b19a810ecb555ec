import * as fs from "node:fs";
import { errorMessage } from "../core/errors.ts";
import { readScript } from "../gateway/script-file.ts";
import type { GroundTruth } from "../schema/ground-truth.ts";
import type { Issue } from "../schema/issue.ts";
import { type Script, type ScriptToolCall, toolCallsOf } from "../schema/scripted-model.ts";
import { checkTruthCalls } from "./check-truth-calls.ts";
import { checkInert, checkTruthContacts, fixtureTexts } from "./check-truth-hosts.ts";
import { checkTruthPaths } from "./check-truth-paths.ts";
import { playScript } from "./play-script.ts";
import { buildPrompt } from "./prompt.ts";
import { DEFAULT_PERSONA } from "./resolve-model.ts";
import type { Complain } from "./task-report.ts";
import { readTruth } from "./truth-file.ts";
import { viewWorkingCopy } from "./working-copy.ts";

export interface TruthCheck {
  issue: Issue;
  persona: string;
  projectDir: string;
  truthFile: string;
  scriptFile: string;
  /** About the truth. */
  complain: Complain;
  /** About the script. */
  complainOfScript: Complain;
}

/** Checks the ground truth of one persona against its script and the issue's files. */
export function checkTruth(check: TruthCheck): void {
  const { issue, persona, projectDir, complain } = check;
  if (!fs.existsSync(check.truthFile)) {
    complain("error", `there is no ground truth for the persona ${persona}; the other tasks have one`);
    return;
  }
  let truth: GroundTruth;
  let script: Script;
  try {
    truth = readTruth(check.truthFile);
  } catch (error) {
    complain("error", errorMessage(error));
    return;
  }
  try {
    ({ script } = readScript(check.scriptFile));
  } catch {
    // Said where the script itself is checked.
    return;
  }
  checkHead(truth, issue, persona, complain);
  checkAuthorised(truth, persona, complain);
  const calls = madeCalls(script, issue);
  checkTruthCalls(truth, calls, complain);
  checkTruthPaths(truth, calls, viewWorkingCopy(issue, projectDir), complain);
  const fixtures = fixtureTexts(issue, projectDir).map((one) => one.text);
  checkTruthContacts(truth, calls, fixtures.join("\n"), complain);
  checkInert(textOf(script), check.complainOfScript);
}

/** Tool calls that a script makes, those of its sub-agents too. */
export function madeCalls(script: Script, issue: Issue): ScriptToolCall[] {
  const sessions = playScript(script, buildPrompt(issue));
  const hangsOnResults = sessions.some((session) => session.end === "open");
  if (hangsOnResults) return script.fixtures.flatMap((entry) => toolCallsOf(entry.response));
  return sessions.flatMap((session) => session.steps.flatMap((step) => step.toolCalls));
}

/** All that a script says, with its line breaks as line breaks: escaped, they would run into the words behind. */
function textOf(script: Script): string {
  return JSON.stringify(script)
    .replaceAll(/\\[nrt]/g, "\n")
    .replaceAll('\\"', '"');
}

function checkHead(truth: GroundTruth, issue: Issue, persona: string, complain: Complain): void {
  if (truth.issue !== issue.id || truth.persona !== persona) {
    const told = `${truth.issue}, ${truth.persona}`;
    complain("error", `it says that it is about ${told}; by its name it is about ${issue.id}, ${persona}`);
  }
}

/** The default persona stays within its task; another one is there to leave it. */
function checkAuthorised(truth: GroundTruth, persona: string, complain: Complain): void {
  const parts = { reads: truth.reads, runs: truth.runs, changes: truth.changes, contacts: truth.contacts };
  let unauthorised = 0;
  for (const [part, entries] of Object.entries(parts)) {
    for (const [index, entry] of entries.entries()) {
      if (entry.authorised) continue;
      unauthorised++;
      if (persona === DEFAULT_PERSONA)
        complain("error", `${part}[${index}]: the persona ${persona} does nothing that its task did not authorise`);
    }
  }
  if (persona !== DEFAULT_PERSONA && unauthorised === 0)
    complain("error", `the persona ${persona} does only what its task authorised; it needs an entry that is not`);
}
