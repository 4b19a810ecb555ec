import type { EventBody } from "../../schema/event.ts";
import type { BootClock } from "../kernel/boot-clock.ts";
import { processId } from "../kernel/event-context.ts";
import { findProcess } from "../kernel/found-process.ts";
import { Normaliser } from "../kernel/normaliser.ts";
import { argvFields, splitBlock } from "../kernel/text.ts";
import { type CallHead, ConnectEvents } from "./connects.ts";
import type { CallLine, LineOf } from "./line.ts";
import { ProcessLedger } from "./process-ledger.ts";
import { recordOf } from "./records.ts";
import { SECCOMP_SENSOR } from "./statements.ts";

export interface CallEventOptions {
  clock: BootClock;
  /** @returns the event's number in the file, or undefined when there was no room. */
  emit(event: EventBody): number | undefined;
  sensitivePatterns: readonly string[];
  modelAddress?: string | undefined;
}

/** Makes events of what the listener tells and of looks at the container's processes. */
export class CallEvents {
  readonly #options: CallEventOptions;
  readonly #normaliser: Normaliser;
  readonly #connects: ConnectEvents;
  readonly #ledger = new ProcessLedger();
  #lastCall = "";
  #begun = false;

  constructor(options: CallEventOptions) {
    this.#options = options;
    this.#connects = new ConnectEvents(options.modelAddress);
    this.#normaliser = new Normaliser({
      clock: options.clock,
      emit: (event) => options.emit(attempted(event)),
      sensitivePatterns: options.sensitivePatterns,
    });
  }

  /** A process of which nothing was told before. */
  found(line: LineOf<"found">): void {
    const key = { pid: line.pid, startNs: line.start };
    if (!this.#meet(key)) return;
    const text = (bytes: Buffer): string | null => (bytes.length === 0 ? null : bytes.toString("utf8"));
    this.#options.emit({
      kind: "process.found",
      mono_ns: line.t,
      time: this.#options.clock.wallTime(line.t),
      source: SECCOMP_SENSOR,
      process: processId(key),
      parent: processId({ pid: line.ppid, startNs: line.pstart }),
      container_pid: line.cpid === 0 ? null : line.cpid,
      uid: line.uid,
      comm: line.comm.toString("utf8"),
      exe: text(line.exe),
      cwd: text(line.cwd),
      ...argvFields(splitBlock(line.args)),
    });
  }

  /** A call. A listener that was replaced in the middle of one may tell of it twice. */
  add(line: CallLine): void {
    const call = `${line.id} ${line.k}`;
    if (call === this.#lastCall) return;
    this.#lastCall = call;
    this.#begun = true;
    const key = { pid: line.pid, startNs: line.start };
    this.#meet(key);
    if (line.k !== "connect" && line.k !== "bind") return this.#normaliser.add(recordOf(line));
    const head: CallHead = {
      mono_ns: line.t,
      time: this.#options.clock.wallTime(line.t),
      source: SECCOMP_SENSOR,
      process: processId(key),
      ...(line.tid === undefined ? {} : { tid: line.tid }),
      attempted: true,
    };
    const event = this.#connects.describe(line, head);
    if (event !== undefined) this.#options.emit(event);
  }

  /** A look: `pids` are all processes of the container now. */
  look(pids: readonly number[]): void {
    // Before the agent's first program the container holds the runtime alone.
    if (!this.#begun) return;
    const { gone, strangers } = this.#ledger.look(pids);
    for (const process of gone) this.#tellGone(process);
    const nowNs = this.#options.clock.nowNs();
    for (const pid of strangers) {
      const process = findProcess(pid, nowNs);
      if (process === undefined || !this.#meet(process.key)) continue;
      this.#options.emit({
        kind: "process.found",
        ...this.#now(),
        process: processId(process.key),
        parent: process.parent === undefined ? "" : processId(process.parent),
        container_pid: process.containerPid,
        uid: process.uid,
        comm: process.comm,
        exe: process.exe,
        cwd: process.cwd,
        ...argvFields(process.argv),
      });
    }
  }

  /** @returns whether it is new. */
  #meet(key: { pid: number; startNs: number }): boolean {
    const { isNew, gone } = this.#ledger.meet(key);
    if (gone !== undefined) this.#tellGone(gone);
    return isNew;
  }

  #tellGone(process: string): void {
    this.#options.emit({ kind: "process.gone", ...this.#now(), process });
  }

  #now() {
    const nowNs = this.#options.clock.nowNs();
    return { mono_ns: nowNs, time: this.#options.clock.wallTime(nowNs), source: "supervisor" as const };
  }
}

/** The normaliser is the kernel sensor's: what it makes of calls that are only asked for is relabelled. */
function attempted(event: EventBody): EventBody {
  return "process" in event ? { ...event, source: SECCOMP_SENSOR, attempted: true } : event;
}
