import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type FileChange, type FsDiff, fsDiff } from "../../src/schema/observations.ts";
import { createFilesystemSensor } from "../../src/sensors/filesystem/filesystem-sensor.ts";
import type { SensorReport } from "../../src/sensors/port.ts";
import { removeTree } from "../../src/workspace/remove-tree.ts";

export interface Observed {
  diff: FsDiff;
  report: SensorReport;
}

/** A working copy on this machine with the file sensor of a run on it, for attacks that need no container. */
export class ObservedTree {
  /** Holds the tree and, beside it, what must stay out of reach. */
  readonly dir: string;
  readonly root: string;

  constructor(place = os.tmpdir()) {
    this.dir = fs.mkdtempSync(path.join(place, "threat-"));
    this.root = path.join(this.dir, "workspace");
    for (const name of ["workspace", "scratch", "capture/observations"])
      fs.mkdirSync(path.join(this.dir, name), { recursive: true });
  }

  at(name: string): string {
    return path.join(this.root, name);
  }

  /** The state before, `attack`, and what the sensor writes about it; the file is read through its schema. */
  async observe(attack: () => void | Promise<void>, isSensitive: readonly string[] = []): Promise<Observed> {
    const captureDir = path.join(this.dir, "capture");
    const sensor = createFilesystemSensor({
      captureDir,
      workspaceDir: this.root,
      scratchDir: path.join(this.dir, "scratch"),
      outside: [],
      sensitivePatterns: isSensitive,
    });
    await sensor.prepare();
    await sensor.attach({ pid: process.pid, containerId: "none", cgroupDirs: {} });
    await attack();
    const report = await sensor.stop();
    const text = fs.readFileSync(path.join(captureDir, "observations/fs_diff.json"), "utf8");
    return { diff: fsDiff.parse(JSON.parse(text)), report };
  }

  async remove(): Promise<void> {
    await removeTree(this.dir);
  }
}

/** `type path` of each change. */
export function told(changes: readonly FileChange[]): string[] {
  return changes.map((change) => `${change.change_type} ${change.path}`);
}
