import { sleepInBackground } from "../../core/clock.ts";
import { errorMessage } from "../../core/errors.ts";
import { listProcesses } from "../../sandbox/cgroup-processes.ts";
import type { EventBody } from "../../schema/event.ts";
import type { Gap } from "../../schema/observations.ts";
import type { Sensor, SensorReport, SensorTarget } from "../port.ts";
import { BootClock } from "./boot-clock.ts";
import { ConnectWitness } from "./connect-witness.ts";
import { EventRecorder } from "./event-recorder.ts";
import { findProcess } from "./found-process.ts";
import { Normaliser } from "./normaliser.ts";
import type { KernelRecord, SensorRecord } from "./record.ts";
import type { KernelSource, StartSource } from "./source.ts";
import { StartAccount } from "./start-account.ts";
import { type Absence, absentStatements, KERNEL_SENSOR, statementsOf } from "./statements.ts";

export interface KernelSensorOptions {
  captureDir: string;
  sensitivePatterns: readonly string[];
  /** Where the model listens inside the container, for example `127.0.0.1:4100`. */
  modelAddress?: string;
  /** Starts a sensor process. */
  start: StartSource;
  /** Most bytes of the events file. */
  eventsLimitBytes?: number;
}

const SNAPSHOT_EVERY_MS = 1000;
const FLUSH_EVERY_MS = 250;
/** Waits between attempts to start a sensor again that died; then it is given up. */
const RESTART_PAUSES_MS = [0, 100, 200, 400, 800, 1600, 3200, 6400] as const;
/** A sensor process that does not end when asked to must not hold up the run. */
const STOP_MS = 30_000;

/**
 * Sees what a container does from the kernel: every process, file change and connection, while they happen. Writes
 * observations/events.jsonl, and from it process_tree.json and network.json. A sensor process that dies is started again.
 */
export class KernelSensor implements Sensor {
  readonly name = KERNEL_SENSOR;
  readonly #options: KernelSensorOptions;
  readonly #clock = new BootClock();
  readonly #recorder: EventRecorder;
  readonly #normaliser: Normaliser;
  readonly #starts: StartAccount[] = [];
  readonly #absences: Absence[] = [];
  readonly #refused = new Set<string>();
  readonly #timers: NodeJS.Timeout[] = [];
  #starting: Promise<KernelSource> | undefined;
  #source: KernelSource | undefined;
  #target: SensorTarget | undefined;
  #restarting: Promise<void> = Promise.resolve();
  #witness: ConnectWitness | undefined;
  #lastNs = 0;
  #attachedAt: string | null = null;
  #stopping = false;

