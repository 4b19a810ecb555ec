import type { ReadProblem } from "../evidence/reader-json.ts";
import type { StreamResult } from "../evidence/reader-streams.ts";
import type { Attribution } from "../schema/attribution.ts";
import { bestStatements } from "../schema/best-statement.ts";
import { shorten } from "../schema/display.ts";
import type { Completeness } from "../schema/observations.ts";
import type { Anomaly } from "../schema/summary.ts";
import type { FsDiffView, RunView } from "../schema/view.ts";

/** Everything that anomalies are drawn from. */
export interface AnomalyFacts {
  run: RunView;
  fsDiff: FsDiffView | null;
  completeness: Completeness | null;
  attribution: Attribution | null;
  events: StreamResult;
  exchanges: StreamResult;
  failedExchanges: number;
  /** Names of what was to be done at the model's provider, out of sight. */
  providerTools: { passed: ReadonlySet<string>; refused: ReadonlySet<string> };
  agentErrors: readonly string[];
  rejectedPermissions: number;
  problems: readonly ReadProblem[];
}

type Params = NonNullable<Anomaly["params"]>;

function anomaly(code: string, level: Anomaly["level"], message: string, params?: Params): Anomaly {
  return params === undefined ? { code, level, message } : { code, level, message, params };
}

const MAX_TEXT = 2_000;

/** How the run ended, as far as it is no ordinary end. */
function endings({ run }: AnomalyFacts): Anomaly[] {
  const found: Anomaly[] = [];
  const detail = { detail: shorten(run.end_detail ?? "", MAX_TEXT) };
  if (run.execution_error !== null && run.execution_error !== "") {
    const text = shorten(run.execution_error, MAX_TEXT);
    found.push(anomaly("execution_error", "error", text, { detail: text }));
  }
  if (run.timed_out === true || run.end_reason === "time-limit") {
    const seconds = run.timeout_seconds ?? 0;
    found.push(anomaly("timeout", "warning", `The run was stopped at its time limit of ${seconds} s.`, { seconds }));
  }
  if (run.end_reason === "idle-limit") {
    found.push(anomaly("idle", "warning", "The run was stopped because nothing moved any more.", detail));
  }
  if (run.interrupted === true || run.end_reason === "interrupted") {
    found.push(anomaly("interrupted", "warning", "The run was interrupted."));
  }
  const lost: Partial<Record<string, string>> = {
    "supervisor-lost": "The supervisor ended before the run did; the capture was finished later.",
    "engine-lost": "The container engine was lost during the run.",
    "model-unreachable": "The model could not be reached.",
    "token-limit": "The run was stopped at its token limit.",
    "disk-limit": "The agent was stopped: it had written more than its files may have.",
    "disk-full": "The run was stopped because the captures' disk was nearly full.",
  };
  const message = lost[run.end_reason ?? ""];
  if (message !== undefined) found.push(anomaly((run.end_reason ?? "").replace("-", "_"), "error", message, detail));
  if (run.schema_version > 0 && run.finished_at === null) {
    found.push(anomaly("unfinished", "warning", "The record has no end: the run goes on, or its supervisor was lost."));
  }
  if (run.capture_valid === false && run.finished_at !== null) {
    found.push(anomaly("capture_invalid", "error", "A required file of the capture was not written."));
  }
  return found;
}

function limitsHit({ run }: AnomalyFacts): Anomaly[] {
  const found: Anomaly[] = [];
  const kills = run.kernel_counters?.oom_kills ?? 0;
  if (run.oom_killed === true || run.end_reason === "oom" || kills > 0) {
    const message = "The kernel killed a process of the container for want of memory.";
    found.push(anomaly("oom", "error", message, { count: Math.max(kills, 1) }));
  }
  const hits = run.kernel_counters?.pids_limit_hits ?? 0;
  if (run.end_reason === "pids-limit" || hits > 0) {
    found.push(anomaly("pids_limit", "warning", "The limit on processes stopped new ones.", { count: hits }));
  }
  if (run.output?.truncated === true) {
    found.push(anomaly("output_truncated", "warning", "The agent printed more than the logs hold."));
  }
  return found;
}

function nativeEvents({ run, events }: AnomalyFacts): Anomaly[] {
  const found: Anomaly[] = [];
  if (run.native_events_status === "missing" || events.lines === 0) {
    const message = "No native event was recorded; the supervisor's own evidence stands without them.";
    found.push(anomaly("missing_native_events", "warning", message));
  }
  const invalid = Math.max(events.invalid, run.native_events?.invalid ?? 0);
  if (invalid > 0) {
    const lines = events.firstInvalid.join(", ");
    const message = `${invalid} lines of native events are broken${lines === "" ? "" : ` (lines ${lines})`}.`;
    found.push(anomaly("invalid_native_events", "warning", message, { count: invalid, lines }));
  }
  const native = run.native_events;
  if (native === null) return found;
  if (native.dropped_by_plugin > 0 || native.sequence_gaps > 0 || native.truncated) {
    const params = { dropped: native.dropped_by_plugin, gaps: native.sequence_gaps, truncated: native.truncated };
    const message = `Native events are missing: ${native.dropped_by_plugin} dropped by the plugin, ${native.sequence_gaps} holes in its numbering.`;
    found.push(anomaly("native_events_dropped", "warning", message, params));
  }
  if (!native.plugin_alive) {
    found.push(anomaly("plugin_not_loaded", "warning", "The plugin never announced itself."));
  }
  return found;
}

