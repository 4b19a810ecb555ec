import type { CompletenessClass } from "../../schema/observations.ts";

/** What arrived from the plugin, counted. The records themselves are claims of the agent. */
export interface EventSinkResult {
  /** `missing`: not one line. `present`: at least one valid line. `invalid`: lines, but none valid. */
  status: "missing" | "present" | "invalid";
  /** Valid events in the file. */
  eventCount: number;
  validCount: number;
  /** Lines in the file that are no event: garbage, or cut by the limit on one line. */
  invalidCount: number;
  /** Bytes received, kept or not. */
  bytes: number;
  /** A limit or the file system cut the stream. */
  truncated: boolean;
  /** Bytes received that are not in the file. */
  lostBytes: number;
  /** Why the file or the pipe failed, if one did. */
  failure: string | undefined;
  /** Records that the plugin says it could not deliver. */
  dropped: number;
  /** Records missing in the plugin's numbering, the dropped ones among them. */
  sequenceGaps: number;
  sequenceRepeats: number;
  pluginAlive: boolean;
  pluginDisposed: boolean;
  /** Root session, by the first `session.created` without a parent. */
  sessionId: string | null;
  childSessionIds: string[];
  completeness: CompletenessClass;
}
