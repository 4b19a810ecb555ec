import { describe, expect, it } from "vitest";
import { type EndFacts, judgeEnd } from "./judge.ts";

const good: EndFacts = {
  stoppedBy: undefined,
  exitCode: 0,
  engineError: undefined,
  supervisorError: undefined,
  counters: { oom_kills: 0, pids_limit_hits: 0, memory_peak_bytes: 1, cpu_seconds: 1 },
  outcome: { lastFinish: "stop", errors: [], rejectedPermissions: [] },
  gatewayFinish: "stop",
  modelUnreachable: null,
  modelLimitReached: null,
  limits: { timeoutSeconds: 300, idleSeconds: 120, diskReserveBytes: 512, agentFilesBytes: 1024 },
};
const judged = (change: Partial<EndFacts>) => {
  const { runStatus, endReason } = judgeEnd({ ...good, ...change });
  return `${runStatus}/${endReason}`;
};
const counters = (change: Partial<EndFacts["counters"]>) => ({ counters: { ...good.counters, ...change } });

describe("judgeEnd", () => {
  it("calls a run completed only when exit code, store and gateway agree", () => {
    expect(judged({})).toBe("completed/exit");
    expect(judged({ outcome: null })).toBe("completed/exit");
    expect(judged({ outcome: null, gatewayFinish: null })).toBe("failed/exit");
    expect(judged({ outcome: { lastFinish: "tool-calls", errors: [], rejectedPermissions: [] } })).toBe("failed/exit");
  });
  it("does not trust exit code 0 after a rejected permission or an error record", () => {
    expect(judged({ outcome: { lastFinish: null, errors: [], rejectedPermissions: ["bash"] } })).toBe(
      "failed/permission-rejected",
    );
    expect(judged({ outcome: { lastFinish: "stop", errors: ["boom"], rejectedPermissions: [] } })).toBe(
      "failed/error-record",
    );
  });
  it("tells OOM and pids limit by the kernel's counters", () => {
    expect(judged({ exitCode: 137, ...counters({ oom_kills: 1 }) })).toBe("oom_killed/oom");
    expect(judged({ exitCode: 137 })).toBe("failed/exit");
    expect(judged({ ...counters({ oom_kills: 1 }) })).toBe("completed/exit");
    expect(judged({ exitCode: 1, ...counters({ pids_limit_hits: 3 }) })).toBe("failed/pids-limit");
  });
  it("puts what the supervisor did first", () => {
    expect(judged({ stoppedBy: "time-limit", exitCode: 137, ...counters({ oom_kills: 1 }) })).toBe(
      "timeout/time-limit",
    );
    expect(judged({ stoppedBy: "idle-limit", exitCode: 137 })).toBe("timeout/idle-limit");
    expect(judged({ stoppedBy: "disk-limit", exitCode: 137 })).toBe("failed/disk-limit");
    expect(judged({ stoppedBy: "model-lost", exitCode: 137 })).toBe("infra_error/model-unreachable");
    expect(judged({ stoppedBy: "disk-full", exitCode: 137 })).toBe("infra_error/disk-full");
    expect(judged({ stoppedBy: "interrupted", exitCode: null })).toBe("interrupted/interrupted");
  });
  it("names a lost engine and an unreachable model", () => {
    expect(judged({ exitCode: null })).toBe("infra_error/engine-lost");
    expect(judged({ engineError: "gone" })).toBe("infra_error/engine-lost");
    expect(judgeEnd({ ...good, exitCode: 1, modelUnreachable: "host can't be reached: nobody there" })).toEqual({
      runStatus: "failed",
      endReason: "model-unreachable",
      detail: "The agent ended with exit code 1: host can't be reached: nobody there.",
    });
  });
});
