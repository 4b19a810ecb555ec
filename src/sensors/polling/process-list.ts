import * as fs from "node:fs";
import * as path from "node:path";
import { processListDir } from "../../sandbox/cgroup-processes.ts";
import type { SensorTarget } from "../port.ts";
import { ProcFile } from "./proc-file.ts";
import { parsePids } from "./proc-parse.ts";

/** The processes of a container, read from its control group: those of no one else. */
export class ProcessList {
  readonly #dir: string;
  #files: ProcFile[] = [];

  private constructor(dir: string) {
    this.#dir = dir;
    this.refresh();
  }

  /** Undefined when the container has no control group of its own. */
  static open(target: SensorTarget): ProcessList | undefined {
    const dir = processListDir(target.cgroupDirs);
    return dir === undefined ? undefined : new ProcessList(dir);
  }

  /** Host pids just now. */
  read(): number[] {
    return this.#files.flatMap((file) => {
      const content = file.read();
      return content === undefined ? [] : parsePids(content);
    });
  }

  /** Looks for groups below the container's, which some runtimes make. */
  refresh(): void {
    this.close();
    this.#files = groupsFrom(this.#dir).flatMap((dir) => ProcFile.open(path.join(dir, "cgroup.procs")) ?? []);
  }

  close(): void {
    for (const file of this.#files) file.close();
    this.#files = [];
  }
}

function groupsFrom(dir: string): string[] {
  try {
    const below = fs.readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [dir, ...below.flatMap((entry) => groupsFrom(path.join(dir, entry.name)))];
  } catch {
    return [];
  }
}
