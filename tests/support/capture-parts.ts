import { createHash } from "node:crypto";
import type { ContainerRecord } from "../../src/schema/container.ts";
import type { Exchange } from "../../src/schema/exchange.ts";
import type { Issue } from "../../src/schema/issue.ts";
import type { NativeEvent } from "../../src/schema/native-event.ts";
import type { Completeness, FsDiff, Network, ProcessTree } from "../../src/schema/observations.ts";
import type { RunRecord } from "../../src/schema/run.ts";

/** Everything that makes a capture, each part in the form of its schema. */
export interface CaptureParts {
  run: RunRecord;
  container: ContainerRecord | null;
  issue: Issue;
  processTree: ProcessTree | null;
  network: Network | null;
  fsDiff: FsDiff | null;
  completeness: Completeness | null;
  events: NativeEvent[];
  exchanges: Exchange[];
  /** By file name below logs/. */
  logs: Record<string, string>;
}

export function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
