import * as fs from "node:fs";
import * as path from "node:path";
import { writeJsonAtomic } from "../core/atomic-file.ts";
import { isoNow } from "../core/clock.ts";
import { errorMessage } from "../core/errors.ts";
import { LAYOUT } from "../evidence/layout.ts";
import { SCHEMA_VERSION } from "../schema/common.ts";
import type { CompletenessClass, FsDiff, Network, ProcessTree } from "../schema/observations.ts";

/**
 * Writes those of the three required observations that no sensor could write, empty. An empty list alone would read as
 * "nothing happened", so each comes with a class `absent`.
 * @returns those classes.
 */
export function writeMissingObservations(
  captureDir: string,
  workspaceDir: string,
  problems: string[],
): CompletenessClass[] {
  const head = { schema_version: SCHEMA_VERSION, generated_at: isoNow() } as const;
  const processTree: ProcessTree = { ...head, snapshot_count: 0, snapshots: [], processes: [], truncated: false };
  const network: Network = { ...head, snapshot_count: 0, snapshots: [], connections: [], truncated: false };
  const fsDiff: FsDiff = {
    ...head,
    workspace_dir: workspaceDir,
    counts: { created: 0, modified: 0, deleted: 0, total: 0, renamed: 0 },
    touched_sensitive_paths: false,
    changes: [],
    truncated: false,
    outside_workspace: [],
  };
  const wanted = [
    { file: LAYOUT.processTree, value: processTree, classes: ["process"] as const },
    { file: LAYOUT.network, value: network, classes: ["network"] as const },
    { file: LAYOUT.fsDiff, value: fsDiff, classes: ["file-workspace", "file-outside"] as const },
  ];
  const absent: CompletenessClass[] = [];
  for (const { file, value, classes } of wanted) {
    const target = path.join(captureDir, file);
    if (fs.existsSync(target)) continue;
    try {
      writeJsonAtomic(target, value);
    } catch (error) {
      problems.push(errorMessage(error));
    }
    absent.push(...classes.map(absentClass));
  }
  return absent;
}

function absentClass(name: CompletenessClass["class"]): CompletenessClass {
  return {
    class: name,
    level: "absent",
    sensor: "none",
    reason: "no sensor wrote this observation, so its emptiness says nothing",
    lost: null,
    from: null,
    to: null,
    started_before_agent: null,
  };
}
