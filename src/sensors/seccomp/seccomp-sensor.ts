import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { sleepInBackground } from "../../core/clock.ts";
import { CaptureError, errorMessage } from "../../core/errors.ts";
import { listProcesses } from "../../sandbox/cgroup-processes.ts";
import { notifyProfile } from "../../sandbox/seccomp/notify-profile.ts";
import type { Gap } from "../../schema/observations.ts";
import { BootClock } from "../kernel/boot-clock.ts";
import { ConnectWitness } from "../kernel/connect-witness.ts";
import { EventRecorder } from "../kernel/event-recorder.ts";
import type { Sensor, SensorReport, SensorTarget } from "../port.ts";
import { CallEvents } from "./call-events.ts";
import type { EndLine, LineOf, ListenerLine } from "./line.ts";
import { ListenerProcess } from "./listener-process.ts";
import { absentListenerStatements, listenerStatements, SECCOMP_SENSOR } from "./statements.ts";

export interface SeccompSensorOptions {
  captureDir: string;
  /** Where the container's seccomp profile is written; must outlive the container. */
  profileDir: string;
  /** The listener that scripts/build-sensor.sh makes; see listenerProgram(). */
  program: string;
  sensitivePatterns: readonly string[];
  /** Where the model listens inside the container, for example `127.0.0.1:4100`. */
  modelAddress?: string;
}

const SNAPSHOT_EVERY_MS = 1000;
const FLUSH_EVERY_MS = 250;
const LOOK_EVERY_MS = 100;
const TAKEN_MS = 30_000;
/** The listener ends by itself when the container's last process is gone; a run must not wait for it much longer. */
const STOP_MS = 30_000;

/**
 * Sees what a container asks the kernel for, without rights to load programs into it: the runtime hands the calls that the
 * profile names to a listener, which reads their arguments and lets them go on. Whether they succeed it does not see.
 * The container must be made with the profile at `seccompProfile`, after `prepare`.
 */
export class SeccompSensor implements Sensor {
  readonly name = SECCOMP_SENSOR;
  readonly #options: SeccompSensorOptions;
  readonly #clock = new BootClock();
  readonly #recorder: EventRecorder;
  readonly #events: CallEvents;
  readonly #gaps: LineOf<"gap">[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #socketDir: string | undefined;
  #listener: ListenerProcess | undefined;
  #end: EndLine | undefined;
  #target: SensorTarget | undefined;
  #witness: ConnectWitness | undefined;
  #attachedAt: string | null = null;
  #stopping = false;

