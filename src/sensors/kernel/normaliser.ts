import type { BootClock } from "./boot-clock.ts";
import type { Environments } from "./environment.ts";
import type { EventContext } from "./event-context.ts";
import { FileEvents } from "./file-events.ts";
import type { FoundProcess } from "./found-process.ts";
import { NetworkEvents } from "./network-events.ts";
import { ProcessEvents } from "./process-events.ts";
import type { NetworkRecord, ObservationRecord, SecurityRecord } from "./record.ts";
import { addSecurityEvent } from "./security-events.ts";
import { sensitiveFiles } from "./sensitive-files.ts";
import { WrittenFiles } from "./written-files.ts";

export interface NormaliserOptions {
  clock: BootClock;
  emit: EventContext["emit"];
  sensitivePatterns: readonly string[];
  modelAddress?: string | undefined;
  /** Of environment values; default: one with a new key. */
  environments?: Environments;
}

/** Makes events of records about the container's processes. Its memory is bounded whatever the container does. */
export class Normaliser {
  readonly #context: EventContext;
  readonly #written = new WrittenFiles();
  readonly #processes: ProcessEvents;
  readonly #files: FileEvents;
  readonly #network: NetworkEvents;

  constructor(options: NormaliserOptions) {
    this.#context = { clock: options.clock, emit: options.emit };
    const isSensitive = sensitiveFiles(options.sensitivePatterns);
    this.#files = new FileEvents(this.#context, { written: this.#written, isSensitive });
    this.#network = new NetworkEvents(this.#context, options.modelAddress);
    const connectionOf = (socket: string): number => this.#network.connectionOf(socket);
    this.#processes = new ProcessEvents(this.#context, {
      written: this.#written,
      connectionOf,
      environments: options.environments,
    });
  }

  /** How often a table was full: what was forgotten makes later events poorer, none is missing for it. */
  get forgotten(): number {
    return this.#written.forgotten + this.#processes.forgotten;
  }

  set initPid(pid: number) {
    this.#processes.initPid = pid;
  }

  add(record: ObservationRecord): void {
    this.#processes.meet(record);
    switch (record.kind) {
      case "fork":
      case "exec":
      case "exec-failed":
      case "exit":
        return this.#processes.add(record);
      case "open":
      case "open-failed":
      case "close-write":
      case "shared-mapping":
      case "path":
        return this.#files.add(record);
      default:
        this.#addOther(record);
    }
  }

  #addOther(record: NetworkRecord | SecurityRecord): void {
    switch (record.kind) {
      case "connect":
      case "bind":
      case "listen":
      case "accept":
      case "socket":
      case "tcp-state":
      case "datagram":
      case "descriptor":
        return this.#network.add(record);
      case "credentials":
      case "namespace":
      case "reach":
      case "blind-spot":
        addSecurityEvent(this.#context, record);
    }
  }

  /** The sensor was away and is back: `processes` run now, and sockets have new identities. */
  resume(processes: readonly FoundProcess[]): void {
    this.#network.finish();
    this.#processes.found(processes);
  }

  /** Writes what was waiting for more. */
  finish(): void {
    this.#processes.tellFound();
    this.#network.finish();
    this.#processes.tellSurvivors(this.#context.clock.nowNs());
  }
}
