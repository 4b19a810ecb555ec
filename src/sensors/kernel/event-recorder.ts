import * as fs from "node:fs";
import * as path from "node:path";
import { LAYOUT } from "../../evidence/layout.ts";
import type { EventBody } from "../../schema/event.ts";
import { EventLists } from "./event-lists.ts";
import { EventWriter, type EventWriterStats } from "./event-writer.ts";
import type { Books } from "./statements.ts";

/** Ports on which names are asked for in a way that is not read: plain over TCP, and encrypted. */
const UNREAD_DNS_PORT = /:(?:53|853)$/;
const ENCRYPTED_WEB_PORT = /:443$/;

/** Takes events: writes them to the file, and rebuilds from them which processes and connections there were. */
export class EventRecorder {
  readonly #captureDir: string;
  readonly #writer: EventWriter;
  readonly #lists = new EventLists();
  readonly #tally = {
    ringOperations: 0,
    compatCalls: 0,
    hiddenDns: 0,
    encryptedWeb: 0,
    malformedDns: 0,
    tcpConnects: 0,
  };

  /** Creates the events file of the capture. */
  constructor(captureDir: string, limitBytes?: number) {
    this.#captureDir = captureDir;
    this.#writer = new EventWriter(path.join(captureDir, LAYOUT.events), limitBytes);
  }

  /** @returns the event's number in the file, or undefined when there was no room. */
  emit(event: EventBody): number | undefined {
    this.#lists.apply(event);
    this.#count(event);
    return this.#writer.write(event);
  }

  /** Keeps which processes and connections there are now. */
  snapshot(nowMs: number): void {
    this.#lists.snapshot(nowMs);
  }

  flush(): void {
    this.#writer.flush();
  }

  /** Closes the events file. */
  close(): Pick<Books, "file" | "hidden" | "hiddenDns" | "encryptedWeb" | "malformedDns"> & { tcpConnects: number } {
    const { ringOperations, compatCalls, ...others } = this.#tally;
    const file: EventWriterStats = this.#writer.close();
    return { file, hidden: { ringOperations, compatCalls }, ...others };
  }

  /** Removes the events file. */
  discard(): void {
    this.#writer.close();
    fs.rmSync(path.join(this.#captureDir, LAYOUT.events), { force: true });
  }

  /** Writes observations/process_tree.json. Throws CaptureError. */
  writeProcessTree(): void {
    this.#lists.writeProcessTree(this.#captureDir);
  }

  /** Writes observations/network.json. Throws CaptureError. */
  writeNetwork(): void {
    this.#lists.writeNetwork(this.#captureDir);
  }

  #count(event: EventBody): void {
    if (event.kind === "blind-spot") {
      if (event.stage === "submit") this.#tally.ringOperations++;
      if (event.interface === "compat-call" && event.errno === undefined) this.#tally.compatCalls++;
    }
    if ((event.kind === "net.connect" || event.kind === "net.datagram") && ENCRYPTED_WEB_PORT.test(event.remote))
      this.#tally.encryptedWeb++;
    if (event.kind === "net.connect") {
      const isStream = event.transport.startsWith("tcp");
      if (isStream) this.#tally.tcpConnects++;
      if (UNREAD_DNS_PORT.test(event.remote) && (isStream || event.remote.endsWith(":853"))) this.#tally.hiddenDns++;
    }
    if (event.kind === "net.datagram" && event.malformed_dns === true) this.#tally.malformedDns++;
  }
}