  /** Creates the events file. */
  constructor(options: SeccompSensorOptions) {
    this.#options = options;
    this.#recorder = new EventRecorder(options.captureDir);
    this.#events = new CallEvents({
      clock: this.#clock,
      emit: (event) => this.#recorder.emit(event),
      sensitivePatterns: options.sensitivePatterns,
      modelAddress: options.modelAddress,
    });
  }

  /** The profile that the container must be made with. */
  get seccompProfile(): string {
    return path.join(this.#options.profileDir, "seccomp-listener.json");
  }

  /** Pid of the listener's guardian. */
  get listenerPid(): number {
    return this.#listener?.pid ?? 0;
  }

  /** Throws CaptureError when the listener can't be used here. */
  async prepare(): Promise<void> {
    // A socket's path has room for 107 bytes only.
    this.#socketDir = fs.mkdtempSync(path.join(os.tmpdir(), "oc-listen-"));
    const socket = path.join(this.#socketDir, "s");
    fs.writeFileSync(this.seccompProfile, JSON.stringify(notifyProfile(socket)));
    this.#listener = new ListenerProcess(this.#options.program, socket, { onLine: (line) => this.#take(line) });
    await this.#listener.listening;
  }

  /** Throws CaptureError when the runtime did not hand the calls over. */
  async attach(target: SensorTarget): Promise<void> {
    const listener = this.#listener;
    if (listener === undefined) throw new CaptureError("internal", "attach before prepare");
    const late = sleepInBackground(TAKEN_MS).then(() => {
      throw new CaptureError("sensor-unavailable", "the container runtime did not hand the notified calls over", {
        hint: "runc 1.1 or newer, or crun, is needed; --sensor polling does without",
      });
    });
    await Promise.race([listener.taken, late]);
    this.#removeSocket();
    this.#target = target;
    this.#witness = new ConnectWitness(target.pid);
    this.#attachedAt = this.#now();
    this.#timers.push(
      setInterval(() => this.#recorder.snapshot(Date.now()), SNAPSHOT_EVERY_MS).unref(),
      setInterval(() => this.#recorder.flush(), FLUSH_EVERY_MS).unref(),
      setInterval(() => this.#look(target), LOOK_EVERY_MS).unref(),
    );
  }

  async stop(): Promise<SensorReport> {
    if (this.#stopping) return { completeness: [], gaps: [] };
    this.#stopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#letGo(this.#attachedAt === null ? 0 : STOP_MS);
    if (this.#target !== undefined) this.#events.look(listProcesses(this.#target.cgroupDirs));
    return this.#report();
  }

  /** Takes everything back, the events file too: the run is watched in another way. */
  async discard(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    await this.#letGo(0);
    this.#recorder.discard();
  }

  async #letGo(waitMs: number): Promise<void> {
    this.#listener?.release();
    if (this.#listener !== undefined) await Promise.race([this.#listener.closed, sleepInBackground(waitMs)]);
    this.#listener?.abandon();
    this.#removeSocket();
  }

  #look(target: SensorTarget): void {
    this.#listener?.wake();
    this.#events.look(listProcesses(target.cgroupDirs));
  }

  #removeSocket(): void {
    if (this.#socketDir !== undefined) fs.rmSync(this.#socketDir, { recursive: true, force: true });
    this.#socketDir = undefined;
  }

  #take(line: ListenerLine): void {
    switch (line.k) {
      case "listening":
      case "guard":
      case "taken":
        return;
      case "gap":
        this.#gaps.push(line);
        return;
      case "end":
        this.#end = line;
        return;
      case "found":
        return this.#events.found(line);
      default:
        this.#events.add(line);
    }
  }

  #report(): SensorReport {
    const from = this.#attachedAt;
    const gaps = this.#replacements();
    for (const { lost, ...gap } of gaps) this.#emitGap(gap, lost);
    const { file, tcpConnects } = this.#recorder.close();
    const opened = this.#witness?.finish() ?? 0;
    if (from === null) {
      return { completeness: absentListenerStatements("the container was never there to be watched"), gaps: [] };
    }
    const told: Gap[] = gaps.map(({ lost: _, ...gap }) => gap);
    told.push(...this.#writeLists(from));
    const completeness = listenerStatements({
      from,
      to: this.#now(),
      end: this.#end,
      received: this.#listener?.lines ?? 0,
      faults: this.#listener?.faults ?? 0,
      replaced: this.#gaps.length,
      file,
      unseenConnects: Math.max(0, opened - tcpConnects),
      lookEveryMs: LOOK_EVERY_MS,
    });
    return { completeness, gaps: told };
  }

  #writeLists(from: string): Gap[] {
    const lists = [
      ["process", () => this.#recorder.writeProcessTree()],
      ["network", () => this.#recorder.writeNetwork()],
    ] as const;
    return lists.flatMap(([name, write]) => {
      try {
        write();
        return [];
      } catch (error) {
        return [{ class: name, from, to: this.#now(), reason: errorMessage(error) }];
      }
    });
  }

  #replacements(): (Gap & { lost: number | null })[] {
    const replaced = this.#gaps.map(({ from, t, why, unseen }) => ({
      class: "all",
      from: this.#clock.wallTime(from),
      to: this.#clock.wallTime(t),
      reason: `the listener was replaced: ${why}; calls waited meanwhile, ${unseen} were let go without a look`,
      lost: unseen,
    }));
    if (this.#attachedAt === null || this.#end !== undefined) return replaced;
    const reason = "the listener ended before the container: calls that it was asked about failed from then on";
    return [...replaced, { class: "all", from: this.#attachedAt, to: null, reason, lost: null }];
  }

  #emitGap(gap: Gap, lost: number | null): void {
    const nowNs = this.#clock.nowNs();
    const time = this.#clock.wallTime(nowNs);
    const from = gap.from ?? time;
    this.#recorder.emit({ kind: "sensor.gap", mono_ns: nowNs, time, source: "supervisor", ...gap, from, lost });
  }

  #now(): string {
    return this.#clock.wallTime(this.#clock.nowNs());
  }
}
