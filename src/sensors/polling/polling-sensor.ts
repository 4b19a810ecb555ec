import * as path from "node:path";
import { writeJsonAtomic } from "../../core/atomic-file.ts";
import { isoNow } from "../../core/clock.ts";
import { errorMessage } from "../../core/errors.ts";
import { LAYOUT } from "../../evidence/layout.ts";
import { SCHEMA_VERSION } from "../../schema/common.ts";
import type { CompletenessClass, Gap, Network, ProcessTree } from "../../schema/observations.ts";
import type { Sensor, SensorReport, SensorTarget } from "../port.ts";
import { ConnectionTable } from "./connection-table.ts";
import type { TcpCounters } from "./net-parse.ts";
import { NetworkLook } from "./network-look.ts";
import { Pacer } from "./pacer.ts";
import { ProcessList } from "./process-list.ts";
import { ProcessTable } from "./process-table.ts";
import { socketOwners } from "./socket-owners.ts";

export interface PollingSensorOptions {
  captureDir: string;
  /** Where the model listens inside the container, for example `127.0.0.1:4100`. */
  modelAddress?: string;
}

const SENSOR = "polling";
const SNAPSHOT_EVERY_MS = 1000;
/** One timer for all: to wake up costs more than most looks. */
const PACE = { minMs: 15, maxMs: 250, share: 0.015, burstMs: 300 } as const;
const NETWORK_EVERY_LOOKS = 2;

/**
 * Looks at a container's processes and sockets many times a second, from the host: its control group, /proc/PID, and
 * /proc/PID/net. Nothing runs in the container. What lives for less than the time between two looks is missed, so
 * everything is `sampled`. Writes observations/process_tree.json and network.json.
 */
export function createPollingSensor(options: PollingSensorOptions): Sensor {
  return new PollingSensor(options);
}

class PollingSensor implements Sensor {
  readonly name = SENSOR;
  readonly #options: PollingSensorOptions;
  #watch: ContainerWatch | undefined;
  #stopped = false;

