import * as z from "zod";
import { sessionId } from "../../schema/native-event.ts";

/** What the reading process reports; it has looked at hostile input, so even its report is checked. */
export const readerResult = z.object({
  root: sessionId.nullable(),
  sessions: z
    .array(
      z.object({
        id: sessionId,
        bytes: z.number().int().nonnegative(),
        /** Why the file is no valid export, if it is none. */
        fault: z.string().nullable(),
      }),
    )
    .max(1000),
  /** Sessions that are in the store and not, or not as valid exports, among the files. */
  skipped: z.number().int().nonnegative(),
  opencodeVersion: z.string().max(100).nullable(),
  outcome: z
    .object({
      lastFinish: z.string().nullable(),
      errors: z.array(z.string()),
      rejectedPermissions: z.array(z.string()),
    })
    .nullable(),
  /** Why nothing could be read. */
  reason: z.string().nullable(),
});
export type ReaderResult = z.infer<typeof readerResult>;

/** A result in which nothing was found. */
export function emptyResult(): ReaderResult {
  return { root: null, sessions: [], skipped: 0, opencodeVersion: null, outcome: null, reason: null };
}

/** Order for the reading process, on its standard input. */
export const readerOrder = z.object({
  /** Directory with the private copy; the results go there too. */
  workDir: z.string(),
  /** `store`: a database `opencode.db`. `file`: one finished export `export.json`, to be checked. */
  mode: z.enum(["store", "file"]),
  rootSessionId: sessionId.nullable(),
  maxSessionBytes: z.number(),
  maxTotalBytes: z.number(),
  maxSessions: z.number(),
});
export type ReaderOrder = z.infer<typeof readerOrder>;

/** Files in the work directory. */
export const WORK_FILES = {
  database: "opencode.db",
  export: "export.json",
  result: "result.json",
  sessions: "sessions",
} as const;
