import type { EndReason, KernelCounters, RunStatus } from "../schema/run.ts";

/** What the supervisor itself did to end a run. */
export type StopCause =
  | "time-limit"
  | "idle-limit"
  | "token-limit"
  | "disk-limit"
  | "disk-full"
  | "model-lost"
  | "interrupted";

/** Everything known at the end of a run. */
export interface EndFacts {
  /** Why we stopped it; undefined when it ended by itself. */
  stoppedBy: StopCause | undefined;
  exitCode: number | null;
  /** The engine failed us: its message. */
  engineError: string | undefined;
  /** The run broke before or beside the agent: the error's message. */
  supervisorError: string | undefined;
  counters: KernelCounters;
  /** From the session store; a claim of the agent. `null`: no store, or unreadable. */
  outcome: { lastFinish: string | null; errors: readonly string[]; rejectedPermissions: readonly string[] } | null;
  /** Finish reason of the last model answer that the gateway saw. */
  gatewayFinish: string | null;
  /** Why the model could not be reached; null where it could. */
  modelUnreachable: string | null;
  /** What the run had used up of the model when a request was refused for it; null: nothing was refused. */
  modelLimitReached: string | null;
  limits: { timeoutSeconds: number; idleSeconds: number; diskReserveBytes: number; agentFilesBytes: number };
}

export interface Verdict {
  runStatus: RunStatus;
  endReason: EndReason;
  /** One sentence for people. */
  detail: string;
}

const SIGKILL_EXIT = 137;

/**
 * Decides how a run ended. An exit code of 0 alone proves nothing: OpenCode ends with 0 after a rejected permission,
 * so the session store and the gateway must agree. What the kernel counted comes before what the engine says.
 */
export function judgeEnd(facts: EndFacts): Verdict {
  return judgeStop(facts) ?? judgeBreakage(facts) ?? judgeAgent(facts);
}

function judgeStop(facts: EndFacts): Verdict | undefined {
  switch (facts.stoppedBy) {
    case "interrupted":
      return { runStatus: "interrupted", endReason: "interrupted", detail: "The run was interrupted by its user." };
    case "time-limit":
      return verdict(
        "timeout",
        "time-limit",
        `The run was stopped at its time limit of ${facts.limits.timeoutSeconds} s.`,
      );
    case "idle-limit":
      return verdict(
        "timeout",
        "idle-limit",
        `The run was stopped: no model traffic, no output and no CPU use for ${facts.limits.idleSeconds} s.`,
      );
    case "model-lost":
      return verdict(
        "infra_error",
        "model-unreachable",
        "The run was stopped: the socket by which the agent reaches the model was closed under it.",
      );
    case "disk-limit":
      return verdict(
        "failed",
        "disk-limit",
        `The run was stopped: the agent had written more than the ${facts.limits.agentFilesBytes} bytes that its files may have.`,
      );
    case "disk-full":
      return verdict(
        "infra_error",
        "disk-full",
        `The run was stopped: less than ${facts.limits.diskReserveBytes} bytes were left on the captures' disk, or room for few more files.`,
      );
    case "token-limit":
      return tokenLimit(facts.modelLimitReached ?? "a limit was reached");
    case undefined:
      return undefined;
  }
}

function judgeBreakage(facts: EndFacts): Verdict | undefined {
  if (facts.supervisorError !== undefined) return verdict("infra_error", "engine-lost", facts.supervisorError);
  if (facts.exitCode === SIGKILL_EXIT && (facts.counters.oom_kills ?? 0) > 0) {
    return verdict("oom_killed", "oom", "The kernel killed the agent because the container had used all its memory.");
  }
  if (facts.engineError !== undefined) return verdict("infra_error", "engine-lost", facts.engineError);
  if (facts.exitCode === null) {
    return verdict("infra_error", "engine-lost", "The engine did not say how the container ended.");
  }
  return undefined;
}

function judgeAgent(facts: EndFacts): Verdict {
  const { exitCode, outcome } = facts;
  const exited =
    exitCode === SIGKILL_EXIT
      ? `The agent was killed (SIGKILL), not by this program; exit code ${exitCode}`
      : `The agent ended with exit code ${exitCode}`;
  if (exitCode !== 0 && (facts.counters.pids_limit_hits ?? 0) > 0) {
    return verdict("failed", "pids-limit", `${exited} after the kernel had refused new processes (pids limit).`);
  }
  if (exitCode !== 0 && facts.modelLimitReached !== null) return tokenLimit(facts.modelLimitReached);
  if (exitCode !== 0 && facts.modelUnreachable !== null) {
    return verdict("failed", "model-unreachable", `${exited}: ${facts.modelUnreachable}.`);
  }
  if (outcome !== null && outcome.rejectedPermissions.length > 0) {
    return verdict("failed", "permission-rejected", `${exited} after a rejected permission.`);
  }
  if (outcome !== null && outcome.errors.length > 0) {
    return verdict("failed", "error-record", `${exited} and recorded an error: ${outcome.errors[0]}`);
  }
  if (exitCode !== 0) return verdict("failed", "exit", `${exited}.`);
  const finish = outcome?.lastFinish ?? facts.gatewayFinish;
  if (finish === "stop") return verdict("completed", "exit", `${exited} and its last model step was finished.`);
  if (finish === null) return verdict("failed", "exit", `${exited}, but no finished model step is on record.`);
  return verdict("failed", "exit", `${exited}, but its last model step ended with \`${finish}\`, not \`stop\`.`);
}

function tokenLimit(spent: string): Verdict {
  return verdict("failed", "token-limit", `The run was ended because it may use no more of the model: ${spent}.`);
}

function verdict(runStatus: RunStatus, endReason: EndReason, detail: string): Verdict {
  return { runStatus, endReason, detail };
}
