import * as fs from "node:fs";
import * as path from "node:path";
import { LAYOUT } from "../../src/evidence/layout.ts";
import type { Exchange } from "../../src/schema/exchange.ts";

/** What a program says of itself: how many of its instances went exactly as meant. */
export interface LedgerLine {
  case: string;
  tag: string;
  n: number;
  done: number;
}

/**
 * The programs' own account. It comes on a way that no sensor uses: what they print is a tool result, and the agent tells
 * the model, so the gateway has it.
 */
export function readLedger(captureDir: string, exchanges: readonly Exchange[]): Map<string, LedgerLine> {
  const ledger = new Map<string, LedgerLine>();
  for (const { request } of exchanges) {
    const text = request.text ?? (request.file === null ? "" : bodyOf(captureDir, request.file));
    for (const line of linesOf(JSON.parse(text === "" ? "null" : text))) ledger.set(line.tag, line);
  }
  return ledger;
}

function bodyOf(captureDir: string, file: string): string {
  return fs.readFileSync(path.join(captureDir, path.dirname(LAYOUT.exchanges), file), "utf8");
}

function linesOf(value: unknown): LedgerLine[] {
  if (typeof value === "string") {
    return [...value.matchAll(/^RECALL (\{.*\})$/gm)].map(([, json = ""]) => JSON.parse(json) as LedgerLine);
  }
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(linesOf) : [];
}