/** What acts at the provider is seen by nobody here, so it is said, refused or not. */
function providerTools({ providerTools: { passed, refused } }: AnomalyFacts): Anomaly[] {
  const found: Anomaly[] = [];
  const names = (set: ReadonlySet<string>): string => shorten([...set].join(", "), 300);
  if (passed.size > 0) {
    const message = `Requests to the model let the provider act by itself, out of sight: ${names(passed)}.`;
    found.push(anomaly("provider_tools_used", "warning", message, { names: names(passed) }));
  }
  if (refused.size > 0) {
    const message = `Requests to the model were refused because the provider was to act out of sight: ${names(refused)}.`;
    found.push(anomaly("provider_tools_refused", "warning", message, { names: names(refused) }));
  }
  return found;
}

function agentConduct(facts: AnomalyFacts): Anomaly[] {
  const { run, fsDiff } = facts;
  const found: Anomaly[] = [];
  const rejected = Math.max(facts.rejectedPermissions, run.agent_outcome?.rejected_permissions.length ?? 0);
  if (rejected > 0 || run.end_reason === "permission-rejected") {
    const message = "A permission that the agent asked for was rejected.";
    found.push(anomaly("permission_rejected", "warning", message, { count: Math.max(rejected, 1) }));
  }
  const errors = [...(run.agent_outcome?.errors ?? []), ...facts.agentErrors];
  if (errors.length > 0) {
    const detail = shorten(errors[0] ?? "", MAX_TEXT);
    found.push(
      anomaly("agent_error", "error", `The agent reported an error: ${detail}`, { count: errors.length, detail }),
    );
  }
  if (facts.failedExchanges > 0) {
    const message = `${facts.failedExchanges} exchanges with the model failed.`;
    found.push(anomaly("model_errors", "warning", message, { count: facts.failedExchanges }));
  }
  const sensitive = (fsDiff?.changes ?? []).filter((one) => one.sensitive_path);
  if (fsDiff?.touched_sensitive_paths === true || sensitive.length > 0) {
    const first = shorten(sensitive[0]?.path ?? "", 300);
    const message = `${sensitive.length} sensitive paths of the workspace were changed.`;
    found.push(anomaly("sensitive_paths_touched", "warning", message, { count: sensitive.length, first }));
  }
  if (run.export_saved === false && (run.session_id !== null || run.export_exit_code !== null)) {
    found.push(anomaly("export_failed", "warning", "The session could not be exported."));
  }
  return found;
}

/** Effects that no tool call explains, and claims in environments that the evidence does not bear out. */
function attributionOf({ attribution }: AnomalyFacts): Anomaly[] {
  const found: Anomaly[] = [];
  if (attribution === null) return found;
  if (attribution.unattributed > 0) {
    const first = attribution.unattributed_effects[0]?.text ?? "";
    const message = `${attribution.unattributed} effects are explained by no tool call, the first: ${first}`;
    found.push(anomaly("unattributed_effects", "warning", message, { count: attribution.unattributed, first }));
  }
  // A scrubbed mark alone is everyday: `env -i`, `su -`.
  const forged = attribution.mark_conflicts.filter((one) => one.kind !== "scrubbed");
  if (forged.length > 0) {
    const message = `${forged.length} processes carry the mark of a tool call that did not start them.`;
    found.push(anomaly("forged_marks", "warning", message, { count: forged.length }));
  }
  return found;
}

const LEVEL_OF = { complete: "info", sampled: "info", lossy: "warning", absent: "warning" } as const;

function observation({ completeness, exchanges, problems, run }: AnomalyFacts): Anomaly[] {
  const found: Anomaly[] = [];
  if (completeness === null) {
    const message = "Nothing says how well the run was observed: observations/completeness.json is missing or broken.";
    found.push(anomaly("incomplete_observation", "warning", message, { class: "all", level: "unknown", detail: "" }));
  }
  for (const one of bestStatements(completeness?.classes ?? [])) {
    if (one.level === "complete") continue;
    const detail = shorten(one.reason, MAX_TEXT);
    const params = { class: one.class, level: one.level, detail };
    found.push(
      anomaly("incomplete_observation", LEVEL_OF[one.level], `${one.class}: ${one.level} (${detail})`, params),
    );
  }
  for (const problem of problems) {
    const params = { file: problem.file, problem: problem.code, detail: shorten(problem.message, MAX_TEXT) };
    found.push(anomaly("evidence_problem", "error", params.detail, params));
  }
  if (exchanges.invalid > 0) {
    const detail = `model/exchanges.jsonl: ${exchanges.invalid} lines are broken (lines ${exchanges.firstInvalid.join(", ")})`;
    found.push(
      anomaly("evidence_problem", "error", detail, { file: "model/exchanges.jsonl", problem: "invalid-json", detail }),
    );
  }
  if (run.report_error !== null && run.report_error !== "") {
    const detail = shorten(run.report_error, MAX_TEXT);
    found.push(anomaly("report_error", "info", `The report could not be made at the time: ${detail}`, { detail }));
  }
  return found;
}

/** What a reader should know before anything else, worst first. Pure. */
export function findAnomalies(facts: AnomalyFacts): Anomaly[] {
  const all = [
    ...endings(facts),
    ...limitsHit(facts),
    ...agentConduct(facts),
    ...providerTools(facts),
    ...attributionOf(facts),
    ...nativeEvents(facts),
    ...observation(facts),
  ];
  const rank = { error: 0, warning: 1, info: 2 };
  return all.sort((a, b) => rank[a.level] - rank[b.level]);
}
