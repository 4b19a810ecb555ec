import type { ContainerSpec, Mount } from "../engine/port.ts";
import type { Issue } from "../schema/issue.ts";
import { AGENT_GID, AGENT_UID, type AgentInstructions, agentEnvironment, HOSTNAME, INSIDE } from "./agent-config.ts";
import { CONTAINER_LIMITS } from "./limits.ts";

/** Labels on everything that is created, so that it can be found again after a crash. */
export const LABEL = {
  run: "org.opencode-capture.run",
  /** Identity of the supervising process (core/process-identity.ts). */
  owner: "org.opencode-capture.owner",
} as const;

export interface SandboxInput {
  runId: string;
  owner: string;
  issue: Issue;
  imageRef: string;
  opencodeBin: string;
  seccompProfile: string;
  /** Name of the pipe for native events, in `pipesDir`. */
  eventsPipeName: string;
  hostDirs: { workspace: string; home: string; tmp: string; pipes: string; config: string };
  nameFiles: { hosts: string; resolvConf: string };
  instructions?: AgentInstructions | undefined;
}

/** argv of the agent. The prompt is not in it: an argument is limited to 128 KiB and OpenCode would add quotes. */
function agentCommand(opencodeBin: string, title: string): string[] {
  return [opencodeBin, "run", "--print-logs", `--title=${title}`];
}

/** The container of one run: everything it may touch is listed here. */
export function buildContainerSpec(input: SandboxInput): ContainerSpec {
  const { hostDirs } = input;
  const bind = (source: string, target: string, readOnly: boolean): Mount => ({
    kind: "bind",
    source,
    target,
    readOnly,
  });
  return {
    name: `opencode-capture-${input.runId.replace(/^capture-/, "")}`,
    image: input.imageRef,
    command: agentCommand(input.opencodeBin, input.issue.title),
    env: agentEnvironment({
      runId: input.runId,
      issueId: input.issue.id,
      eventsPipe: `${INSIDE.capture}/${input.eventsPipeName}`,
      instructions: input.instructions,
    }),
    labels: { [LABEL.run]: input.runId, [LABEL.owner]: input.owner },
    user: `${AGENT_UID}:${AGENT_GID}`,
    workdir: INSIDE.workspace,
    hostname: HOSTNAME,
    mounts: [
      bind(hostDirs.workspace, INSIDE.workspace, false),
      bind(hostDirs.home, INSIDE.home, false),
      bind(hostDirs.tmp, INSIDE.tmp, false),
      bind(hostDirs.pipes, INSIDE.capture, true),
      bind(hostDirs.config, INSIDE.config, true),
      bind(input.nameFiles.hosts, "/etc/hosts", true),
      bind(input.nameFiles.resolvConf, "/etc/resolv.conf", true),
    ],
    limits: CONTAINER_LIMITS,
    seccompProfile: input.seccompProfile,
  };
}
