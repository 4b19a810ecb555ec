import { type CountersRecord, type KernelRecord, RECORD_CLASSES, type RecordClass } from "./record.ts";
import { classOf } from "./record-class.ts";

type PerClass = Record<RecordClass, number>;

const NONE: Readonly<PerClass> = { process: 0, file: 0, network: 0, security: 0 };

/** A loss that the counters show between two of their records. */
export interface CountedLoss {
  class: RecordClass;
  lost: number;
  fromNs: number;
  toNs: number;
}

/**
 * The books of one start of the sensor: what the kernel side says it made, against what arrived here. Two ways must
 * agree: its counters, and holes in the numbers of the records.
 */
export class StartAccount {
  readonly received: PerClass = { ...NONE };
  readonly losses: CountedLoss[] = [];
  readonly canaries = new Set<"start" | "end">();
  /** Frames that were no record. */
  faults = 0;
  readonly #startedNs: number;
  #counters: CountersRecord | undefined;
  #maxSeq = -1;
  #numbered = 0;

  constructor(startedNs: number) {
    this.#startedNs = startedNs;
  }

  get counters(): CountersRecord | undefined {
    return this.#counters;
  }

  /** The kernel side has said its last word. */
  get isClosed(): boolean {
    return this.#counters?.final === true;
  }

  /** Numbers below the highest that did not come. */
  get holes(): number {
    return Math.max(0, this.#maxSeq + 1 - this.#numbered);
  }

  add(record: KernelRecord): void {
    if (record.kind === "counters") return this.#count(record);
    const recordClass = classOf(record);
    if (recordClass === undefined || record.kind === "ready") return;
    this.received[recordClass]++;
    this.#numbered++;
    if (record.seq > this.#maxSeq) this.#maxSeq = record.seq;
    if (record.kind === "canary") this.canaries.add(record.at);
  }

  /** How many records of a class are missing, as far as is known: those without room, and those that went astray. */
  missing(recordClass: RecordClass): number {
    const lost = this.#counters?.lost[recordClass] ?? 0;
    if (!this.isClosed || this.#counters === undefined) return lost;
    return Math.max(lost, this.#counters.emitted[recordClass] - this.received[recordClass]);
  }

  /** Of all classes, by counters or by holes, whichever is more. */
  get missingInAll(): number {
    return Math.max(
      this.holes,
      RECORD_CLASSES.reduce((sum, name) => sum + this.missing(name), 0),
    );
  }

  #count(counters: CountersRecord): void {
    const before = this.#counters;
    for (const name of RECORD_CLASSES) {
      const lost = counters.lost[name] - (before?.lost[name] ?? 0);
      if (lost > 0)
        this.losses.push({ class: name, lost, fromNs: before?.timeNs ?? this.#startedNs, toNs: counters.timeNs });
    }
    this.#counters = counters;
  }
}
