import { type CaptureEvent, captureEvent } from "../../schema/event.ts";
import type { Exchange } from "../../schema/exchange.ts";
import { AttributionBuilder } from "./attribution.ts";
import { CallLog } from "./gateway-calls.ts";

const START_MS = Date.parse("2026-11-22T12:00:00.000Z");
export const AGENT = "100-1";

export interface Asked {
  id: string | null;
  tool: string;
  args: unknown;
}

/** A run made by hand: model turns by the second, and the kernel's events. For tests. */
export class HandMadeRun {
  readonly log = new CallLog();
  readonly events: CaptureEvent[] = [];
  #exchanges = 0;

  constructor() {
    this.exec(0, AGENT, ["opencode", "run"], { container_pid: 1, parent: "99-1" });
  }

  /** The model asks for calls at `second`; the answer takes 100 ms. */
  asks(second: number, calls: readonly Asked[], session = "ses_1"): void {
    const exchange = {
      seq: this.#exchanges++,
      started_at: iso(second),
      duration_ms: 100,
      first_byte_ms: 10,
      session_id: session,
      tool_calls: calls.map((call) => ({ id: call.id, name: call.tool, arguments: JSON.stringify(call.args) })),
    };
    this.log.addExchange(exchange as unknown as Exchange);
  }

  fork(second: number, process: string, parent: string): void {
    this.#push(second, { kind: "process.fork", process, parent, container_pid: 7, uid: 1000, comm: "x" });
  }

  exec(second: number, process: string, argv: readonly string[], more: Record<string, unknown> = {}): void {
    const file = { inode: 1, device: "8:1", mode: "100755", size: 1, links: 1 };
    this.#push(second, {
      kind: "process.exec",
      process,
      parent: AGENT,
      container_pid: 7,
      uid: 1000,
      gid: 1000,
      comm: "x",
      exe: (argv[0] ?? "").startsWith("/") ? argv[0] : `/usr/bin/${argv[0]}`,
      ...file,
      cwd: "/workspace",
      argv,
      argv_bytes: 1,
      env_bytes: 1,
      ...more,
    });
  }

  /** A child of `parent` that runs a program. */
  starts(second: number, process: string, parent: string, argv: readonly string[], mark?: string): void {
    this.fork(second, process, parent);
    this.exec(second, process, argv, { parent, ...(mark === undefined ? {} : { call_id: mark }) });
  }

  exit(second: number, process: string, code = 0): void {
    this.#push(second, { kind: "process.exit", process, comm: "x", code, signal: null, duration_ms: 1 });
  }

  writes(second: number, process: string, path: string): void {
    const file = { inode: 1, device: "8:1", mode: "100644", size: 1, links: 1 };
    this.#push(second, { kind: "file.close-write", process, path, ...file });
  }

  event(second: number, event: Record<string, unknown>): void {
    this.#push(second, event);
  }

  /** Reads everything, in the order in which it was told. */
  read(failed?: ReadonlySet<string>): AttributionBuilder {
    const builder = new AttributionBuilder(this.log.calls(), failed);
    for (const event of this.events) builder.add(event);
    return builder;
  }

  #push(second: number, event: Record<string, unknown>): void {
    const head = { seq: this.events.length, mono_ns: second * 1e9, time: iso(second), source: "kernel" };
    this.events.push(captureEvent.parse({ ...head, ...event }));
  }
}

function iso(second: number): string {
  return new Date(START_MS + second * 1000).toISOString();
}
