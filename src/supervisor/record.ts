import { createHash } from "node:crypto";
import * as os from "node:os";
import * as path from "node:path";
import { bootId, ownIdentity } from "../core/process-identity.ts";
import { LAYOUT } from "../evidence/layout.ts";
import { resourceLimitsRecord } from "../sandbox/limits.ts";
import { type CompletenessLevel, SCHEMA_VERSION } from "../schema/common.ts";
import type { RunRecord } from "../schema/run.ts";
import type { Collected } from "./collect.ts";
import type { AgentEnd } from "./follow.ts";
import type { Verdict } from "./judge.ts";
import type { RunState } from "./run-state.ts";

/**
 * meta/run.json as it stands while a run goes on. `finished_at` is null: a later start that finds it so, with its
 * supervisor gone, knows that the run was lost.
 */
export function openRecord(run: RunState): RunRecord {
  const { plan, spec } = run;
  const identity = ownIdentity();
  return {
    schema_version: SCHEMA_VERSION,
    run_id: run.runId,
    issue_id: plan.issue.id,
    issue_title: plan.issue.title,
    risk_level: plan.issue.risk_level,
    image_ref: plan.imageRef,
    capture_dir: run.captureDir,
    workspace_dir: run.workspaceDir,
    keep_workspace: plan.keepWorkspace,
    docker_bin: plan.engine.description.bin,
    opencode_bin: plan.opencodeBin,
    command: [...spec.command],
    resource_limits: resourceLimitsRecord(spec.limits),
    started_at: run.startedAt.toISOString(),
    finished_at: null,
    duration_seconds: null,
    run_status: "infra_error",
    capture_status: "infra_error",
    capture_valid: false,
    container_name: spec.name,
    container_exit_code: null,
    exit_code: null,
    execution_error: null,
    timed_out: false,
    oom_killed: false,
    timeout_seconds: plan.timeoutSeconds,
    native_events_status: "missing",
    event_count: 0,
    session_id: null,
    export_saved: false,
    export_exit_code: null,
    summary_path: path.join(run.captureDir, LAYOUT.summary),
    report_path: path.join(run.captureDir, LAYOUT.report),
    report_error: null,
    end_reason: null,
    end_detail: null,
    interrupted: false,
    completeness: "absent",
    tool_version: plan.toolVersion,
    host: { platform: `${os.platform()}-${os.arch()}`, kernel: os.release(), node: process.version, boot_id: bootId() },
    supervisor: { pid: identity.pid, start_time: identity.startTime },
    prompt_sha256: createHash("sha256").update(plan.prompt).digest("hex"),
    prompt_bytes: Buffer.byteLength(plan.prompt),
    project_dir: plan.projectDir,
    agent_config: agentConfigOf(plan),
    model: modelRecord(run),
    sensor: plan.sensor,
    file_witness: plan.fileWitness?.state ?? null,
    packet_witness: plan.packetWitness?.state ?? null,
    selftest: plan.selftest ?? null,
    ...nothingSeen(),
    settings: plan.settings,
  };
}

/** Before the agent has done anything. */
function nothingSeen(): Pick<
  RunRecord,
  "native_events" | "agent_outcome" | "child_session_ids" | "kernel_counters" | "output" | "phases"
> {
  return {
    native_events: NO_EVENTS,
    agent_outcome: null,
    child_session_ids: [],
    kernel_counters: { oom_kills: null, pids_limit_hits: null, memory_peak_bytes: null, cpu_seconds: null },
    output: { stdout_bytes: 0, stderr_bytes: 0, truncated: false },
    phases: [],
  };
}

function agentConfigOf({ instructions }: RunState["plan"]): RunRecord["agent_config"] {
  return {
    project_config: instructions?.projectConfig ?? false,
    opencode_config: instructions?.ownConfigFile ?? null,
    opencode_config_sha256: instructions?.ownConfigSha256 ?? null,
  };
}

