import * as fs from "node:fs";
import * as path from "node:path";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { containerRecord } from "../../src/schema/container.ts";
import { exchange } from "../../src/schema/exchange.ts";
import { completeness, fsDiff, network, processTree } from "../../src/schema/observations.ts";
import { runRecord } from "../../src/schema/run.ts";
import { summary } from "../../src/schema/summary.ts";

function json(dir: string, file: string): unknown {
  return JSON.parse(fs.readFileSync(path.join(dir, file), "utf8"));
}

/** Reads a finished capture, every file through its schema. */
export function readCapture(dir: string) {
  return {
    dir,
    run: runRecord.parse(json(dir, LAYOUT.run)),
    container: containerRecord.parse(json(dir, LAYOUT.container)),
    processTree: processTree.parse(json(dir, LAYOUT.processTree)),
    network: network.parse(json(dir, LAYOUT.network)),
    fsDiff: fsDiff.parse(json(dir, LAYOUT.fsDiff)),
    completeness: completeness.parse(json(dir, LAYOUT.completeness)),
    summary: summary.parse(json(dir, LAYOUT.summary)),
    exchanges: lines(dir, LAYOUT.exchanges).map((line) => exchange.parse(JSON.parse(line))),
    nativeEvents: lines(dir, LAYOUT.nativeEvents),
  };
}

/** Lines of a JSONL file; none when it does not exist. */
function lines(dir: string, file: string): string[] {
  const target = path.join(dir, file);
  if (!fs.existsSync(target)) return [];
  return fs
    .readFileSync(target, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

/** Names directly below the capture root, hidden ones included. The record of batches is none, nor is the place of running runs when it is empty. */
export function capturesIn(root: string): string[] {
  const isNone = (name: string): boolean =>
    name === ".batch.json" || (name === ".runs" && fs.readdirSync(path.join(root, name)).length === 0);
  return fs.existsSync(root) ? fs.readdirSync(root).filter((name) => !isNone(name)) : [];
}
