import * as fs from "node:fs";
import * as path from "node:path";
import { CAPTURE_DIRECTORIES, LAYOUT } from "../../src/evidence/layout.ts";
import { containerRecord } from "../../src/schema/container.ts";
import { exchange } from "../../src/schema/exchange.ts";
import { issue } from "../../src/schema/issue.ts";
import { nativeEvent } from "../../src/schema/native-event.ts";
import { completeness, fsDiff, network, processTree } from "../../src/schema/observations.ts";
import { runRecord } from "../../src/schema/run.ts";
import type { CaptureParts } from "./capture-parts.ts";
import { sampleParts } from "./capture-sample.ts";

/** Writes a capture directory below `root` and returns its path. Every part is checked against its schema first. */
export function makeCapture(root: string, name: string, change: (parts: CaptureParts) => void = () => {}): string {
  const dir = path.join(root, name);
  const parts = sampleParts(dir);
  change(parts);
  for (const sub of CAPTURE_DIRECTORIES) fs.mkdirSync(path.join(dir, sub), { recursive: true });
  const json = (file: string, value: unknown): void =>
    fs.writeFileSync(path.join(dir, file), `${JSON.stringify(value, null, 2)}\n`);
  const lines = (file: string, values: readonly unknown[]): void =>
    fs.writeFileSync(path.join(dir, file), values.map((value) => `${JSON.stringify(value)}\n`).join(""));
  json(LAYOUT.run, runRecord.parse(parts.run));
  json(LAYOUT.issue, issue.parse(parts.issue));
  if (parts.container) json(LAYOUT.container, containerRecord.parse(parts.container));
  if (parts.processTree) json(LAYOUT.processTree, processTree.parse(parts.processTree));
  if (parts.network) json(LAYOUT.network, network.parse(parts.network));
  if (parts.fsDiff) json(LAYOUT.fsDiff, fsDiff.parse(parts.fsDiff));
  if (parts.completeness) json(LAYOUT.completeness, completeness.parse(parts.completeness));
  lines(
    LAYOUT.nativeEvents,
    parts.events.map((one) => nativeEvent.parse(one)),
  );
  lines(
    LAYOUT.exchanges,
    parts.exchanges.map((one) => exchange.parse(one)),
  );
  for (const [file, text] of Object.entries(parts.logs)) fs.writeFileSync(path.join(dir, "logs", file), text);
  return dir;
}
