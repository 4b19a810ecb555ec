import * as fs from "node:fs";
import * as path from "node:path";
import { errorMessage } from "../core/errors.ts";
import { storage, writeFully } from "../core/storage.ts";
import { LAYOUT } from "../evidence/layout.ts";
import type { Collected } from "./collect.ts";
import type { AgentEnd } from "./follow.ts";
import type { RunState } from "./run-state.ts";

/**
 * `logs/container.log`: what the engine reports of the container, then the agent's two output streams as they arrived. When
 * there is no room for the streams, it says so and holds the report alone: they have logs of their own.
 * @throws what the system says when something of it could not be written.
 */
export function writeContainerLog(run: RunState, end: AgentEnd, collected: Collected): void {
  const target = path.join(run.captureDir, LAYOUT.containerLog);
  const combined = path.join(run.privateDir.scratch, "combined.log");
  const report = `${engineReport(run, end, collected).join("\n")}\n\n`;
  try {
    writeWhole(target, report, fs.existsSync(combined) ? combined : undefined);
    const { missing } = collected.output;
    if (missing > 0) appendLine(target, `# ${missing} bytes are missing above; see the logs of the two streams`);
  } catch (error) {
    writeWhole(target, `${report}# not written, see the logs of the two streams: ${errorMessage(error)}\n`, undefined);
    throw error;
  }
}

function writeWhole(target: string, report: string, combined: string | undefined): void {
  const fd = storage().open(target, "w", 0o644);
  try {
    writeFully(fd, Buffer.from(report));
    if (combined !== undefined) append(fd, combined);
  } finally {
    storage().close(fd);
  }
}

function appendLine(target: string, line: string): void {
  const fd = storage().open(target, "a", 0o644);
  try {
    writeFully(fd, Buffer.from(`\n${line}\n`));
  } finally {
    storage().close(fd);
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

function append(to: number, source: string): void {
  const from = fs.openSync(source, "r");
  const buffer = Buffer.alloc(1 << 20);
  try {
    for (let length = fs.readSync(from, buffer); length > 0; length = fs.readSync(from, buffer)) {
      writeFully(to, buffer.subarray(0, length));
    }
  } finally {
    fs.closeSync(from);
  }
}
