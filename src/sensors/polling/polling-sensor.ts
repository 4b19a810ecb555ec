import * as path from "node:path";
import { writeJsonAtomic } from "../../core/atomic-file.ts";
import { isoNow } from "../../core/clock.ts";
import { errorMessage } from "../../core/errors.ts";
import { LAYOUT } from "../../evidence/layout.ts";
import { listProcesses } from "../../sandbox/cgroup-processes.ts";
import { SCHEMA_VERSION } from "../../schema/common.ts";
import type { CompletenessClass, Gap, Network, ProcessTree } from "../../schema/observations.ts";
import type { Sensor, SensorReport, SensorTarget } from "../port.ts";
import { ConnectionTable } from "./connection-table.ts";
import { readSockets } from "./proc-net.ts";
import { ProcessTable } from "./process-table.ts";
import { findSocketOwners } from "./socket-owners.ts";

/** Distance of the looks. A look costs about 0.2 ms for ten processes. */
const PROCESSES_EVERY_MS = 20;
/** The kernel walks its whole socket table for each look (3 ms measured, twice), so connections are looked at less often. */
const CONNECTIONS_EVERY_LOOKS = 10;

export interface PollingSensorOptions {
  captureDir: string;
  /** Where the model listens inside the container. */
  modelAddress: string;
}

/**
 * Observes processes and connections by looking from the host at the container's control group and at /proc: never by
 * running anything in the container. What lives between two looks is not seen.
 */
export function createPollingSensor(options: PollingSensorOptions): Sensor {
  return new PollingSensor(options);
}

class PollingSensor implements Sensor {
  readonly name = "polling";
  readonly #options: PollingSensorOptions;
  readonly #processes = new ProcessTable();
  readonly #connections: ConnectionTable;
  readonly #gaps: Gap[] = [];
  #target: SensorTarget | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;
  #tableCut = false;
  #from: string | null = null;

  constructor(options: PollingSensorOptions) {
    this.#options = options;
    this.#connections = new ConnectionTable(options.modelAddress);
  }

  async prepare(): Promise<void> {}

  async attach(target: SensorTarget): Promise<void> {
    this.#target = target;
    this.#from = isoNow();
    this.#processes.hold(target.pid);
    this.#look();
    this.#timer = setInterval(() => this.#look(), PROCESSES_EVERY_MS);
  }

  async stop(): Promise<SensorReport> {
    clearInterval(this.#timer);
    const to = isoNow();
    const head = { schema_version: SCHEMA_VERSION, generated_at: to } as const;
    const processes = this.#processes.result();
    const connections = this.#connections.result();
    writeJsonAtomic(path.join(this.#options.captureDir, LAYOUT.processTree), {
      ...head,
      ...processes,
    } satisfies ProcessTree);
    writeJsonAtomic(path.join(this.#options.captureDir, LAYOUT.network), { ...head, ...connections } satisfies Network);
    return {
      completeness: [
        this.#completeness("process", to, PROCESSES_EVERY_MS, processes.truncated),
        this.#completeness(
          "network",
          to,
          PROCESSES_EVERY_MS * CONNECTIONS_EVERY_LOOKS,
          connections.truncated || this.#tableCut,
        ),
      ],
      gaps: this.#gaps,
    };
  }

  #look(): void {
    const target = this.#target;
    if (target === undefined) return;
    try {
      const timestamp = isoNow();
      const pids = listProcesses(target.cgroupDirs);
      this.#processes.look(pids, timestamp);
      if (this.#looks % CONNECTIONS_EVERY_LOOKS === 0) this.#lookAtConnections(target.pid, pids, timestamp);
      this.#looks += 1;
    } catch (error) {
      this.#fail(error);
    }
  }

  #lookAtConnections(pid: number, pids: readonly number[], timestamp: string): void {
    const tables = readSockets(pid);
    if (tables === undefined) return;
    this.#tableCut ||= tables.cut;
    this.#connections.look(tables.rows, timestamp, (inodes) => findSocketOwners(pids, inodes));
  }

  /** A broken look must not end the run: it becomes a gap, and looking stops. */
  #fail(error: unknown): void {
    clearInterval(this.#timer);
    this.#gaps.push({ class: "process", from: isoNow(), to: null, reason: errorMessage(error) });
    this.#gaps.push({ class: "network", from: isoNow(), to: null, reason: errorMessage(error) });
  }

  #completeness(name: "process" | "network", to: string, everyMs: number, cut: boolean): CompletenessClass {
    const seen = this.#looks > 0;
    const limits = cut ? "; a limit cut the list" : "";
    const dns = name === "network" ? "; contents and DNS names are not decoded" : "";
    return {
      class: name,
      level: seen ? "sampled" : "absent",
      sensor: this.name,
      reason: seen
        ? `looked at from the host every ${everyMs} ms; what lived between two looks was not seen${dns}${limits}`
        : "the sensor never saw the container",
      lost: null,
      from: this.#from,
      to,
      started_before_agent: seen,
    };
  }
}
