import type { RiskLevel } from "./common.ts";
import type { Exchange, ToolCall } from "./exchange.ts";
import type { EndReason, RunStatus } from "./run.ts";
import type { Summary } from "./summary.ts";
import type { ContainerView } from "./view.ts";

/**
 * What the viewer shows, the same for a report (embedded) and for the browser (by HTTP). Not kept in captures: made from
 * the evidence by the program that shows it.
 */

/** One line of the list of captures. */
export interface CaptureListEntry {
  /** Name of its directory. */
  name: string;
  issueId: string | null;
  title: string | null;
  riskLevel: RiskLevel | null;
  startedAt: string | null;
  durationSeconds: number | null;
  runStatus: RunStatus | null;
  endReason: EndReason | null;
  captureValid: boolean | null;
  completeness: string | null;
  model: string | null;
  nativeEventsStatus: string | null;
  /** 0: the earlier program. `null`: meta/run.json is missing or unusable. */
  formatVersion: number | null;
  finished: boolean;
  /** Why its meta/run.json can't be read. */
  problem: string | null;
}

export interface PageMessage {
  role: string;
  text: string;
}

/** One exchange with the model, bounded for showing. */
export interface PageExchange
  extends Pick<
    Exchange,
    | "seq"
    | "started_at"
    | "duration_ms"
    | "first_byte_ms"
    | "method"
    | "path"
    | "wire_format"
    | "session_id"
    | "status"
    | "model"
    | "message_count"
    | "text"
    | "finish_reason"
    | "usage"
    | "error"
    | "error_kind"
    | "answer_state"
    | "reasoning"
  > {
  failed: boolean;
  toolCalls: ToolCall[];
  requestBytes: number;
  requestSha256: string;
  responseBytes: number | null;
  responseSha256: string | null;
  /** Messages that were not in the session's request before; `null`: the body was not kept whole, or not understood. */
  newMessages: PageMessage[] | null;
}

export interface PageLog {
  /** Relative path in the capture. */
  file: string;
  sizeBytes: number;
  /** The first part, or all of it when `tail` is `null`. */
  head: string;
  tail: string | null;
}

export interface PageFile {
  path: string;
  sizeBytes: number;
}

/** Something that was left out for want of room. */
export interface PageOmission {
  what:
    | "exchanges"
    | "messages"
    | "diffs"
    | "noise"
    | "timeline"
    | "texts"
    | "effects"
    | "processes"
    | "files"
    | "logs";
  kept: number;
  total: number;
}

export interface CapturePage {
  /** Name of the capture's directory. */
  name: string;
  toolVersion: string;
  summary: Summary;
  issue: {
    id: string | null;
    title: string | null;
    prompt: string | null;
    risk_level: string | null;
    files: string[];
  } | null;
  container: Omit<ContainerView, "engine_inspect"> | null;
  exchanges: PageExchange[];
  logs: PageLog[];
  files: PageFile[];
  omitted: PageOmission[];
}