  /** Creates the events file. */
  constructor(options: KernelSensorOptions) {
    this.#options = options;
    this.#recorder = new EventRecorder(options.captureDir, options.eventsLimitBytes);
    this.#normaliser = new Normaliser({
      clock: this.#clock,
      emit: (event) => this.#recorder.emit(event),
      sensitivePatterns: options.sensitivePatterns,
      modelAddress: options.modelAddress,
    });
  }

  /** Begins to start the sensor process: it takes a while to load, and needs no container for that. */
  prepare(): Promise<void> {
    void this.#begin();
    return Promise.resolve();
  }

  /** Throws CaptureError when the sensor can't be used here. */
  async attach(target: SensorTarget): Promise<void> {
    this.#target = target;
    this.#normaliser.initPid = target.pid;
    this.#source = await this.#begin();
    await this.#source.watch(target.pid);
    this.#witness = new ConnectWitness(target.pid);
    this.#attachedAt = this.#now();
    this.#timers.push(
      setInterval(() => this.#recorder.snapshot(Date.now()), SNAPSHOT_EVERY_MS).unref(),
      setInterval(() => this.#recorder.flush(), FLUSH_EVERY_MS).unref(),
    );
  }

  async stop(): Promise<SensorReport> {
    if (this.#stopping) return { completeness: [], gaps: [] };
    this.#stopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    const source = this.#source ?? (await this.#starting?.catch(() => undefined));
    await this.#restarting;
    await this.#stopSource(this.#source ?? source);
    this.#normaliser.finish();
    return this.#report();
  }

  /** Takes everything back, the events file too: the run is watched in another way. */
  async discard(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const source = await this.#starting?.catch(() => undefined);
    await source?.stop();
    this.#recorder.discard();
  }

  #begin(): Promise<KernelSource> {
    this.#starting ??= this.#startSource();
    // Whoever waits for it gets the error; nobody may.
    this.#starting.catch(() => {});
    return this.#starting;
  }

  async #startSource(): Promise<KernelSource> {
    const account = new StartAccount(this.#clock.nowNs());
    this.#starts.push(account);
    const source = await this.#options.start({
      onRecords: (records) => this.#take(account, records),
      onDeath: (reason) => this.#died(account, reason),
    });
    return source;
  }

  #take(account: StartAccount, records: readonly KernelRecord[]): void {
    for (const record of records) {
      account.add(record);
      switch (record.kind) {
        case "counters":
        case "ready":
        case "canary":
          this.#aboutSensor(record);
          break;
        default:
          this.#normaliser.add(record);
      }
      if (record.timeNs > this.#lastNs) this.#lastNs = record.timeNs;
    }
  }

  #aboutSensor(record: SensorRecord): void {
    const head = { mono_ns: record.timeNs, time: this.#clock.wallTime(record.timeNs), source: KERNEL_SENSOR } as const;
    if (record.kind === "canary") this.#emit({ kind: "sensor.canary", ...head, at: record.at });
    if (record.kind !== "ready") return;
    const { programs, refused, ringBytes } = record;
    for (const name of refused) this.#refused.add(name);
    this.#emit({
      kind: "sensor.ready",
      ...head,
      start: this.#starts.length,
      programs,
      refused,
      ring_bytes: ringBytes,
    });
  }

  #emit(event: EventBody): void {
    this.#recorder.emit(event);
  }

  #died(account: StartAccount, reason: string): void {
    account.faults = this.#source?.faults ?? 0;
    this.#source = undefined;
    const absence: Absence = { from: this.#clock.wallTime(this.#lastNs || this.#clock.nowNs()), to: null, reason };
    this.#absences.push(absence);
    if (!this.#stopping) this.#restarting = this.#restart(absence);
  }

  async #restart(absence: Absence): Promise<void> {
    for (const pauseMs of RESTART_PAUSES_MS) {
      await sleepInBackground(pauseMs);
      if (this.#stopping) return;
      try {
        const source = await this.#startSource();
        this.#source = source;
        await this.#watchAgain(source);
        absence.to = this.#now();
        return;
      } catch (error) {
        absence.reason = `${absence.reason.split("; ", 1)[0] ?? ""}; it could not be started again: ${errorMessage(error)}`;
      }
    }
  }

  /** Everything that runs now. One process brings its whole pid namespace, but some may have ended meanwhile. */
  async #watchAgain(source: KernelSource): Promise<void> {
    const target = this.#target;
    if (target === undefined) return;
    for (const pid of [target.pid, ...listProcesses(target.cgroupDirs)]) await source.watch(pid).catch(() => {});
    const nowNs = this.#clock.nowNs();
    this.#normaliser.resume(listProcesses(target.cgroupDirs).flatMap((pid) => findProcess(pid, nowNs) ?? []));
  }

  async #stopSource(source: KernelSource | undefined): Promise<void> {
    const account = this.#starts.at(-1);
    if (source === undefined || account === undefined) return;
    const end = await Promise.race([source.stop(), sleepInBackground(STOP_MS)]);
    account.faults = end?.faults ?? source.faults;
    const failure = end === undefined ? `it did not end within ${STOP_MS / 1000} s` : end.failure;
    if (failure === undefined || account.isClosed) return;
    const from = this.#clock.wallTime(this.#lastNs || this.#clock.nowNs());
    this.#absences.push({ from, to: null, reason: failure });
  }

  #report(): SensorReport {
    const attachedAt = this.#attachedAt;
    const gaps = this.#gaps();
    for (const gap of gaps) this.#emitGap(gap);
    for (const [index, account] of this.#starts.entries()) this.#emitCounters(index + 1, account);
    const { tcpConnects, ...closed } = this.#recorder.close();
    const opened = this.#witness?.finish() ?? 0;
    if (attachedAt === null) {
      return { completeness: absentStatements("the container was never there to be watched"), gaps: [] };
    }
    for (const [name, write] of [
      ["process", () => this.#recorder.writeProcessTree()],
      ["network", () => this.#recorder.writeNetwork()],
    ] as const) {
      try {
        write();
      } catch (error) {
        gaps.push({ class: name, from: attachedAt, to: this.#now(), reason: errorMessage(error), lost: null });
      }
    }
    const starts = this.#starts.filter((start) => start.canaries.size > 0 || start.counters !== undefined);
    const unseenConnects = Math.max(0, opened - tcpConnects);
    const books = {
      unseenConnects,
      from: attachedAt,
      to: this.#now(),
      starts,
      absences: this.#absences,
      refused: [...this.#refused],
    };
    return { completeness: statementsOf({ ...books, ...closed }), gaps: gaps.map(({ lost: _, ...gap }) => gap) };
  }

  #gaps(): (Gap & { lost: number | null })[] {
    const away = this.#absences.map(({ from, to, reason }) => ({
      class: "all",
      from,
      to,
      reason: `the sensor was away: ${reason}`,
      lost: null,
    }));
    const counted = this.#starts.flatMap((start) =>
      start.losses.map((loss) => ({
        class: loss.class,
        from: this.#clock.wallTime(loss.fromNs),
        to: this.#clock.wallTime(loss.toNs),
        reason: `${loss.lost} records found no room between kernel and sensor`,
        lost: loss.lost,
      })),
    );
    return [...away, ...counted];
  }

  #emitGap(gap: Gap & { lost: number | null }): void {
    const nowNs = this.#clock.nowNs();
    this.#emit({
      kind: "sensor.gap",
      mono_ns: nowNs,
      time: this.#clock.wallTime(nowNs),
      source: "supervisor",
      ...gap,
      from: gap.from ?? this.#clock.wallTime(nowNs),
    });
  }

  #emitCounters(start: number, account: StartAccount): void {
    const { counters } = account;
    if (counters === undefined) return;
    this.#emit({
      kind: "sensor.counters",
      mono_ns: counters.timeNs,
      time: this.#clock.wallTime(counters.timeNs),
      source: KERNEL_SENSOR,
      start,
      emitted: counters.emitted,
      lost: counters.lost,
      received: account.received,
      untracked: counters.untracked,
      paths_truncated: counters.pathsTruncated,
      ...(counters.final ? { final: true } : {}),
    });
  }

  #now(): string {
    return this.#clock.wallTime(this.#clock.nowNs());
  }
}
