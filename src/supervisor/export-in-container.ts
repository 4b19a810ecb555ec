import * as fs from "node:fs";
import * as path from "node:path";
import type { ContainerSpec } from "../engine/port.ts";
import { INSIDE } from "../sandbox/agent-config.ts";
import type { RunState } from "./run-state.ts";

/** An export takes about 4 s. */
const TIME_LIMIT_MS = 60_000;
const FILE = ".opencode-capture-export.json";

/** Standard output must be a regular file: into a pipe OpenCode writes only the first blocks and still ends with 0. */
const SCRIPT = `exec "$0" export "$1" > "${INSIDE.tmp}/${FILE}"`;

export interface ContainerExport {
  exitCode: number | null;
  /** Made by the agent's own program in the agent's own /tmp: hostile input. */
  stdoutFile: string;
}

/**
 * The second way to a session's export, for stores that the reader does not understand: `opencode export` in a container
 * like the run's, after the run. Needs /bin/sh in the image.
 */
export async function exportInContainer(run: RunState, sessionId: string): Promise<ContainerExport> {
  const { engine } = run.plan;
  const stdoutFile = path.join(run.privateDir.tmp, FILE);
  fs.rmSync(stdoutFile, { force: true, recursive: true });
  const container = await engine.prepare(exportSpec(run, sessionId));
  const timer = setTimeout(() => void engine.killContainer(container.id), TIME_LIMIT_MS);
  try {
    const process = container.start();
    process.stdin.on("error", () => {});
    process.stdin.end();
    process.stdout.resume();
    process.stderr.resume();
    const { exitCode } = await process.exited;
    return { exitCode, stdoutFile };
  } finally {
    clearTimeout(timer);
    await engine.removeContainer(container.id);
  }
}

function exportSpec(run: RunState, sessionId: string): ContainerSpec {
  return {
    ...run.spec,
    // Nobody listens any more for what the run's own profile may notify.
    seccompProfile: run.plan.seccompProfile,
    name: `${run.spec.name}-export`,
    command: ["/bin/sh", "-c", SCRIPT, run.plan.opencodeBin, sessionId],
    mounts: run.spec.mounts.map((mount) =>
      mount.kind === "bind" && mount.target === INSIDE.workspace ? { ...mount, readOnly: true } : mount,
    ),
  };
}
