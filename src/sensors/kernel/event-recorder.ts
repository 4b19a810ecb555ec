import * as fs from "node:fs";
import * as path from "node:path";
import { writeJsonAtomic } from "../../core/atomic-file.ts";
import { isoNow } from "../../core/clock.ts";
import { LAYOUT } from "../../evidence/layout.ts";
import { SCHEMA_VERSION } from "../../schema/common.ts";
import type { EventBody } from "../../schema/event.ts";
import type { Network, ProcessTree } from "../../schema/observations.ts";
import { EventConnectionList } from "./connection-list.ts";
import { EventWriter, type EventWriterStats } from "./event-writer.ts";
import { EventProcessList } from "./process-list.ts";
import type { Books } from "./statements.ts";

/** Ports on which names are asked for in a way that is not read: plain over TCP, and encrypted. */
const UNREAD_DNS_PORT = /:(?:53|853)$/;

/** Takes events: writes them to the file, and rebuilds from them which processes and connections there were. */
export class EventRecorder {
  readonly #captureDir: string;
  readonly #writer: EventWriter;
  readonly #processes = new EventProcessList();
  readonly #connections = new EventConnectionList();
  readonly #tally = { ringOperations: 0, compatCalls: 0, hiddenDns: 0, malformedDns: 0, tcpConnects: 0 };

  /** Creates the events file of the capture. */
  constructor(captureDir: string, limitBytes?: number) {
    this.#captureDir = captureDir;
    this.#writer = new EventWriter(path.join(captureDir, LAYOUT.events), limitBytes);
  }

  /** @returns the event's number in the file, or undefined when there was no room. */
  emit(event: EventBody): number | undefined {
    this.#processes.apply(event);
    this.#connections.apply(event);
    this.#count(event);
    return this.#writer.write(event);
  }

  /** Keeps which processes and connections there are now. */
  snapshot(nowMs: number): void {
    this.#processes.snapshot(nowMs);
    this.#connections.snapshot(nowMs);
  }

  flush(): void {
    this.#writer.flush();
  }

  /** Closes the events file. */
  close(): Pick<Books, "file" | "hidden" | "hiddenDns" | "malformedDns"> & { tcpConnects: number } {
    const { tcpConnects, ringOperations, compatCalls, hiddenDns, malformedDns } = this.#tally;
    const file: EventWriterStats = this.#writer.close();
    return { file, hidden: { ringOperations, compatCalls }, hiddenDns, malformedDns, tcpConnects };
  }

  /** Removes the events file. */
  discard(): void {
    this.#writer.close();
    fs.rmSync(path.join(this.#captureDir, LAYOUT.events), { force: true });
  }

  /** Writes observations/process_tree.json. Throws CaptureError. */
  writeProcessTree(): void {
    const value: ProcessTree = { ...head(), ...this.#processes.result() };
    writeJsonAtomic(path.join(this.#captureDir, LAYOUT.processTree), value);
  }

  /** Writes observations/network.json. Throws CaptureError. */
  writeNetwork(): void {
    const value: Network = { ...head(), ...this.#connections.result() };
    writeJsonAtomic(path.join(this.#captureDir, LAYOUT.network), value);
  }

  #count(event: EventBody): void {
    if (event.kind === "blind-spot") {
      if (event.stage === "submit") this.#tally.ringOperations++;
      if (event.interface === "compat-call" && event.errno === undefined) this.#tally.compatCalls++;
    }
    if (event.kind === "net.connect") {
      const isStream = event.transport.startsWith("tcp");
      if (isStream) this.#tally.tcpConnects++;
      if (UNREAD_DNS_PORT.test(event.remote) && (isStream || event.remote.endsWith(":853"))) this.#tally.hiddenDns++;
    }
    if (event.kind === "net.datagram" && event.malformed_dns === true) this.#tally.malformedDns++;
  }
}

function head() {
  return { schema_version: SCHEMA_VERSION, generated_at: isoNow() } as const;
}
