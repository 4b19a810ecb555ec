import * as fs from "node:fs";
import * as path from "node:path";
import type { StorageCalls } from "../../src/core/storage.ts";

/**
 * What happens at the Nth call to the storage. `short`: one write takes half. `enospc`, `eio`: that call and every later one
 * fails; `…-once`: only that one. `kill`: the process is killed, a write has taken half by then.
 */
export const FAULTS = ["short", "enospc", "enospc-once", "eio", "eio-once", "kill"] as const;
export type Fault = (typeof FAULTS)[number];

/** What the storage has said it holds: bytes of a file that is appended to, or that a file was put in its place. */
export interface Acknowledged {
  file: string;
  /** Length of the file by then; undefined for a rename. */
  sizeBytes: number | undefined;
}

export interface FaultPlan {
  fault: Fault | undefined;
  /** From 1; of the calls that the fault can meet. */
  at: number;
  onAcknowledged?: (what: Acknowledged) => void;
}

/** Counts the calls it is given, and breaks the one that the plan names. */
export class FaultyStorage implements StorageCalls {
  /** Calls that the fault could have met. */
  count = 0;
  readonly #system: StorageCalls;
  readonly #plan: FaultPlan;
  readonly #files = new Map<number, string>();
  /** A write was cut short by a fault that is told by the call after it. */
  #failNext = false;

  constructor(system: StorageCalls, plan: FaultPlan) {
    this.#system = system;
    this.#plan = plan;
  }

  open(file: string, flags: string | number, mode: number): number {
    // Opening a directory in order to sync it writes nothing.
    const reads = typeof flags === "number" && (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) === 0;
    this.#meet(reads ? "read" : "make");
    const fd = this.#system.open(file, flags, mode);
    this.#files.set(fd, file);
    return fd;
  }

  write(fd: number, data: Uint8Array, offset: number, length: number): number {
    const taken = this.#meet("write", () => this.#system.write(fd, data, offset, Math.ceil(length / 2)));
    const bytes = taken ?? this.#system.write(fd, data, offset, length);
    this.#acknowledge(fd);
    return bytes;
  }

  sync(fd: number): void {
    this.#meet("sync");
    this.#system.sync(fd);
  }

  truncate(fd: number, sizeBytes: number): void {
    this.#meet("truncate");
    this.#system.truncate(fd, sizeBytes);
    this.#acknowledge(fd);
  }

  close(fd: number): void {
    try {
      this.#meet("close");
    } finally {
      // As the kernel does: a descriptor is gone also when its closing fails.
      this.#system.close(fd);
      this.#files.delete(fd);
    }
  }

  rename(from: string, to: string): void {
    this.#meet("make");
    this.#system.rename(from, to);
    this.#plan.onAcknowledged?.({ file: to, sizeBytes: undefined });
  }

  makeDirectory(dir: string, mode: number): void {
    this.#meet("make");
    this.#system.makeDirectory(dir, mode);
  }

  copy(from: string, to: string): void {
    this.#meet("make");
    this.#system.copy(from, to);
  }

  #acknowledge(fd: number): void {
    const file = this.#files.get(fd);
    if (file === undefined || path.basename(file).startsWith(".")) return;
    this.#plan.onAcknowledged?.({ file, sizeBytes: fs.fstatSync(fd).size });
  }

  /** @returns what a write has taken that is cut short. */
  #meet(call: CallKind, half?: () => number): number | undefined {
    const { fault, at } = this.#plan;
    if (fault === undefined || !CAN_MEET[fault].includes(call)) {
      if (fault === undefined) this.count++;
      return undefined;
    }
    this.count++;
    const now = this.count === at;
    if (!now && !this.#failNext && (this.count < at || !LASTING.has(fault))) return undefined;
    this.#failNext = false;
    if (fault === "short") return half?.();
    if (fault === "kill") this.#die(half);
    const code = fault.startsWith("eio") ? "EIO" : "ENOSPC";
    // A disk takes what still fits before it refuses.
    if (now && half !== undefined && fault !== "eio") {
      this.#failNext = true;
      return half();
    }
    throw Object.assign(new Error(`${code}: injected, ${call}`), { code });
  }

  #die(half: (() => number) | undefined): never {
    half?.();
    process.kill(process.pid, "SIGKILL");
    // The signal may take a moment; nothing may happen in it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    throw new Error("unreachable");
  }
}

type CallKind = "make" | "write" | "sync" | "truncate" | "close" | "read";

const LASTING: ReadonlySet<Fault> = new Set(["enospc", "eio"]);

const EVERY: readonly CallKind[] = ["make", "write", "sync", "truncate", "close", "read"];
const CAN_MEET: Readonly<Record<Fault, readonly CallKind[]>> = {
  short: ["write"],
  enospc: ["make", "write", "sync"],
  "enospc-once": ["make", "write", "sync"],
  eio: EVERY,
  "eio-once": EVERY,
  kill: EVERY,
};
