import { INSIDE } from "../sandbox/agent-config.ts";
import { FileWitness } from "../sensors/fanotify/file-witness.ts";
import type { FilesystemSensor } from "../sensors/filesystem/filesystem-sensor.ts";
import type { Sensor } from "../sensors/port.ts";
import { freeBytes } from "./disk-room.ts";
import { runLimits } from "./run-limits.ts";
import type { RunState } from "./run-state.ts";

type WitnessRun = Pick<RunState, "plan" | "captureDir" | "workspaceDir" | "privateDir">;

/** The second witness of what is written in the places that the agent can write to, where the plan has one. */
export function fileWitness(run: WitnessRun, files: FilesystemSensor): Sensor[] {
  const { plan, captureDir, privateDir } = run;
  const witness = plan.fileWitness;
  if (witness === undefined) return [];
  const limits = runLimits(plan.limits);
  const sensor = new FileWitness({
    captureDir,
    scratchDir: privateDir.scratch,
    program: witness.program,
    directories: [
      { root: INSIDE.workspace, hostDir: run.workspaceDir },
      { root: INSIDE.home, hostDir: privateDir.home },
      { root: INSIDE.tmp, hostDir: privateDir.tmp },
      { root: "/dev/shm" },
    ],
    keptBytes: limits.file_contents,
    // What it keeps must neither stop the run for want of room nor take the room of the other records.
    roomBytes: () => freeBytes(captureDir) - limits.disk_reserve,
    hashesAtEnd: () => files.hashesAtEnd,
    onState: (state) => {
      witness.state = state;
    },
  });
  return [sensor];
}
