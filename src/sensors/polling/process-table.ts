import type { ObservedProcess, ProcessTree } from "../../schema/observations.ts";
import { ProcFile, readProc, readProcLink } from "./proc-file.ts";
import { formatElapsed, type ProcStat, parseCmdline, parseProcStat, parseProcStatus } from "./proc-parse.ts";
import { Snapshots } from "./snapshots.ts";

type SnapshotEntry = ProcessTree["snapshots"][number]["processes"][number];

/** Times of a record are kept as numbers and written as text at the end. */
interface ProcessRecord extends Omit<ObservedProcess, "first_seen_at" | "last_seen_at"> {
  firstMs: number;
  lastMs: number;
}

/** A process that was alive at the last look. */
interface LiveProcess {
  stat: ProcFile;
  known: ProcStat;
  record: ProcessRecord | undefined;
  /** The arguments are those of its parent, or of the container runtime: an exec is expected to replace them. */
  provisional: boolean;
  look: number;
}

const MAX_RECORDS = 20_000;
const MAX_CMDLINE_BYTES = 32 << 10;
/** Of all arguments together. */
const MAX_ARGS_BYTES = 32 << 20;
const MAX_SNAPSHOT_ARGS = 200;
const CLOCK_TICKS_PER_SECOND = 100;

/** Rebuilds, from looks at /proc, which processes a container had. */
export class ProcessTable {
  readonly #alive = new Map<number, LiveProcess>();
  readonly #records: ProcessRecord[] = [];
  readonly #snapshots = new Snapshots<SnapshotEntry>();
  readonly #initPid: number;
  #looks = 0;
  #argsBytes = 0;
  #truncated = false;

  /** `initPid`: first process of the container; until its first exec it belongs to the container runtime. */
  constructor(initPid: number) {
    this.#initPid = initPid;
  }

  /** Host pids alive at the last look. */
  get pids(): number[] {
    return [...this.#alive.keys()];
  }

  /** One look: `pids` are all processes of the container just now. */
  look(pids: readonly number[], nowMs: number): void {
    this.#looks++;
    for (const pid of pids) this.#see(pid, nowMs);
    for (const [pid, live] of this.#alive) {
      if (live.look === this.#looks) continue;
      live.stat.close();
      this.#alive.delete(pid);
    }
  }

  /** Keeps the state of the last look. */
  snapshot(nowMs: number): void {
    const uptimeSeconds = Number(readProc("/proc/uptime")?.toString("latin1").split(" ")[0] ?? 0);
    this.#snapshots.offer(nowMs, () => [...this.#alive.values()].flatMap((live) => snapshotEntry(live, uptimeSeconds)));
  }

  /** The content of process_tree.json, without its head. */
  result(): Omit<ProcessTree, "schema_version" | "generated_at"> {
    for (const { stat } of this.#alive.values()) stat.close();
    this.#alive.clear();
    return {
      snapshot_count: this.#snapshots.taken,
      snapshots: this.#snapshots.kept.map(({ atMs, items }) => ({ timestamp: iso(atMs), processes: items })),
      processes: this.#records.map(({ firstMs, lastMs, ...record }) => ({
        ...record,
        first_seen_at: iso(firstMs),
        last_seen_at: iso(lastMs),
      })),
      truncated: this.#truncated,
    };
  }

  #see(pid: number, nowMs: number): void {
    const known = this.#alive.get(pid);
    const content = known?.stat.read();
    const stat = content === undefined ? undefined : parseProcStat(content);
    if (known === undefined || stat === undefined) {
      // Gone, and its pid may already belong to another process.
      known?.stat.close();
      this.#alive.delete(pid);
      this.#meet(pid, nowMs);
      return;
    }
    known.look = this.#looks;
    const isNew = isOtherProgram(known.known, stat) && this.#execed(pid, known, stat, nowMs);
    known.known = stat;
    if (isNew) return;
    if (known.record !== undefined) {
      known.record.lastMs = nowMs;
      known.record.samples++;
    }
  }

  #meet(pid: number, nowMs: number): void {
    const file = ProcFile.open(`/proc/${pid}/stat`);
    const content = file?.read();
    const stat = content === undefined ? undefined : parseProcStat(content);
    if (file === undefined || stat === undefined) return file?.close();
    const parent = this.#alive.get(stat.ppid);
    const isInit = pid === this.#initPid && this.#looks === 1;
    const live: LiveProcess = {
      stat: file,
      known: stat,
      record: undefined,
      provisional: isInit || (parent !== undefined && !isOtherProgram(parent.known, stat)),
      look: this.#looks,
    };
    this.#alive.set(pid, live);
    if (!isInit) this.#record(pid, live, nowMs);
  }

  /** @returns whether it got a record of its own. */
  #execed(pid: number, live: LiveProcess, stat: ProcStat, nowMs: number): boolean {
    live.known = stat;
    const replaces = live.provisional && live.record !== undefined;
    if (replaces) Object.assign(live.record ?? {}, this.#describe(pid, stat));
    else this.#record(pid, live, nowMs);
    live.provisional = false;
    return !replaces;
  }

  #record(pid: number, live: LiveProcess, nowMs: number): void {
    if (this.#records.length >= MAX_RECORDS) {
      this.#truncated = true;
      live.record = undefined;
      return;
    }
    live.record = { ...this.#describe(pid, live.known), firstMs: nowMs, lastMs: nowMs, samples: 1 };
    this.#records.push(live.record);
  }

  #describe(pid: number, stat: ProcStat): Omit<ProcessRecord, "firstMs" | "lastMs" | "samples"> {
    const status = readProc(`/proc/${pid}/status`);
    const { containerPid, uid } = status === undefined ? { containerPid: null, uid: null } : parseProcStatus(status);
    const argv = this.#readArguments(pid);
    return {
      pid: String(pid),
      ppid: String(stat.ppid),
      command: stat.comm,
      args: argv.join(" "),
      argv,
      start_time: stat.startTime,
      container_pid: containerPid,
      exe: readProcLink(`/proc/${pid}/exe`),
      cwd: readProcLink(`/proc/${pid}/cwd`),
      uid,
      session: stat.session === 0 ? null : stat.session,
    };
  }

  #readArguments(pid: number): string[] {
    const room = Math.min(MAX_CMDLINE_BYTES, MAX_ARGS_BYTES - this.#argsBytes);
    if (room <= 0) {
      this.#truncated = true;
      return [];
    }
    const content = readProc(`/proc/${pid}/cmdline`, room);
    this.#argsBytes += content?.length ?? 0;
    return content === undefined ? [] : parseCmdline(content);
  }
}

/** Where the address of the arguments is hidden from us, the name must do; a process can change its own. */
function isOtherProgram(before: ProcStat, after: ProcStat): boolean {
  return after.argStart === "0" ? after.comm !== before.comm : after.argStart !== before.argStart;
}

function snapshotEntry({ known, record }: LiveProcess, uptimeSeconds: number): SnapshotEntry[] {
  if (record === undefined) return [];
  const elapsed = formatElapsed(uptimeSeconds - Number(known.startTime) / CLOCK_TICKS_PER_SECOND);
  const args = record.args.length > MAX_SNAPSHOT_ARGS ? `${record.args.slice(0, MAX_SNAPSHOT_ARGS)}…` : record.args;
  return [{ pid: record.pid, ppid: String(known.ppid), elapsed, command: record.command, args }];
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
