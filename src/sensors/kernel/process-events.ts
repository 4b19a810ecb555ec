import type { BodyOf } from "../../schema/event.ts";
import { containerPath } from "./container-path.ts";
import { type EnvironmentBase, Environments } from "./environment.ts";
import { type EventContext, headOf, processId } from "./event-context.ts";
import { identityFields } from "./file-events.ts";
import { type FoundProcess, isSameProcess } from "./found-process.ts";
import { errnoName, signalName } from "./names.ts";
import type { ExecRecord, ExitRecord, ForkRecord, ProcessRecord, RecordHead } from "./record.ts";
import { standardFields } from "./standard-descriptors.ts";
import { argvFields, splitBlock, textFields } from "./text.ts";
import type { WrittenFiles } from "./written-files.ts";

/** A process that has not ended, as far as is known. */
interface LiveProcess {
  comm: string;
  arguments: ReturnType<typeof argvFields>;
  environment: EnvironmentBase | undefined;
}

/** More than the pids limit of any container; only processes whose end was lost can fill it. */
const MAX_LIVE = 20_000;
const NO_ARGUMENTS = { argv: [] };

export interface ProcessEventOptions {
  written: WrittenFiles;
  /** Our number of a socket that the kernel side names so. */
  connectionOf: (socket: string) => number;
  /** Default: with a new key. */
  environments?: Environments | undefined;
}

/** Makes the events about processes and knows which live. */
export class ProcessEvents {
  readonly #context: EventContext;
  readonly #options: ProcessEventOptions;
  readonly #environments: Environments;
  readonly #live = new Map<string, LiveProcess>();
  /** By pid: seen in /proc, which knows their start less exactly than the kernel side. */
  readonly #found = new Map<number, FoundProcess>();
  #initPid: number | undefined;
  #survivorsTold = false;
  #forgotten = 0;

  constructor(context: EventContext, options: ProcessEventOptions) {
    this.#context = context;
    this.#options = options;
    this.#environments = options.environments ?? new Environments();
  }

