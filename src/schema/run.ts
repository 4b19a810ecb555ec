import * as z from "zod";
import { completenessLevel, count, milliseconds, riskLevel, schemaVersion, sha256, timestamp } from "./common.ts";
import { selftestReference } from "./selftest.ts";

export const runStatus = z
  .enum(["completed", "failed", "timeout", "oom_killed", "infra_error", "interrupted"])
  .describe("How the run ended, in the closed set that scripts rely on.");
export type RunStatus = z.infer<typeof runStatus>;

export const endReason = z
  .enum([
    "exit",
    "error-record",
    "permission-rejected",
    "time-limit",
    "idle-limit",
    "disk-limit",
    "disk-full",
    "oom",
    "pids-limit",
    "model-unreachable",
    "token-limit",
    "engine-lost",
    "interrupted",
    "supervisor-lost",
  ])
  .describe("What ended the run, more precisely than `run_status`.");
export type EndReason = z.infer<typeof endReason>;

const nativeEventsStatus = z
  .enum(["missing", "present", "invalid"])
  .describe("`missing`: not one line. `present`: at least one valid line. `invalid`: lines, but none valid.");

const resourceLimits = z.object({
  cpus: z.string().describe("CPUs, as a decimal number in a string (the earlier program's form)."),
  memory: z.string().describe("Memory and swap together, for example `4g`."),
  pids: count.describe("Most processes and threads at a time."),
});

/** Counters of the container's own control group, read before it vanished. `null`: could not be read. */
export const kernelCounters = z.object({
  oom_kills: count.nullable().describe("Processes that the kernel killed for want of memory."),
  pids_limit_hits: count.nullable().describe("Forks refused by the pids limit."),
  memory_peak_bytes: count.nullable().describe("Most memory in use at a time."),
  cpu_seconds: z.number().nonnegative().nullable().describe("CPU time of all the container's processes."),
});
export type KernelCounters = z.infer<typeof kernelCounters>;

export const runPhase = z.object({
  name: z.string().describe("Name of the phase."),
  started_ms: milliseconds.describe("Since the start of the run, monotonic clock."),
  duration_ms: milliseconds.describe("How long it took."),
});
export type RunPhase = z.infer<typeof runPhase>;

const modelInfo = z.object({
  requested: z.string().describe("What was asked for with `--model`."),
  provider: z.string().describe("Provider of the model, as OpenCode names it."),
  model: z.string().describe("Name of the model at its provider."),
  persona: z.string().nullable().describe("Scripted models only."),
  script_sha256: sha256.nullable().describe("Scripted models only: the script's hash."),
  exchange_count: count.describe("Requests to the model."),
  error_count: count.describe("Exchanges that ended without a success status."),
  input_tokens: count.nullable().describe("As the model counts them; null when it does not."),
  output_tokens: count.nullable().describe("As the model counts them; null when it does not."),
  cost_usd: z
    .number()
    .nonnegative()
    .nullable()
    .default(null)
    .describe("US dollars, as far as the provider or the table of prices tells; null: not known."),
  base_url: z.string().nullable().default(null).describe("Live models only: where requests went."),
  key_source: z
    .string()
    .nullable()
    .default(null)
    .describe("Live models only: the variable or file that the key came from; never the key."),
});

const agentConfigInfo = z.object({
  project_config: z
    .boolean()
    .describe("It read the working copy's own AGENTS.md, CLAUDE.md, opencode.json and plugins."),
  opencode_config: z.string().nullable().describe("File of the user's own settings, `--opencode-config`."),
  opencode_config_sha256: sha256.nullable().describe("Hash of that file."),
});

const nativeEventsInfo = z.object({
  lines: count.describe("Lines that came."),
  valid: count.describe("Lines that have the form of a record."),
  invalid: count.describe("Lines that do not; they are kept."),
  bytes: count.describe("Bytes that came."),
  dropped_by_plugin: count.describe("Records the plugin says it had to drop."),
  sequence_gaps: count.describe("Holes in the plugin's own numbering."),
  truncated: z.boolean().describe("True when a limit of ours cut the stream."),
  plugin_alive: z.boolean().describe("The plugin announced itself."),
  plugin_disposed: z.boolean().describe("The plugin said goodbye: the agent ended in order."),
});

const agentOutcome = z.object({
  last_finish: z.string().nullable().describe("Finish reason of the last model step in the session store."),
  errors: z.array(z.string()).describe("Errors in the session."),
  rejected_permissions: z.array(z.string()).describe("Permissions that were asked for and rejected."),
});

const witnessState = z.object({
  used: z.boolean().describe("It watched."),
  reason: z.string().describe("Why, or why not."),
});

const sensorChoice = z.object({
  requested: z.string().describe("What was asked for with `--sensor`."),
  used: z.string().describe("The sensor that was used."),
  reason: z.string().describe("Why that one."),
});

