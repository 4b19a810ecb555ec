import * as z from "zod";
import { count } from "./common.ts";
import { containerRecord } from "./container.ts";
import {
  changeCounts,
  fileChange,
  fsDiff,
  network,
  observedConnection,
  observedProcess,
  processTree,
} from "./observations.ts";
import { runRecord } from "./run.ts";

/**
 * What readers get: every file in its newest form, whatever version wrote it. `null` stands where an older capture (or
 * a damaged file) can't say; it never means "none".
 */

type NullableShape<S extends z.ZodRawShape> = { [K in keyof S]: z.ZodNullable<S[K] & z.core.SomeType> };

function nullableKeys<S extends z.ZodRawShape>(schema: z.ZodObject<S>): z.ZodObject<NullableShape<S>> {
  const entries = Object.entries(schema.shape).map(([key, value]) => [key, z.nullable(value)]);
  // Object.fromEntries forgets which keys it got; they are those of `schema`.
  return z.object(Object.fromEntries(entries) as NullableShape<S>);
}

/** Version that wrote a file: 0 is the earlier program. */
const writtenVersion = count.describe("Version of the format the file was written in; 0: the earlier program.");

export const runView = nullableKeys(runRecord).extend({ schema_version: writtenVersion });
export type RunView = z.infer<typeof runView>;

export const containerView = nullableKeys(containerRecord).extend({ schema_version: writtenVersion });
export type ContainerView = z.infer<typeof containerView>;

export const processView = observedProcess.extend({
  argv: observedProcess.shape.argv.nullable(),
  start_time: observedProcess.shape.start_time.nullable(),
});
export type ProcessView = z.infer<typeof processView>;

export const processTreeView = z.object({
  generated_at: processTree.shape.generated_at.nullable(),
  snapshot_count: count.nullable(),
  processes: z.array(processView),
  truncated: z.boolean().nullable(),
});
export type ProcessTreeView = z.infer<typeof processTreeView>;

export const connectionView = observedConnection.extend({
  local: observedConnection.shape.local.nullable(),
  pids: observedConnection.shape.pids.nullable(),
  role: observedConnection.shape.role.nullable(),
});
export type ConnectionView = z.infer<typeof connectionView>;

export const networkView = z.object({
  generated_at: network.shape.generated_at.nullable(),
  snapshot_count: count.nullable(),
  connections: z.array(connectionView),
  truncated: z.boolean().nullable(),
});
export type NetworkView = z.infer<typeof networkView>;

export const changeCountsView = changeCounts.extend({ renamed: changeCounts.shape.renamed.nullable() });

const outsideView = z.object({
  root: z.string(),
  counts: changeCountsView,
  changes: z.array(fileChange),
  truncated: z.boolean().nullable(),
});

export const fsDiffView = z.object({
  generated_at: fsDiff.shape.generated_at.nullable(),
  workspace_dir: z.string().nullable(),
  counts: changeCountsView.nullable(),
  touched_sensitive_paths: z.boolean().nullable(),
  changes: z.array(fileChange),
  truncated: z.boolean().nullable(),
  outside_workspace: z.array(outsideView).nullable(),
  excluded: fsDiff.shape.excluded.unwrap().nullable(),
});
export type FsDiffView = z.infer<typeof fsDiffView>;
