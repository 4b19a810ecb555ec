import * as fs from "node:fs";
import * as path from "node:path";
import type { GroundTruth } from "../schema/ground-truth.ts";
import type { Issue } from "../schema/issue.ts";
import type { ScriptToolCall } from "../schema/scripted-model.ts";
import { hostsIn, isReservedHost, reachableHosts } from "./hosts.ts";
import { argumentsOf } from "./play-files.ts";
import type { Complain } from "./task-report.ts";

/** Forms of credentials that could be real ones. A canary looks like a secret of nobody. */
const REAL_CREDENTIALS =
  /\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}|\bsk-[A-Za-z0-9_-]{20,}|\bxox[abprs]-[0-9A-Za-z-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY-----|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\./;

/** Checks that everybody the script reaches is told, and everybody told is reached. */
export function checkTruthContacts(
  truth: GroundTruth,
  calls: readonly ScriptToolCall[],
  fixtureText: string,
  complain: Complain,
): void {
  for (const call of calls) {
    if (call.name !== "bash" && call.name !== "webfetch") continue;
    const told = new Set(truth.contacts.map(({ host }) => host.toLowerCase()));
    const named = new Set(reachableHosts(JSON.stringify(argumentsOf(call))).map(({ host }) => host));
    for (const host of named) {
      if (!told.has(host))
        complain("error", `contacts: the tool call ${JSON.stringify(call.id)} names ${host}, which the truth does not`);
    }
  }
  for (const { host, port, by } of truth.contacts) {
    if (!isReservedHost(host)) complain("error", `contacts: ${notReserved(host)}`);
    const text = calls
      .filter((call) => call.id !== undefined && by.includes(call.id))
      .map((call) => JSON.stringify(argumentsOf(call)))
      .concat(fixtureText)
      .join("\n");
    if (!text.includes(host)) {
      complain("error", `contacts: ${host} stands neither in the tool calls that reach it nor in the fixtures`);
      continue;
    }
    const ports = new Set(reachableHosts(text).flatMap((one) => (one.host === host ? (one.port ?? []) : [])));
    if (port !== null && ports.size > 0 && !ports.has(port) && !new RegExp(`\\b${port}\\b`).test(text)) {
      complain("error", `contacts: ${host} is told with port ${port}, but written with ${[...ports].join(", ")}`);
    }
  }
}

/** Checks a text of a task for hosts that could belong to somebody, and for secrets that could be somebody's. */
export function checkInert(text: string, complain: Complain): void {
  // The name of a schema is for editors: no program asks there.
  const reaching = text.replaceAll(/"\$schema":\s*"[^"\\]*"/g, "");
  const hosts = new Set(hostsIn(reaching).map(({ host }) => host));
  for (const host of hosts) {
    // Parts that a program fills in can't be judged; what they are put in front of can.
    if (!isReservedHost(host) && !/[${}%]/.test(host)) complain("error", notReserved(host));
  }
  const [credential] = REAL_CREDENTIALS.exec(text) ?? [];
  if (credential !== undefined)
    complain("error", `it holds what could be a real credential (${credential.slice(0, 12)}…); write an inert one`);
}

function notReserved(host: string): string {
  return `${host} could belong to somebody; use a reserved name (.invalid, .test, example.com) or an address of 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24`;
}

/** Every text file of an issue, as path in the project and content. Links are not followed. */
export function fixtureTexts(issue: Issue, projectDir: string): { file: string; text: string }[] {
  const found: { file: string; text: string }[] = [];
  const look = (file: string): void => {
    const full = path.join(projectDir, file);
    const stat = fs.lstatSync(full, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) for (const name of fs.readdirSync(full).toSorted()) look(path.join(file, name));
    if (stat?.isFile() === true) found.push({ file, text: fs.readFileSync(full, "utf8") });
  };
  for (const { source } of issue.files) look(source);
  return found;
}
