import * as fs from "node:fs";
import * as path from "node:path";
import * as z from "zod";
import { writeJsonAtomic } from "../core/atomic-file.ts";
import { CaptureError, errnoOf, errorMessage } from "../core/errors.ts";
import { SCHEMA_VERSION } from "../schema/common.ts";

/** Below the capture root; hidden, so that nobody takes it for a capture. */
const BATCH_FILE = ".batch.json";

const batchItem = z.object({
  issue_id: z.string(),
  /** `running` in a file that no process writes any more: the batch was cut off in this run. */
  state: z.enum(["waiting", "running", "done"]),
  success: z.boolean().nullable(),
  capture_dir: z.string().nullable(),
  run_status: z.string().nullable(),
  error: z.string().nullable(),
  duration_seconds: z.number().nullable(),
});
export type BatchItem = z.infer<typeof batchItem>;

const batchState = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  started_at: z.string(),
  finished_at: z.string().nullable(),
  model: z.string(),
  items: z.array(batchItem),
});
export type BatchState = z.infer<typeof batchState>;

export function newBatch(issueIds: readonly string[], model: string): BatchState {
  return {
    schema_version: SCHEMA_VERSION,
    started_at: new Date().toISOString(),
    finished_at: null,
    model,
    items: issueIds.map((issue_id) => ({
      issue_id,
      state: "waiting",
      success: null,
      capture_dir: null,
      run_status: null,
      error: null,
      duration_seconds: null,
    })),
  };
}

export function saveBatch(captureRoot: string, state: BatchState): void {
  writeJsonAtomic(path.join(captureRoot, BATCH_FILE), state);
}

/**
 * The last batch below `captureRoot`, for `--resume`.
 * @throws CaptureError `usage` when there is none, or it was finished, or its record is broken.
 */
export function loadInterruptedBatch(captureRoot: string): BatchState {
  const file = path.join(captureRoot, BATCH_FILE);
  const hint = "start a new batch without --resume";
  let content: unknown;
  try {
    content = JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (error) {
    const why = errnoOf(error) === "ENOENT" ? `no batch was run with captures in ${captureRoot}` : errorMessage(error);
    throw new CaptureError("usage", `there is nothing to resume: ${why}`, { hint, cause: error });
  }
  const parsed = batchState.safeParse(content);
  if (!parsed.success)
    throw new CaptureError("usage", `${file} is not a batch record: ${z.prettifyError(parsed.error)}`, { hint });
  if (parsed.data.finished_at !== null) {
    throw new CaptureError("usage", `the last batch was finished at ${parsed.data.finished_at}`, { hint });
  }
  return parsed.data;
}
