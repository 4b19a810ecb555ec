import { createHash } from "node:crypto";
import * as path from "node:path";
import type { ContainerRecord } from "../../src/schema/container.ts";
import type { Issue } from "../../src/schema/issue.ts";
import type { RunRecord } from "../../src/schema/run.ts";

const HASH = createHash("sha256").update("sample").digest("hex");
const STARTED_AT = "2026-11-22T16:20:00.000Z";
const FINISHED_AT = "2026-11-22T16:20:08.400Z";

export function issueSample(): Issue {
  const file = "tasks/fixtures/fix_math_utils/math_utils.py";
  return {
    id: "fix_math_utils",
    risk_level: "safe",
    title: "Fix the broken add helper",
    prompt: `The helper in ${file} is wrong. Fix the implementation so add(2, 3) returns 5, then write a short explanation in RESULT.md.`,
    files: [{ source: file, destination: file }],
  };
}

/** meta/run.json of a completed run. */
export function runSample(captureDir: string): RunRecord {
  return {
    ...legacyKeys(captureDir),
    end_reason: "exit",
    end_detail: "the agent ended with exit code 0",
    interrupted: false,
    completeness: "absent",
    tool_version: "0.1.0",
    host: { platform: "linux", kernel: "6.1.0", node: "24.21.0", boot_id: null },
    supervisor: { pid: 4242, start_time: "88000" },
    prompt_sha256: HASH,
    prompt_bytes: 400,
    project_dir: "/srv/project",
    agent_config: { project_config: false, opencode_config: null, opencode_config_sha256: null },
    model: {
      requested: "scripted",
      provider: "scripted",
      model: "scripted",
      persona: "careful",
      script_sha256: HASH,
      exchange_count: 4,
      error_count: 0,
      input_tokens: 4200,
      output_tokens: 160,
      cost_usd: null,
      base_url: null,
      key_source: null,
    },
    sensor: { requested: "auto", used: "polling", reason: "no better sensor is built in" },
    file_witness: { used: true, reason: "it is built, and this kernel lets it watch" },
    packet_witness: null,
    selftest: null,
    native_events: {
      lines: 77,
      valid: 77,
      invalid: 0,
      bytes: 40_000,
      dropped_by_plugin: 0,
      sequence_gaps: 0,
      truncated: false,
      plugin_alive: true,
      plugin_disposed: true,
    },
    agent_outcome: { last_finish: "stop", errors: [], rejected_permissions: [] },
    child_session_ids: [],
    kernel_counters: { oom_kills: 0, pids_limit_hits: 0, memory_peak_bytes: 512 << 20, cpu_seconds: 9.3 },
    output: { stdout_bytes: 200, stderr_bytes: 300, truncated: false },
    phases: [
      { name: "workspace", started_ms: 0, duration_ms: 16 },
      { name: "create", started_ms: 20, duration_ms: 106 },
      { name: "attach", started_ms: 130, duration_ms: 100 },
      { name: "agent", started_ms: 310, duration_ms: 7600 },
      { name: "after", started_ms: 7920, duration_ms: 130 },
    ],
    settings: { engine: "auto" },
  };
}

type LegacyKeys = Pick<RunRecord, "schema_version" | "run_id"> & Omit<RunRecord, LaterKeys>;
type LaterKeys =
  | "end_reason"
  | "end_detail"
  | "interrupted"
  | "completeness"
  | "tool_version"
  | "host"
  | "supervisor"
  | "prompt_sha256"
  | "prompt_bytes"
  | "project_dir"
  | "agent_config"
  | "model"
  | "sensor"
  | "file_witness"
  | "packet_witness"
  | "selftest"
  | "native_events"
  | "agent_outcome"
  | "child_session_ids"
  | "kernel_counters"
  | "output"
  | "phases"
  | "settings";

function legacyKeys(captureDir: string): LegacyKeys {
  return {
    schema_version: 1,
    run_id: "capture-0123456789ab",
    issue_id: "fix_math_utils",
    issue_title: "Fix the broken add helper",
    risk_level: "safe",
    image_ref: "localhost/opencode-capture-agent:1",
    capture_dir: captureDir,
    workspace_dir: path.join(captureDir, "workspace"),
    keep_workspace: false,
    docker_bin: "podman",
    opencode_bin: "opencode",
    command: ["opencode", "run", "--print-logs", "--title", "Fix the broken add helper"],
    resource_limits: { cpus: "2", memory: "4g", pids: 256 },
    started_at: STARTED_AT,
    finished_at: FINISHED_AT,
    duration_seconds: 8.4,
    run_status: "completed",
    capture_status: "completed",
    capture_valid: true,
    container_name: "opencode-capture-0123456789ab",
    container_exit_code: 0,
    exit_code: 0,
    execution_error: null,
    timed_out: false,
    oom_killed: false,
    timeout_seconds: 300,
    native_events_status: "present",
    event_count: 77,
    session_id: "ses_2040c21ee001EMJNR83HW4vhhN",
    export_saved: true,
    export_exit_code: 0,
    summary_path: path.join(captureDir, "derived/summary.json"),
    report_path: path.join(captureDir, "report/index.html"),
    report_error: null,
  };
}

export function containerSample(): ContainerRecord {
  return {
    schema_version: 1,
    generated_at: STARTED_AT,
    engine: {
      kind: "podman",
      bin: "podman",
      version: "4.3.1",
      runtime: "runc",
      runtime_version: "1.1.5",
      rootless: false,
      cgroup_version: "v2",
      storage_driver: "overlay",
    },
    image: {
      ref: "localhost/opencode-capture-agent:1",
      id: `sha256:${HASH}`,
      digests: [],
      labels: {},
      size_bytes: 500_000_000,
      created_at: STARTED_AT,
      architecture: "amd64",
    },
    opencode_version: "1.18.33",
    container: {
      id: HASH,
      name: "opencode-capture-0123456789ab",
      command: ["opencode", "run", "--print-logs"],
      user: "10001:10001",
      workdir: "/workspace",
      hostname: "sandbox",
      env_names: ["HOME", "MAS_RUN_ID"],
      labels: { "opencode-capture.run": "capture-0123456789ab" },
      mounts: [
        { kind: "bind", source: "/srv/captures/x/workspace", target: "/workspace", read_only: false },
        { kind: "bind", source: "/srv/captures/x/pipe", target: "/capture", read_only: true },
      ],
      limits: { cpus: 2, memory_bytes: 4 * 1024 ** 3, pids: 256, nofile: 1024, nproc: 4096 },
      network: "none",
      read_only_root: true,
      seccomp_sha256: HASH,
    },
    measured: {
      cap_eff: "0000000000000000",
      cap_bnd: "0000000000000000",
      no_new_privs: true,
      seccomp_mode: 2,
      uid: 10_001,
      gid: 10_001,
      network_interfaces: ["lo"],
    },
    state_times: { created_at: STARTED_AT, started_at: STARTED_AT, exited_at: FINISHED_AT },
    engine_inspect: { Id: HASH },
  };
}
