import * as fs from "node:fs";
import * as path from "node:path";
import { removeTree } from "../workspace/remove-tree.ts";
import type { RunState } from "./run-state.ts";

/** Removes the container and the run's private directories. */
export async function cleanUp(run: RunState): Promise<void> {
  if (run.container !== undefined) await run.plan.engine.removeContainer(run.container.id);
  if (!run.plan.keepWorkspace) await removeTree(run.workspaceDir);
  await removeTree(run.privateDir.dir);
}

/** Takes back a run that never began: nothing was captured, so nothing is left. */
export async function discardRun(run: RunState): Promise<void> {
  await Promise.allSettled([run.gateway?.close(), run.sink?.close(), ...run.sensors.map((sensor) => sensor.stop())]);
  if (run.container !== undefined) await run.plan.engine.removeContainer(run.container.id);
  await removeTree(run.privateDir.dir);
  await removeTree(run.captureDir);
  const runs = path.dirname(run.privateDir.dir);
  if (fs.existsSync(runs) && fs.readdirSync(runs).length === 0) fs.rmSync(runs, { recursive: true });
}
