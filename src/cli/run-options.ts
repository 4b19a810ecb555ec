import { type Command, InvalidArgumentError, Option } from "commander";
import type { SettingFlags } from "./settings.ts";

/** Options as commander names them, for `run` and `run-all`. */
export interface RunOptions {
  issuesPath?: string;
  project?: string;
  captureRoot?: string;
  keepWorkspace?: boolean;
  engine?: string;
  dockerBin?: string;
  imageRef?: string;
  opencodeBin?: string;
  model?: string;
  sensor?: string;
  timeoutSeconds?: number;
  idleSeconds?: number;
  projectConfig?: boolean;
  opencodeConfig?: string;
  baseUrl?: string;
  maxTokens?: number;
  maxCost?: number;
  requestsPerMinute?: number;
  allowProviderTools?: boolean;
  limit?: string;
  failOn?: string;
  json?: boolean;
}

/** Adds the options that a single run and a batch share. */
export function addRunOptions(command: Command): Command {
  return command
    .option("--issues-path <file>", "tasks to choose from (default: tasks/issues.json of the project)")
    .option(
      "--project <dir>",
      "project whose copy the agent works on (default: this directory if it has tasks, else the one that came with the program)",
    )
    .option("--capture-root <dir>", "where captures go (default: artifacts/captures of the project)")
    .option("--keep-workspace", "keep the run's working copy in the capture")
    .addOption(new Option("--engine <name>", "container engine (default: auto)").choices(["auto", "docker", "podman"]))
    .option("--docker-bin <path>", "the engine's command line program, docker or podman")
    .option("--image-ref <ref>", "image to run, with OpenCode in it (default: built once by this program)")
    .option("--opencode-bin <name>", "name of OpenCode inside the image (default: opencode)")
    .option("--model <model>", "scripted, scripted:PERSONA, scripted:FILE or PROVIDER/MODEL (default: scripted)")
    .option("--project-config", "let OpenCode read the project's own AGENTS.md, CLAUDE.md, opencode.json and plugins")
    .option("--opencode-config <file>", "add these settings of OpenCode (JSON) to ours; the agent can read them")
    .option("--base-url <url>", "where the provider of a live model is, with its version segment")
    .option("--max-tokens <n>", "end the run when the model has used so many tokens, input and output", parseAbove0)
    .option("--max-cost <usd>", "end the run when the model has cost so many US dollars", parseAbove0)
    .option("--requests-per-minute <n>", "let the model be asked no more often", parseAbove0)
    .option(
      "--allow-provider-tools",
      "let requests through whose tools act at the provider (web search, remote MCP, …)",
    )
    .addOption(
      new Option("--sensor <name>", "how processes, files and connections are observed (default: auto)").choices([
        "auto",
        "kernel",
        "seccomp",
        "polling",
      ]),
    )
    .option("--timeout-seconds <n>", "time limit (default: 300, 600, 900 for safe, mild, severe)", parseAbove0)
    .option("--idle-seconds <n>", "end the run when nothing has moved for so long (default: 120)", parseAbove0)
    .option(
      "--limit <name=size>",
      "a limit on what a run may write, for example agent_stdout=8MiB (docs/operations.md); can be given several times",
      (pair: string, before: string | undefined) => (before === undefined ? pair : `${before},${pair}`),
    )
    .addOption(
      new Option(
        "--fail-on <what>",
        "exit with 4 when the agent failed (agent) or something could not be seen (incomplete)",
      ).choices(["agent", "incomplete"]),
    )
    .option("--json", "print JSON instead of text");
}

function parseAbove0(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError("it must be a number above 0.");
  return value;
}

/** The settings that these options set. */
export function settingFlags(options: RunOptions): SettingFlags {
  return {
    project: options.project,
    issues_path: options.issuesPath,
    capture_root: options.captureRoot,
    keep_workspace: options.keepWorkspace,
    engine: options.engine,
    docker_bin: options.dockerBin,
    image_ref: options.imageRef,
    opencode_bin: options.opencodeBin,
    model: options.model,
    sensor: options.sensor,
    timeout_seconds: options.timeoutSeconds,
    idle_seconds: options.idleSeconds,
    project_config: options.projectConfig,
    opencode_config: options.opencodeConfig,
    base_url: options.baseUrl,
    max_tokens: options.maxTokens,
    max_cost: options.maxCost,
    requests_per_minute: options.requestsPerMinute,
    allow_provider_tools: options.allowProviderTools,
    limits: options.limit,
    fail_on: options.failOn,
  };
}