const NO_EVENTS: RunRecord["native_events"] = {
  lines: 0,
  valid: 0,
  invalid: 0,
  bytes: 0,
  dropped_by_plugin: 0,
  sequence_gaps: 0,
  truncated: false,
  plugin_alive: false,
  plugin_disposed: false,
};

/** meta/run.json of a run that is over. */
export function finishedRecord(
  run: RunState,
  end: AgentEnd,
  collected: Collected,
  verdict: Verdict,
  outcome: { completeness: CompletenessLevel; valid: boolean },
): RunRecord {
  const { output, session } = collected;
  const failed = verdict.runStatus === "infra_error";
  return {
    ...openRecord(run),
    finished_at: new Date().toISOString(),
    duration_seconds: Math.round(run.timer.elapsedMs()) / 1000,
    run_status: verdict.runStatus,
    capture_status: verdict.runStatus,
    capture_valid: outcome.valid,
    container_exit_code: end.exitCode,
    exit_code: end.exitCode,
    execution_error: failed ? verdict.detail : null,
    timed_out: verdict.runStatus === "timeout",
    oom_killed: verdict.runStatus === "oom_killed",
    ...eventFields(collected),
    session_id: session?.sessionId ?? collected.events?.sessionId ?? null,
    export_saved: session?.saved ?? false,
    export_exit_code: session?.exitCode ?? null,
    end_reason: verdict.endReason,
    end_detail: verdict.detail,
    interrupted: verdict.runStatus === "interrupted",
    completeness: outcome.completeness,
    agent_outcome: agentOutcome(collected),
    child_session_ids: session?.children ?? [],
    kernel_counters: collected.counters,
    output: {
      stdout_bytes: output.stdout.bytesTotal,
      stderr_bytes: output.stderr.bytesTotal,
      truncated: output.stdout.truncated || output.stderr.truncated,
    },
    phases: run.timer.phases(),
  };
}

function agentOutcome(collected: Collected): RunRecord["agent_outcome"] {
  const outcome = collected.session?.outcome;
  if (outcome === undefined || outcome === null) return null;
  return {
    last_finish: outcome.lastFinish,
    errors: [...outcome.errors],
    rejected_permissions: [...outcome.rejectedPermissions],
  };
}

function eventFields(collected: Collected): Pick<RunRecord, "native_events_status" | "event_count" | "native_events"> {
  const { events } = collected;
  if (events === undefined) return { native_events_status: "missing", event_count: 0, native_events: NO_EVENTS };
  return {
    native_events_status: events.status,
    event_count: events.eventCount,
    native_events: {
      lines: events.validCount + events.invalidCount,
      valid: events.validCount,
      invalid: events.invalidCount,
      bytes: events.bytes,
      dropped_by_plugin: events.dropped,
      sequence_gaps: events.sequenceGaps,
      truncated: events.truncated,
      plugin_alive: events.pluginAlive,
      plugin_disposed: events.pluginDisposed,
    },
  };
}

function modelRecord({ gateway }: RunState): RunRecord["model"] {
  if (gateway === undefined) return NO_MODEL;
  const { info } = gateway;
  const totals = gateway.totals();
  return {
    requested: info.requested,
    provider: info.provider,
    model: info.model,
    persona: info.persona,
    script_sha256: info.scriptSha256,
    exchange_count: totals.exchangeCount,
    error_count: totals.errorCount,
    input_tokens: totals.inputTokens,
    output_tokens: totals.outputTokens,
    cost_usd: totals.costUsd,
    base_url: info.baseUrl,
    key_source: info.keySource,
  };
}

const NO_MODEL: RunRecord["model"] = {
  requested: "",
  provider: "",
  model: "",
  persona: null,
  script_sha256: null,
  exchange_count: 0,
  error_count: 0,
  input_tokens: null,
  output_tokens: null,
  cost_usd: null,
  base_url: null,
  key_source: null,
};
