import * as path from "node:path";
import { writeJsonAtomic } from "../../core/atomic-file.ts";
import { isoNow } from "../../core/clock.ts";
import { LAYOUT } from "../../evidence/layout.ts";
import { SCHEMA_VERSION } from "../../schema/common.ts";
import type { EventBody } from "../../schema/event.ts";
import type { Network, ProcessTree } from "../../schema/observations.ts";
import { EventConnectionList } from "./connection-list.ts";
import { EventProcessList } from "./process-list.ts";

/** The two older observations, rebuilt from events. */
export class EventLists {
  readonly #processes = new EventProcessList();
  readonly #connections = new EventConnectionList();

  apply(event: EventBody): void {
    this.#processes.apply(event);
    this.#connections.apply(event);
  }

  /** Keeps which processes and connections there are now. */
  snapshot(nowMs: number): void {
    this.#processes.snapshot(nowMs);
    this.#connections.snapshot(nowMs);
  }

  /** Writes observations/process_tree.json. Throws CaptureError. */
  writeProcessTree(captureDir: string): void {
    const value: ProcessTree = { ...head(), ...this.#processes.result() };
    writeJsonAtomic(path.join(captureDir, LAYOUT.processTree), value);
  }

  /** Writes observations/network.json. Throws CaptureError. */
  writeNetwork(captureDir: string): void {
    const value: Network = { ...head(), ...this.#connections.result() };
    writeJsonAtomic(path.join(captureDir, LAYOUT.network), value);
  }
}

function head() {
  return { schema_version: SCHEMA_VERSION, generated_at: isoNow() } as const;
}
