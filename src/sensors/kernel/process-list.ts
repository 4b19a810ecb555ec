import type { EventBody, EventOf } from "../../schema/event.ts";
import type { ObservedProcess, ProcessTree } from "../../schema/observations.ts";
import { formatElapsed } from "../polling/proc-parse.ts";
import { Snapshots } from "../polling/snapshots.ts";

type SnapshotEntry = ProcessTree["snapshots"][number]["processes"][number];
type Body<K extends EventBody["kind"]> = Omit<EventOf<K>, "seq">;

interface LiveProcess {
  record: ObservedProcess | undefined;
  /** It has not run a program of its own yet: the record shows its parent's. */
  isCopy: boolean;
  startedMs: number;
}

const MAX_RECORDS = 20_000;
const MAX_LIVE = 20_000;
/** Of all arguments together. */
const MAX_ARGS_CHARACTERS = 32 << 20;
const MAX_SNAPSHOT_ARGS = 200;
const NS_PER_TICK = 1e7;

/**
 * Rebuilds the content of process_tree.json from events: one entry for every program that a process ran, and one for a
 * process that only forked. Bounded: `truncated` says when a limit cut the list; the events have the rest.
 */
export class EventProcessList {
  readonly #live = new Map<string, LiveProcess>();
  readonly #records: ObservedProcess[] = [];
  readonly #snapshots = new Snapshots<SnapshotEntry>();
  #argsCharacters = 0;
  #truncated = false;

  apply(event: EventBody): void {
    switch (event.kind) {
      case "process.fork":
        return this.#fork(event);
      case "process.exec":
      case "process.found":
        return this.#runs(event);
      case "process.exit":
        return this.#exit(event);
      case "process.gone":
        this.#live.delete(event.process);
        return;
      case "process.survivor": {
        const record = this.#live.get(event.process)?.record;
        if (record !== undefined) record.survivor = true;
        return;
      }
      default:
    }
  }

  /** Keeps the state as it is now. */
  snapshot(nowMs: number): void {
    const time = new Date(nowMs).toISOString();
    for (const { record } of this.#live.values()) {
      if (record === undefined) continue;
      record.samples++;
      record.last_seen_at = time;
    }
    this.#snapshots.offer(nowMs, () => [...this.#live.values()].flatMap((live) => snapshotEntry(live, nowMs)));
  }

  /** The content of process_tree.json, without its head. */
  result(): Omit<ProcessTree, "schema_version" | "generated_at"> {
    return {
      snapshot_count: this.#snapshots.taken,
      snapshots: this.#snapshots.kept.map(({ atMs, items }) => ({
        timestamp: new Date(atMs).toISOString(),
        processes: items,
      })),
      processes: this.#records,
      truncated: this.#truncated,
    };
  }

  #fork(event: Body<"process.fork">): void {
    const parent = this.#live.get(event.parent)?.record;
    this.#add(event, true, {
      ...baseOf(event),
      args: parent?.args ?? "",
      argv: parent?.argv ?? [],
      exe: parent?.exe ?? null,
      cwd: parent?.cwd ?? null,
      copy_of_parent: true,
    });
  }

  #runs(event: Body<"process.exec"> | Body<"process.found">): void {
    const known = this.#live.get(event.process);
    const { argv } = event;
    const record = { ...baseOf(event), args: argv.join(" "), argv, exe: event.exe, cwd: event.cwd };
    if (known?.isCopy === true && known.record !== undefined) {
      const { first_seen_at, samples } = known.record;
      delete known.record.copy_of_parent;
      Object.assign(known.record, record, { first_seen_at, samples });
      known.isCopy = false;
      this.#argsCharacters += record.args.length * 2;
      return;
    }
    if (known?.record !== undefined) known.record.last_seen_at = event.time;
    this.#add(event, false, record);
  }

  #exit(event: Body<"process.exit">): void {
    const live = this.#live.get(event.process);
    this.#live.delete(event.process);
    if (live?.record === undefined) return;
    live.record.last_seen_at = event.time;
    live.record.ended_at = event.time;
    live.record.exit_code = event.code;
    live.record.exit_signal = event.signal;
  }

  #add(event: { process: string; time: string }, isCopy: boolean, record: ObservedProcess): void {
    const startedMs = Date.parse(event.time);
    const room = this.#records.length < MAX_RECORDS && this.#argsCharacters < MAX_ARGS_CHARACTERS;
    if (room) {
      this.#records.push(record);
      // A copy shares its parent's arguments.
      if (!isCopy) this.#argsCharacters += record.args.length * 2;
    } else this.#truncated = true;
    if (this.#live.size >= MAX_LIVE) {
      const [oldest] = this.#live.keys();
      if (oldest !== undefined) this.#live.delete(oldest);
    }
    const earlier = this.#live.get(event.process)?.startedMs;
    this.#live.set(event.process, { record: room ? record : undefined, isCopy, startedMs: earlier ?? startedMs });
  }
}

type Origin = Body<"process.fork"> | Body<"process.exec"> | Body<"process.found">;

function baseOf(event: Origin): Omit<ObservedProcess, "args" | "argv" | "exe" | "cwd"> {
  const [pid = "", startNs = "0"] = event.process.split("-");
  return {
    process: event.process,
    parent: event.parent,
    pid,
    ppid: event.parent.split("-")[0] ?? "",
    command: event.comm,
    start_time: String(Math.floor(Number(startNs) / NS_PER_TICK)),
    container_pid: event.container_pid,
    uid: event.uid,
    session: null,
    first_seen_at: event.time,
    last_seen_at: event.time,
    samples: 0,
  };
}

function snapshotEntry({ record, startedMs }: LiveProcess, nowMs: number): SnapshotEntry[] {
  if (record === undefined) return [];
  const args = record.args.length > MAX_SNAPSHOT_ARGS ? `${record.args.slice(0, MAX_SNAPSHOT_ARGS)}…` : record.args;
  const elapsed = formatElapsed((nowMs - startedMs) / 1000);
  return [{ pid: record.pid, ppid: record.ppid, elapsed, command: record.command, args }];
}
