import * as fs from "node:fs";
import * as path from "node:path";
import { removeTree } from "../workspace/remove-tree.ts";
import type { RunState } from "./run-state.ts";

/** Removes the container and the working copy. */
export async function cleanUp(run: RunState): Promise<void> {
  await allThenThrow([
    () => removeContainer(run),
    async () => {
      if (!run.plan.keepWorkspace) await removeTree(run.workspaceDir);
    },
  ]);
}

/** Removes the private directory. Last, and only when all else is done: it is what leads the next start to the rest. */
export async function forgetRun(run: RunState): Promise<void> {
  await removeTree(run.privateDir.dir);
}

/** Frees what the agent has written and nobody needs any more once it was compared and exported. */
export async function makeRoom(run: RunState): Promise<void> {
  const { home, tmp } = run.privateDir;
  const dirs = run.plan.keepWorkspace ? [home, tmp] : [run.workspaceDir, home, tmp];
  await Promise.allSettled(dirs.map(removeTree));
}

/** Takes back a run that never began: nothing was captured, so nothing is left. */
export async function discardRun(run: RunState): Promise<void> {
  await Promise.allSettled([
    run.gateway?.close(),
    run.sink?.close(),
    run.output?.close(),
    ...run.sensors.map((sensor) => sensor.stop()),
  ]);
  // Out of sight in one step: killed from here on, a private directory is all that the next start finds.
  const discarded = path.join(run.privateDir.dir, "discarded");
  await allThenThrow([() => fs.promises.rename(run.captureDir, discarded), () => removeContainer(run)]);
  await removeTree(run.privateDir.dir);
}

async function removeContainer(run: RunState): Promise<void> {
  if (run.container !== undefined) await run.plan.engine.removeContainer(run.container.id);
}

/** One after the other, each of them whatever became of those before; then throws the first error. */
async function allThenThrow(steps: readonly (() => Promise<void>)[]): Promise<void> {
  let failure: { error: unknown } | undefined;
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure !== undefined) throw failure.error;
}
