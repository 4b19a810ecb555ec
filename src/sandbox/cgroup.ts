import * as fs from "node:fs";
import * as path from "node:path";
import type { KernelCounters } from "../schema/run.ts";
import { CgroupCounters } from "./cgroup-counters.ts";
import { limitsInKernelLog } from "./cgroup-kernel-log.ts";
import { type CgroupDirs, cgroupDirsOf, UNIFIED } from "./cgroup-paths.ts";
import { type KillOptions, type KillResult, killProcesses, listProcesses, processListDir } from "./cgroup-processes.ts";

const READ_EVERY_MS = 1000;
/** Where the kernel can't tell that a group is empty, it is looked at this often: engines remove it within 10–60 ms. */
const LOOK_EVERY_MS = 5;

/**
 * `end`: read after the last process had died, so nothing is missing. `kernel-log`: the group vanished before; peak and CPU
 * time are those of the last look, but kills and refused forks are completed from the kernel's log. `last-look`: all are
 * from the last look, at most a second before the end.
 */
export type CounterBasis = "end" | "kernel-log" | "last-look";

/**
 * Follows the control group of a container from outside: counters, processes, killing.
 * Engines remove the group some milliseconds after the last process has died, and a removed group can't be read. So the
 * counters are read at the moment when the kernel reports the group empty, besides once a second.
 */
export class CgroupWatch {
  /** Directories of the group on the host, by controller; `unified` for cgroup v2. */
  readonly dirs: CgroupDirs;
  readonly #counters: CgroupCounters;
  readonly #timer: NodeJS.Timeout;
  #watcher: fs.FSWatcher | undefined;
  #emptyTimer: NodeJS.Timeout | undefined;
  #readWhenEmpty = false;
  #basis: CounterBasis = "last-look";

  private constructor(dirs: CgroupDirs) {
    this.dirs = dirs;
    this.#counters = new CgroupCounters(dirs);
    this.#timer = setInterval(() => this.read(), READ_EVERY_MS);
    this.#timer.unref();
    this.#watchForEmpty();
  }

  /** `pid`: the container's first process, alive. Throws the system's error when it is gone. */
  static open(pid: number): CgroupWatch {
    return new CgroupWatch(cgroupDirsOf(pid));
  }

  /** The counters now, or the last ones known. */
  read(): KernelCounters {
    return this.#counters.read();
  }

  /** What the counters that `final` has returned rest on. */
  get basis(): CounterBasis {
    return this.#basis;
  }

  /** Reads once more and lets go of the group. Call it when the last process is dead. */
  final(): KernelCounters {
    this.#noteEmpty();
    const counters = this.#readWhenEmpty ? this.read() : this.#withKernelLog(this.read());
    if (this.#readWhenEmpty) this.#basis = "end";
    clearInterval(this.#timer);
    clearInterval(this.#emptyTimer);
    this.#watcher?.close();
    this.#counters.close();
    return counters;
  }

  /** Host pids of all processes in the container. */
  processes(): number[] {
    return listProcesses(this.dirs);
  }

  /** Kills every process of the container and waits until none is left; see killProcesses. */
  async killAll(options: KillOptions = {}): Promise<KillResult> {
    const result = await killProcesses(this.dirs, options);
    this.#noteEmpty();
    return result;
  }

  /** The group vanished too soon, as happens on a busy machine; the kernel has also logged what matters most. */
  #withKernelLog(counters: KernelCounters): KernelCounters {
    const dir = this.dirs["memory"] ?? this.dirs[UNIFIED];
    const logged = dir === undefined ? undefined : limitsInKernelLog(path.basename(dir));
    if (logged === undefined) return counters;
    this.#basis = "kernel-log";
    return {
      ...counters,
      oom_kills: Math.max(counters.oom_kills ?? 0, logged.oomKills),
      pids_limit_hits: Math.max(counters.pids_limit_hits ?? 0, logged.forksRefused ? 1 : 0),
    };
  }

  #watchForEmpty(): void {
    const unified = this.dirs[UNIFIED];
    if (unified === undefined) return this.#lookOften();
    try {
      this.#watcher = fs.watch(path.join(unified, "cgroup.events"), { persistent: false }, () => this.#noteEmpty());
      this.#watcher.on("error", () => this.#lookOften());
    } catch {
      this.#lookOften();
    }
  }

  /** For hosts with cgroup v1 alone, and those out of inotify watches. */
  #lookOften(): void {
    if (processListDir(this.dirs) === undefined) return;
    this.#emptyTimer ??= setInterval(() => this.#noteEmpty(), LOOK_EVERY_MS);
    this.#emptyTimer.unref();
  }

  #noteEmpty(): void {
    if (this.#readWhenEmpty || this.processes().length > 0) return;
    this.read();
    this.#readWhenEmpty = !this.#counters.gone;
  }
}