/** `meta/run.json`. The keys up to `report_error` are the earlier program's. */
export const runRecord = z.object({
  schema_version: schemaVersion,
  run_id: z.string().describe("Name of the run."),
  issue_id: z.string().describe("Id of the task."),
  issue_title: z.string().describe("Title of the task."),
  risk_level: riskLevel,
  image_ref: z.string().describe("Image that was asked for."),
  capture_dir: z.string().describe("Absolute path of the capture at the time."),
  workspace_dir: z.string().describe("Absolute path of the working copy at the time."),
  keep_workspace: z.boolean().describe("`--keep-workspace` was given."),
  docker_bin: z.string().describe("The engine's command line program, docker or podman."),
  opencode_bin: z.string().describe("Name of the agent's binary inside the image."),
  command: z.array(z.string()).describe("argv of the agent inside the container. The prompt goes to standard input."),
  resource_limits: resourceLimits.describe("Limits of the container."),
  started_at: timestamp,
  finished_at: timestamp.nullable().describe("`null` while the run goes on."),
  duration_seconds: z.number().nullable().describe("From `started_at` to `finished_at`."),
  run_status: runStatus,
  capture_status: runStatus.describe("Mirrors `run_status`."),
  capture_valid: z
    .boolean()
    .describe(
      "meta/run.json and the three files observations/process_tree.json, fs_diff.json and network.json were written.",
    ),
  container_name: z.string().nullable().describe("Name of the container; null when none was made."),
  container_exit_code: z
    .number()
    .int()
    .nullable()
    .describe("Exit code of the container's first process, as the engine tells it."),
  exit_code: z.number().int().nullable().describe("Exit code of the agent."),
  execution_error: z.string().nullable().describe("Why the run could not be carried out."),
  timed_out: z.boolean().describe("The time limit ended it."),
  oom_killed: z.boolean().describe("The kernel killed a process for want of memory, by the kernel's own counter."),
  timeout_seconds: z.number().nonnegative().describe("The time limit."),
  native_events_status: nativeEventsStatus,
  event_count: count.describe("Valid native events."),
  session_id: z.string().nullable().describe("OpenCode's root session, `ses_…`."),
  export_saved: z.boolean().describe("`session/export.json` was written."),
  export_exit_code: z.number().int().nullable().describe("0: the session was read; null: it was not tried."),
  summary_path: z
    .string()
    .nullable()
    .describe("Absolute path of derived/summary.json; null when it could not be made."),
  report_path: z.string().nullable().describe("Absolute path of report/index.html; null when it could not be made."),
  report_error: z.string().nullable().describe("Why summary or report could not be made."),

  end_reason: endReason.nullable().describe("`null` while the run goes on."),
  end_detail: z.string().nullable().describe("One sentence on how the run ended."),
  interrupted: z.boolean().describe("Ctrl-C or a signal ended it."),
  completeness: completenessLevel.describe(
    "Worst level over all classes of events; details in observations/completeness.json.",
  ),
  tool_version: z.string().describe("Version of opencode-capture."),
  host: z.object({ platform: z.string(), kernel: z.string(), node: z.string(), boot_id: z.string().nullable() }),
  supervisor: z.object({
    pid: count.describe("The supervisor's process."),
    start_time: z.string().nullable().describe("Start time of the process, to tell a reused pid."),
  }),
  prompt_sha256: sha256,
  prompt_bytes: count.describe("Length of the prompt, UTF-8."),
  project_dir: z.string().describe("Project that the working copy was made of."),
  agent_config: agentConfigInfo
    .default({ project_config: false, opencode_config: null, opencode_config_sha256: null })
    .describe("What OpenCode read beside the configuration that this program makes."),
  model: modelInfo,
  sensor: sensorChoice,
  file_witness: witnessState
    .nullable()
    .default(null)
    .describe("The second witness of files (observations/file_contents.json); null: the run did not come to it."),
  packet_witness: witnessState
    .nullable()
    .default(null)
    .describe("The second witness of the network (observations/flows.json); null: the run did not come to it."),
  selftest: selftestReference
    .nullable()
    .default(null)
    .describe("The last self-test on this machine (`opencode-capture selftest`); null: there was none."),
  native_events: nativeEventsInfo,
  agent_outcome: agentOutcome.nullable().describe("What the session store says of the end; a claim of the agent."),
  child_session_ids: z.array(z.string()).describe("Sessions of subagents."),
  kernel_counters: kernelCounters,
  output: z.object({
    stdout_bytes: count.describe("Bytes printed, kept or not."),
    stderr_bytes: count.describe("Bytes printed, kept or not."),
    truncated: z.boolean().describe("True when the logs hold less than the agent printed."),
  }),
  phases: z.array(runPhase).describe("The supervisor's phases; some overlap."),
  settings: z.record(z.string(), z.unknown()).describe("The resolved settings, without secrets."),
});
export type RunRecord = z.infer<typeof runRecord>;