  /** Processes that were dropped from the table because it was full. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Host pids of the processes that live, as far as is known. */
  get livePids(): number[] {
    return [...this.#live.keys()].map((id) => Number.parseInt(id, 10));
  }

  /** The container's first process: what still runs at its end is a survivor. */
  set initPid(pid: number) {
    this.#initPid = pid;
  }

  /** To be called with every record, before the event about it is made. */
  meet({ process }: RecordHead): void {
    if (this.#found.size === 0) return;
    const found = this.#found.get(process.pid);
    if (found === undefined) return;
    const id = processId(process);
    this.#found.delete(process.pid);
    // Only now is its exact start known.
    if (isSameProcess(id, found.key)) this.#tellFound(found, id);
  }

  add(record: ProcessRecord): void {
    switch (record.kind) {
      case "fork":
        return this.#fork(record);
      case "exec":
        return this.#exec(record);
      case "exec-failed": {
        const path = textFields("path", containerPath(record.path));
        const head = headOf(record, this.#context.clock);
        this.#context.emit({ kind: "process.exec-failed", ...head, ...path, errno: errnoName(record.errno) });
        return;
      }
      case "exit":
        this.#exit(record);
    }
  }

  /** Processes that run just now, from /proc. What is known and not among them has ended unseen. */
  found(processes: readonly FoundProcess[]): void {
    const { clock } = this.#context;
    const nowNs = clock.nowNs();
    for (const process of this.#live.keys()) {
      if (processes.some(({ key }) => isSameProcess(process, key))) continue;
      this.#live.delete(process);
      const time = clock.wallTime(nowNs);
      this.#context.emit({ kind: "process.gone", mono_ns: nowNs, time, source: "supervisor", process });
    }
    const known = [...this.#live.keys()];
    for (const process of processes) {
      if (!known.some((id) => isSameProcess(id, process.key))) this.#found.set(process.key.pid, process);
    }
  }

  /** Tells of the processes found of which no record has come since. */
  tellFound(): void {
    for (const process of this.#found.values()) this.#tellFound(process, processId(process.key));
    this.#found.clear();
  }

  /** Tells of those that still run, once: at the end of the container's first process, or of the watch. */
  tellSurvivors(nowNs: number): void {
    if (this.#survivorsTold) return;
    this.#survivorsTold = true;
    const { clock } = this.#context;
    for (const [process, live] of this.#live) {
      this.#context.emit({
        kind: "process.survivor",
        mono_ns: nowNs,
        time: clock.wallTime(nowNs),
        source: "kernel",
        process,
        comm: live.comm,
        ...live.arguments,
      });
    }
  }

  #tellFound(process: FoundProcess, id: string): void {
    const { clock } = this.#context;
    const described = argvFields(process.argv);
    const { comm } = process;
    this.#remember(id, { comm, arguments: described, environment: undefined });
    const nowNs = process.foundNs;
    this.#context.emit({
      kind: "process.found",
      mono_ns: nowNs,
      time: clock.wallTime(nowNs),
      source: "supervisor",
      process: id,
      parent: process.parent === undefined ? "" : processId(process.parent),
      container_pid: process.containerPid,
      uid: process.uid,
      comm,
      exe: process.exe,
      cwd: process.cwd,
      ...described,
    });
  }

  #fork(record: ForkRecord): void {
    const head = headOf(record, this.#context.clock);
    const parent = this.#live.get(processId(record.maker ?? record.parent));
    this.#remember(head.process, {
      comm: record.comm.toString("utf8"),
      arguments: parent?.arguments ?? NO_ARGUMENTS,
      environment: parent?.environment,
    });
    const maker = record.maker === undefined ? {} : { made_by: processId(record.maker) };
    this.#context.emit({ kind: "process.fork", ...head, ...originOf(record), ...maker });
  }

  #exec(record: ExecRecord): void {
    const head = headOf(record, this.#context.clock);
    const described = argvFields(splitBlock(record.args));
    const known = this.#live.get(head.process);
    const envCut = record.envBytes > record.env.length;
    const environment = this.#environments.describe(record.env, envCut, known?.environment);
    const event: BodyOf<"process.exec"> = {
      kind: "process.exec",
      ...head,
      ...originOf(record),
      gid: record.gid,
      ...textFields("exe", containerPath(record.file.path)),
      ...identityFields(record.file),
      ...(record.memfd ? { memfd: true } : {}),
      ...(this.#options.written.has(record.file) ? { written_in_run: true } : {}),
      ...namesOf(record),
      ...textFields("cwd", containerPath(record.cwd)),
      ...standardFields(record, this.#options.connectionOf),
      ...described,
      argv_bytes: record.argsBytes,
      ...(record.argsBytes > record.args.length ? { truncated: true } : {}),
      ...environment.fields,
      env_bytes: record.envBytes,
      ...(envCut ? { env_truncated: true } : {}),
    };
    const seq = this.#context.emit(event);
    const { hashes } = environment;
    const isBase = seq !== undefined && hashes !== undefined;
    this.#remember(head.process, {
      comm: event.comm,
      arguments: described,
      environment: isBase ? { seq, hashes } : known?.environment,
    });
  }

  #exit(record: ExitRecord): void {
    const head = headOf(record, this.#context.clock);
    this.#context.emit({
      kind: "process.exit",
      ...head,
      comm: record.comm.toString("utf8"),
      code: record.signal === 0 ? record.code : null,
      signal: record.signal === 0 ? null : signalName(record.signal),
      ...(record.coreDumped ? { core_dumped: true } : {}),
      duration_ms: Math.max(0, Math.round((record.timeNs - record.process.startNs) / 1e3) / 1e3),
    });
    this.#live.delete(head.process);
    if (record.process.pid === this.#initPid) this.tellSurvivors(record.timeNs);
  }

  #remember(id: string, live: LiveProcess): void {
    this.#live.set(id, live);
    if (this.#live.size <= MAX_LIVE) return;
    const [oldest] = this.#live.keys();
    if (oldest !== undefined) this.#live.delete(oldest);
    this.#forgotten++;
  }
}

function originOf(record: RecordHead) {
  return {
    parent: processId(record.parent),
    container_pid: record.containerPid === 0 ? null : record.containerPid,
    uid: record.uid,
    comm: record.comm.toString("utf8"),
  };
}

/** The names by which it was called, where they say more than the file. */
function namesOf({
  file,
  filename,
  interpreter,
  cwd,
}: ExecRecord): Pick<BodyOf<"process.exec">, "filename" | "script" | "interpreter"> {
  const called = containerPath({ base: cwd.name, name: filename, truncated: false });
  if (interpreter.length > 0) return { script: called.toString("utf8"), interpreter: interpreter.toString("utf8") };
  return called.equals(file.path.name) ? {} : { filename: filename.toString("utf8") };
}
