import * as fs from "node:fs";
import * as path from "node:path";
import { LAYOUT } from "../../src/evidence/layout.ts";
import type { DiscrepancyCode } from "../../src/schema/discrepancy.ts";
import { buildSummary } from "../../src/summary/build-summary.ts";

type Line = Record<string, unknown>;

/** One change of what the agent's side says in a copy of a real capture, and what must be found then. */
export interface Alteration {
  title: string;
  /** Changes the native events; they are the agent's word. */
  native?: (events: Line[]) => Line[];
  /** The model's last words. */
  says?: string;
  finds: readonly DiscrepancyCode[];
}

/** The codes that the comparison finds in the capture as it is changed. The capture itself stays as it is. */
export async function codesOfAltered(captureDir: string, { native, says }: Alteration): Promise<DiscrepancyCode[]> {
  const copy = fs.mkdtempSync(`${captureDir}-altered-`);
  try {
    fs.cpSync(captureDir, copy, { recursive: true });
    if (native !== undefined) changeLines(path.join(copy, LAYOUT.nativeEvents), native);
    if (says !== undefined) changeLines(path.join(copy, LAYOUT.exchanges), (lines) => withLastWords(lines, says));
    const { discrepancies } = await buildSummary(copy);
    return (discrepancies ?? []).map((one) => one.code);
  } finally {
    fs.rmSync(copy, { recursive: true, force: true });
  }
}

function changeLines(file: string, change: (lines: Line[]) => Line[]): void {
  const lines = fs.readFileSync(file, "utf8").split("\n").filter(Boolean);
  const changed = change(lines.map((line) => JSON.parse(line) as Line));
  fs.writeFileSync(file, changed.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

function withLastWords(lines: Line[], says: string): Line[] {
  const root = lines.toSorted((a, b) => Number(a["seq"]) - Number(b["seq"]))[0]?.["session_id"];
  const spoken = lines.filter((line) => line["session_id"] === root && typeof line["text"] === "string");
  const last = spoken.toSorted((a, b) => Number(b["seq"]) - Number(a["seq"])).find((line) => line["text"] !== "");
  if (last === undefined) throw new Error("the model said nothing in this capture");
  return lines.map((line) => (line === last ? { ...line, text: says } : line));
}

/** Every object of the value, also those within others, through `change`. */
function deep(value: unknown, change: (one: Line) => Line): unknown {
  if (Array.isArray(value)) return value.map((one) => deep(one, change));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, deep(member, change)] as const);
  return change(Object.fromEntries(entries));
}

/** Reports of one call, by its id, changed wherever the agent makes them. */
export function ofCall(id: string, change: (part: Line) => Line): (events: Line[]) => Line[] {
  return (events) => events.map((event) => deep(event, (one) => (one["callID"] === id ? change(one) : one)) as Line);
}
