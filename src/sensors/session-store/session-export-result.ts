import { isoNow } from "../../core/clock.ts";
import type { CompletenessClass } from "../../schema/observations.ts";
import type { AgentOutcome } from "./agent-outcome.ts";

/** What was exported. All of its content is the agent's own record. */
export interface SessionExportResult {
  /** session/export.json was written. */
  saved: boolean;
  /** Of the process that read the store; 0 when it succeeded, `null` when it was killed. */
  exitCode: number | null;
  /** Root session, `ses_…`. */
  sessionId: string | null;
  /** Other sessions written to session/children/. */
  children: string[];
  /** Sessions of the store that are not, or not as valid exports, among the files. */
  skipped: number;
  /** Why nothing was saved. */
  reason: string | undefined;
  /** How the agent's session ended, by its own record; `null` when that could not be read. */
  outcome: AgentOutcome | null;
  opencodeVersion: string | null;
  completeness: CompletenessClass;
}

export type Partly = Omit<SessionExportResult, "completeness">;

/** What is known before anything was read. */
export const NOTHING: Partly = {
  saved: false,
  exitCode: null,
  sessionId: null,
  children: [],
  skipped: 0,
  reason: undefined,
  outcome: null,
  opencodeVersion: null,
};

/** How well the store was exported. It says nothing of the truth of its content. */
export function exportCompleteness(result: Partly): CompletenessClass {
  const base = { class: "session-export" as const, sensor: "session-store", from: null, to: isoNow() };
  if (!result.saved) {
    const reason = result.reason ?? "no session was exported";
    return { ...base, level: "absent", reason, lost: null, started_before_agent: null };
  }
  const exported = `the root session and ${result.children.length} others were exported`;
  if (result.skipped > 0) {
    const reason = `${exported}, ${result.skipped} were not (logs/opencode_export.stderr.log)`;
    return { ...base, level: "lossy", reason, lost: result.skipped, started_before_agent: null };
  }
  return {
    ...base,
    level: "complete",
    reason: `${exported}; the store held no more`,
    lost: 0,
    started_before_agent: null,
  };
}
