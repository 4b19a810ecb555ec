import * as fs from "node:fs";
import * as path from "node:path";
import { errnoOf } from "../core/errors.ts";
import type { KernelCounters } from "../schema/run.ts";
import { type CgroupDirs, UNIFIED } from "./cgroup-paths.ts";

type CounterName = keyof KernelCounters;

/** One way to read one counter: where it stands and how its text becomes a number. */
interface CounterSource {
  counter: CounterName;
  controller: string;
  file: string;
  parse(text: string): number | undefined;
}

const field =
  (name: string, scale = 1) =>
  (text: string): number | undefined => {
    const match = new RegExp(`^${name} (\\d+)$`, "m").exec(text);
    return match === null ? undefined : Number(match[1]) * scale;
  };

const whole =
  (scale = 1) =>
  (text: string): number | undefined =>
    /^\d+\n?$/.test(text) ? Number(text) * scale : undefined;

/** In order of preference: on a hybrid host the v1 controllers are the ones in force. */
const SOURCES: readonly CounterSource[] = [
  { counter: "oom_kills", controller: "memory", file: "memory.oom_control", parse: field("oom_kill") },
  { counter: "oom_kills", controller: UNIFIED, file: "memory.events", parse: field("oom_kill") },
  { counter: "pids_limit_hits", controller: "pids", file: "pids.events", parse: field("max") },
  { counter: "pids_limit_hits", controller: UNIFIED, file: "pids.events", parse: field("max") },
  { counter: "memory_peak_bytes", controller: "memory", file: "memory.max_usage_in_bytes", parse: whole() },
  { counter: "memory_peak_bytes", controller: UNIFIED, file: "memory.peak", parse: whole() },
  { counter: "cpu_seconds", controller: "cpuacct", file: "cpuacct.usage", parse: whole(1e-9) },
  { counter: "cpu_seconds", controller: UNIFIED, file: "cpu.stat", parse: field("usage_usec", 1e-6) },
];

/**
 * The kernel's counters of one control group, read through files that stay open: a read costs some microseconds, and a
 * group that has vanished can't be mistaken for a new one of the same name.
 */
export class CgroupCounters {
  readonly #files = new Map<CounterName, { fd: number; parse: CounterSource["parse"] }>();
  readonly #buffer = Buffer.allocUnsafe(8192);
  readonly #latest: KernelCounters = {
    oom_kills: null,
    pids_limit_hits: null,
    memory_peak_bytes: null,
    cpu_seconds: null,
  };
  #gone = false;

  constructor(dirs: CgroupDirs) {
    for (const source of SOURCES) {
      const dir = dirs[source.controller];
      if (dir === undefined || this.#files.has(source.counter)) continue;
      const fd = tryOpen(path.join(dir, source.file));
      if (fd !== undefined) this.#files.set(source.counter, { fd, parse: source.parse });
    }
    this.read();
  }

  /** True once the kernel has said that the group exists no more. */
  get gone(): boolean {
    return this.#gone;
  }

  /** The counters now; one that can't be read any more keeps its last value, one never read is `null`. */
  read(): KernelCounters {
    for (const [counter, { fd, parse }] of this.#files) {
      try {
        const length = fs.readSync(fd, this.#buffer, 0, this.#buffer.length, 0);
        const value = parse(this.#buffer.toString("latin1", 0, length));
        // A number beyond what can be counted exactly is no count.
        if (value !== undefined && value <= Number.MAX_SAFE_INTEGER) this.#latest[counter] = value;
      } catch (error) {
        if (errnoOf(error) === "ENODEV") this.#gone = true;
      }
    }
    return { ...this.#latest };
  }

  close(): void {
    for (const { fd } of this.#files.values()) fs.closeSync(fd);
    this.#files.clear();
  }
}

function tryOpen(file: string): number | undefined {
  try {
    return fs.openSync(file, fs.constants.O_RDONLY);
  } catch {
    return undefined;
  }
}
