import * as fs from "node:fs";
import * as path from "node:path";
import { errorMessage } from "../core/errors.ts";
import { LAYOUT } from "../evidence/layout.ts";
import type { Collected } from "./collect.ts";
import type { AgentEnd } from "./follow.ts";
import type { RunState } from "./run-state.ts";

/** `logs/container.log`: what the engine reports of the container, then the agent's two output streams as they arrived. */
export function writeContainerLog(run: RunState, end: AgentEnd, collected: Collected): void {
  const target = path.join(run.captureDir, LAYOUT.containerLog);
  const combined = path.join(run.privateDir.scratch, "combined.log");
  try {
    fs.writeFileSync(target, `${engineReport(run, end, collected).join("\n")}\n\n`);
    if (fs.existsSync(combined)) appendFile(target, combined);
  } catch (error) {
    collected.problems.push(`${LAYOUT.containerLog}: ${errorMessage(error)}`);
  }
}

function engineReport(run: RunState, end: AgentEnd, collected: Collected): string[] {
  const { description } = run.plan.engine;
  const { counters } = collected;
  return [
    `# engine: ${description.kind} ${description.version}, runtime ${description.runtime} ${description.runtimeVersion ?? ""}`.trimEnd(),
    `# image: ${run.plan.imageRef} ${run.plan.image.id}`,
    `# container: ${run.spec.name} ${run.container?.id ?? "was not created"}`,
    `# created ${run.createdAt ?? "-"}, agent started ${run.agentStartedAt ?? "-"}, exited ${run.exitedAt ?? "-"}`,
    `# exit code ${end.exitCode ?? "unknown"}${end.stoppedBy === undefined ? "" : `, stopped by the supervisor: ${end.stoppedBy}`}`,
    `# kernel: OOM kills ${counters.oom_kills ?? "unknown"}, forks refused by the pids limit ${counters.pids_limit_hits ?? "unknown"}`,
    ...(end.engineError === undefined ? [] : [`# engine error: ${end.engineError.replaceAll("\n", " ")}`]),
    ...collected.problems.map((problem) => `# warning: ${problem.replaceAll("\n", " ")}`),
    "# combined output of the agent, stdout and stderr in the order of arrival:",
  ];
}

function appendFile(target: string, source: string): void {
  const from = fs.openSync(source, "r");
  const to = fs.openSync(target, "a");
  const buffer = Buffer.alloc(1 << 20);
  try {
    for (let length = fs.readSync(from, buffer); length > 0; length = fs.readSync(from, buffer)) {
      fs.writeSync(to, buffer, 0, length);
    }
  } finally {
    fs.closeSync(from);
    fs.closeSync(to);
  }
}
