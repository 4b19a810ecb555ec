import * as fs from "node:fs";
import * as path from "node:path";
import type { AgentModelConfig } from "../gateway/port.ts";

/** Where things stand inside the container. */
export const INSIDE = {
  workspace: "/workspace",
  home: "/home/agent",
  tmp: "/tmp",
  /** The user's fixed name; read-only, holds the pipe for native events. */
  capture: "/capture",
  config: "/opt/opencode-config",
} as const;

/** uid and gid of the agent, in any image. */
export const AGENT_UID = 10001;
export const AGENT_GID = 10001;

/** Below the configuration directory: OpenCode's place for what an administrator lays down. */
const MANAGED = "managed";

/** What OpenCode is told beside our own configuration. */
export interface AgentInstructions {
  /** OpenCode reads the working copy's own AGENTS.md, CLAUDE.md, opencode.json and plugins: untrusted, and meant so. */
  projectConfig: boolean;
  /** The user's own settings; ours come before them where both say something. */
  ownConfig: Readonly<Record<string, unknown>>;
}

/**
 * Writes what is mounted read-only as XDG_CONFIG_HOME: OpenCode's configuration and our plugin.
 * OpenCode starts slowly (an npm install) when it can write its configuration directory, and dies when a read-only one
 * lacks `.gitignore`. The file has `$schema` because OpenCode rewrites a file without it.
 */
export function writeAgentConfig(
  dir: string,
  model: AgentModelConfig,
  pluginFile: string | undefined,
  ownConfig: AgentInstructions["ownConfig"] = {},
): void {
  const config = path.join(dir, "opencode");
  fs.mkdirSync(path.join(config, "plugins"), { recursive: true });
  fs.writeFileSync(path.join(config, ".gitignore"), "");
  const provider = Object.keys(model.provider);
  const ours = {
    $schema: "https://opencode.ai/config.json",
    model: model.model,
    small_model: model.model,
    enabled_providers: provider,
    provider: model.provider,
    share: "disabled",
    autoupdate: false,
    snapshot: false,
  };
  const write = (to: string, content: object): void => {
    fs.writeFileSync(path.join(to, "opencode.json"), `${JSON.stringify(content, null, 2)}\n`);
  };
  write(config, { ...ownConfig, ...ours });
  fs.mkdirSync(path.join(dir, MANAGED), { recursive: true });
  write(path.join(dir, MANAGED), ours);
  if (pluginFile !== undefined) fs.copyFileSync(pluginFile, path.join(config, "plugins", path.basename(pluginFile)));
}

/** Hostname inside the container. */
export const HOSTNAME = "sandbox";

/**
 * Writes the name files that are mounted over the engine's: those copy the host's names, addresses and name servers into
 * the container. Without a name server a look-up fails at once.
 * @returns their paths.
 */
export function writeNameFiles(dir: string): { hosts: string; resolvConf: string } {
  const files = { hosts: path.join(dir, "hosts"), resolvConf: path.join(dir, "resolv.conf") };
  fs.writeFileSync(files.hosts, `127.0.0.1 localhost ${HOSTNAME}\n::1 localhost\n`, { mode: 0o644 });
  fs.writeFileSync(files.resolvConf, "# no network, no name server\n", { mode: 0o644 });
  return files;
}

/** The working copy is untrusted: its own configuration and plugins would run inside the agent's process. */
const NO_PROJECT_CONFIG = {
  OPENCODE_DISABLE_PROJECT_CONFIG: "1",
  OPENCODE_DISABLE_CLAUDE_CODE: "1",
  OPENCODE_DISABLE_EXTERNAL_SKILLS: "1",
};
const PERMISSION = { external_directory: "allow", doom_loop: "allow", read: { "*": "allow" } };

function permissionOf({ permission }: AgentInstructions["ownConfig"]): object {
  return typeof permission === "object" && permission !== null ? permission : {};
}

/** What the agent process and everything below it finds in its environment. Nothing here is secret. */
export function agentEnvironment(run: {
  runId: string;
  issueId: string;
  eventsPipe: string;
  instructions?: AgentInstructions | undefined;
}): Record<string, string> {
  const { projectConfig = false, ownConfig = {} } = run.instructions ?? {};
  return {
    HOME: INSIDE.home,
    XDG_CONFIG_HOME: INSIDE.config,
    TMPDIR: INSIDE.tmp,
    LANG: "C.UTF-8",
    MAS_RUN_ID: run.runId,
    MAS_ISSUE_ID: run.issueId,
    MAS_CAPTURE_DIR: INSIDE.capture,
    MAS_EVENTS: run.eventsPipe,
    // No look-ups of the world outside: there is none, and each would cost start-up time.
    OPENCODE_DISABLE_MODELS_FETCH: "1",
    OPENCODE_DISABLE_AUTOUPDATE: "1",
    OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
    OPENCODE_DISABLE_SHARE: "1",
    OPENCODE_DISABLE_DEFAULT_PLUGINS: "1",
    // Read last: what we say must hold against what the project says.
    ...(projectConfig ? { OPENCODE_TEST_MANAGED_CONFIG_DIR: `${INSIDE.config}/${MANAGED}` } : NO_PROJECT_CONFIG),
    // `ask` would be rejected without a person and end the run with exit code 0; the sandbox is what confines the agent.
    OPENCODE_PERMISSION: JSON.stringify({ ...PERMISSION, ...permissionOf(ownConfig) }),
  };
}
