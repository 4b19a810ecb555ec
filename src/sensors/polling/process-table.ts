import type { ObservedProcess, ProcessTree } from "../../schema/observations.ts";
import { type ProcDetails, type ProcStat, readDetails, readProgram, readStat } from "./proc-process.ts";
import { SnapshotSeries } from "./snapshot-series.ts";

/** Most programs kept of one run; a fork bomb makes thousands. */
const MAX_PROCESSES = 20_000;
const CLOCK_TICKS_PER_SECOND = 100;

type ProcessSnapshot = ProcessTree["snapshots"][number];

/** One program that one process was. A process that executes another program gets another entry. */
interface Entry {
  record: ObservedProcess;
  key: string;
}

/** All processes of a container as they were met, look by look. */
export class ProcessTable {
  readonly #kept: ObservedProcess[] = [];
  /** Processes alive at the last look, by pid. */
  #alive = new Map<number, Entry>();
  readonly #snapshots = new SnapshotSeries<ProcessSnapshot>();
  #held: { pid: number; key: string } | undefined;
  #truncated = false;

  /**
   * The container's first process, before it becomes the agent: what it runs until then is the engine's runtime (or our
   * gate), not the agent's, and is left out.
   */
  hold(pid: number): void {
    const stat = readStat(pid);
    const program = readProgram(pid);
    if (stat !== undefined && program !== undefined) this.#held = { pid, key: keyOf(stat, program.argv) };
  }

  /** Takes one look at these processes. */
  look(pids: readonly number[], timestamp: string): void {
    const alive = new Map<number, Entry>();
    for (const pid of pids) {
      const entry = this.#meet(pid, timestamp);
      if (entry !== undefined) alive.set(pid, entry);
    }
    this.#alive = alive;
    this.#snapshots.offer(() => ({
      timestamp,
      processes: [...alive.values()].map(({ record }) => snapshotEntry(record)),
    }));
  }

  result(): Pick<ProcessTree, "snapshot_count" | "snapshots" | "processes" | "truncated"> {
    return {
      snapshot_count: this.#snapshots.count,
      snapshots: this.#snapshots.kept(),
      processes: this.#kept,
      truncated: this.#truncated,
    };
  }

  #meet(pid: number, timestamp: string): Entry | undefined {
    const stat = readStat(pid);
    const program = readProgram(pid);
    if (stat === undefined || program === undefined) return undefined;
    const before = this.#alive.get(pid);
    const key = keyOf(stat, program.argv);
    if (pid === this.#held?.pid && key === this.#held.key) return undefined;
    // A process that is ending has no command line any more; it is the program it was.
    const ending = program.argv.length === 0 && before?.record.start_time === stat.startTime;
    if (before !== undefined && (before.key === key || ending)) {
      before.record.last_seen_at = timestamp;
      before.record.samples += 1;
      before.record.ppid = String(stat.ppid);
      return before;
    }
    const record = newRecord(pid, stat, program.argv, readDetails(pid), timestamp);
    if (this.#kept.length < MAX_PROCESSES) this.#kept.push(record);
    else this.#truncated = true;
    return { record, key };
  }
}

/** Tells one program of one process. */
function keyOf(stat: ProcStat, argv: readonly string[]): string {
  return `${stat.startTime} ${stat.comm} ${argv.join("\0")}`;
}

function newRecord(
  pid: number,
  stat: ProcStat,
  argv: string[],
  details: ProcDetails,
  timestamp: string,
): ObservedProcess {
  return {
    pid: String(pid),
    ppid: String(stat.ppid),
    command: stat.comm,
    args: argv.join(" "),
    first_seen_at: timestamp,
    last_seen_at: timestamp,
    samples: 1,
    argv,
    start_time: stat.startTime,
    container_pid: details.containerPid,
    exe: details.exe,
    cwd: details.cwd,
    uid: details.uid,
    session: stat.session,
  };
}

function snapshotEntry(record: ObservedProcess): ProcessSnapshot["processes"][number] {
  const { pid, ppid, command, args } = record;
  return { pid, ppid, command, args, elapsed: elapsed(record.start_time) };
}

/** Time since the start, as `ps` writes it: `[[dd-]hh:]mm:ss`. */
function elapsed(startTime: string): string {
  const uptimeSeconds = Math.floor(process.hrtime()[0]);
  return formatElapsed(Math.max(0, uptimeSeconds - Math.floor(Number(startTime) / CLOCK_TICKS_PER_SECOND)));
}

export function formatElapsed(seconds: number): string {
  const two = (n: number): string => String(n).padStart(2, "0");
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3600) % 24;
  const clock = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  if (days > 0) return `${days}-${two(hours)}:${clock}`;
  return hours > 0 ? `${two(hours)}:${clock}` : clock;
}