  constructor(options: PollingSensorOptions) {
    this.#options = options;
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  attach(target: SensorTarget): Promise<void> {
    this.#watch = new ContainerWatch(target, this.#options.modelAddress);
    this.#watch.start();
    return Promise.resolve();
  }

  stop(): Promise<SensorReport> {
    const watch = this.#watch;
    if (this.#stopped) return Promise.resolve({ completeness: [], gaps: [] });
    this.#stopped = true;
    if (watch === undefined) return Promise.resolve(neverAttached());
    const gaps: Gap[] = [];
    const unwritten = new Set<string>();
    watch.stop();
    const write = (name: "process" | "network", file: string, value: unknown): void => {
      try {
        writeJsonAtomic(path.join(this.#options.captureDir, file), value);
      } catch (error) {
        unwritten.add(name);
        gaps.push({ class: name, from: watch.from, to: isoNow(), reason: errorMessage(error) });
      }
    };
    write("process", LAYOUT.processTree, watch.processTree());
    write("network", LAYOUT.network, watch.network());
    gaps.push(...watch.gaps);
    const completeness = watch.completeness().map((entry) => (unwritten.has(entry.class) ? notWritten(entry) : entry));
    return Promise.resolve({ completeness, gaps });
  }
}

/** What was seen and then could not be written is on record nowhere. */
function notWritten(entry: CompletenessClass): CompletenessClass {
  return { ...entry, level: "absent", reason: "what was seen could not be written", lost: null };
}

function neverAttached(): SensorReport {
  const reason = "the container was never there to be looked at";
  return {
    completeness: (["process", "network"] as const).map((name) => ({
      class: name,
      level: "absent",
      sensor: SENSOR,
      reason,
      lost: null,
      from: null,
      to: null,
      started_before_agent: null,
    })),
    gaps: [],
  };
}

/** All looks at one container. */
class ContainerWatch {
  readonly from = isoNow();
  readonly gaps: Gap[] = [];
  readonly #list: ProcessList | undefined;
  readonly #look: NetworkLook | undefined;
  readonly #processes: ProcessTable;
  readonly #connections: ConnectionTable;
  readonly #owners = socketOwners(() => this.#processes.pids);
  readonly #pacer = new Pacer(PACE, (look) => this.#lookAround(look));
  #snapshotMs = 0;
  #counters: TcpCounters | undefined;

  constructor(target: SensorTarget, modelAddress: string | undefined) {
    this.#connections = new ConnectionTable(modelAddress);
    this.#processes = new ProcessTable(target.pid);
    this.#list = ProcessList.open(target);
    this.#look = NetworkLook.open(target.pid);
  }

  start(): void {
    this.#pacer.start();
  }

  stop(): void {
    this.#pacer.stop();
    this.#guard("network", () => this.#lookAtNetwork(true));
    this.#counters = this.#look?.tcpCounters();
    this.#list?.close();
    this.#look?.close();
  }

  processTree(): ProcessTree {
    return { schema_version: SCHEMA_VERSION, generated_at: isoNow(), ...this.#processes.result() };
  }

  network(): Network {
    return { schema_version: SCHEMA_VERSION, generated_at: isoNow(), ...this.#connections.result() };
  }

  completeness(): CompletenessClass[] {
    return [
      this.#list === undefined
        ? this.#statement("process", "absent", "the container has no control group of its own to look at", null)
        : this.#statement(
            "process",
            "sampled",
            `${this.#pacer.describe()}; processes that live for less are missed`,
            null,
          ),
      this.#look === undefined
        ? this.#statement("network", "absent", "the container's network namespace could not be looked at", null)
        : this.#networkStatement(),
    ];
  }

  #networkStatement(): CompletenessClass {
    const seen = this.#connections.tcpConnections;
    const parts = [`every second of ${this.#pacer.describe()}; sockets that live for less are missed`];
    if (this.#counters === undefined) return this.#statement("network", "sampled", parts.join("; "), null);
    const { activeOpens, attemptFails } = this.#counters;
    parts.push(
      `the kernel counted ${activeOpens} TCP connections opened from inside (${attemptFails} failed), ${seen} were seen`,
    );
    return this.#statement("network", "sampled", parts.join("; "), Math.max(0, activeOpens - seen));
  }

  #lookAround(look: number): void {
    const nowMs = Date.now();
    this.#guard("process", () => this.#processes.look(this.#list?.read() ?? [], nowMs));
    if (look % NETWORK_EVERY_LOOKS === 0) this.#guard("network", () => this.#lookAtNetwork(false));
    // A clock that was set back must not stop the snapshots.
    if (nowMs - this.#snapshotMs < SNAPSHOT_EVERY_MS && nowMs >= this.#snapshotMs) return;
    this.#snapshotMs = nowMs;
    this.#list?.refresh();
    this.#processes.snapshot(nowMs);
    this.#connections.snapshot(nowMs);
  }

  #lookAtNetwork(last: boolean): void {
    const rows = last ? this.#look?.read() : this.#look?.readIfChanged();
    if (rows !== undefined) this.#connections.look(rows, this.#owners, Date.now());
  }

  /** A fault of one look must neither end the others nor the run. */
  #guard(name: "process" | "network", look: () => void): void {
    try {
      look();
    } catch (error) {
      if (this.gaps.length < 20)
        this.gaps.push({ class: name, from: isoNow(), to: isoNow(), reason: errorMessage(error) });
    }
  }

  #statement(
    name: "process" | "network",
    level: CompletenessClass["level"],
    reason: string,
    lost: number | null,
  ): CompletenessClass {
    return {
      class: name,
      level,
      sensor: SENSOR,
      reason,
      lost,
      from: this.from,
      to: isoNow(),
      started_before_agent: true,
    };
  }
}
