import * as path from "node:path";
import { writeJsonAtomic } from "../../core/atomic-file.ts";
import { isoNow } from "../../core/clock.ts";
import { errorMessage } from "../../core/errors.ts";
import { LAYOUT } from "../../evidence/layout.ts";
import type { RunRecord } from "../../schema/run.ts";
import type { Sensor, SensorReport, SensorTarget } from "../port.ts";
import { PacketAnalyser } from "./analyser.ts";
import { PacketFile, type PacketFileStats } from "./packet-file.ts";
import { PacketProcess } from "./packet-process.ts";
import { PcapngReader } from "./pcapng.ts";
import { absentPackets, PACKET_WITNESS, type PacketBooks, packetStatement } from "./statement.ts";

export interface PacketSensorOptions {
  captureDir: string;
  /** The program that records; see packetProgram(). */
  program: string;
  /** `address:port` of the model inside the container. */
  modelAddress?: string;
  limits: { fileBytes: number; packetBytes: number };
  ringBlocks?: number;
  /** Told once it is known whether packets are recorded, and why not. */
  onState?(state: NonNullable<RunRecord["packet_witness"]>): void;
}

/** The recorder takes no other sizes. */
const LEAST_PACKET_BYTES = 64;
const MOST_PACKET_BYTES = 65_535;

/**
 * The second witness of the network: the packets themselves, as they pass the container's network namespace, without the
 * content of the talk with the model. Writes observations/packets.pcapng and flows.json. A run goes on without it.
 */
export class PacketSensor implements Sensor {
  readonly name = PACKET_WITNESS;
  readonly #options: PacketSensorOptions;
  readonly #reader = new PcapngReader();
  readonly #analyser: PacketAnalyser;
  readonly #dropped = new Map<number, number>();
  #process: PacketProcess | undefined;
  #file: PacketFile | undefined;
  #absence = "the container was never there to be watched";
  #from: string | null = null;
  #death: { at: string; reason: string } | undefined;
  #sawLast = false;
  #stopped = false;

  constructor(options: PacketSensorOptions) {
    this.#options = options;
    this.#analyser = new PacketAnalyser(options.modelAddress);
  }

  /** Pid of the recorder; 0: there is none. */
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  /** Never rejects: the run goes on without this witness, and says so. */
  async attach(target: SensorTarget): Promise<void> {
    const { captureDir, program, limits, modelAddress, ringBlocks, onState } = this.#options;
    try {
      if (limits.fileBytes === 0) throw new Error("the limit `packets` is 0");
      this.#file = new PacketFile(path.join(captureDir, LAYOUT.packets), limits.fileBytes);
      this.#process = await PacketProcess.start({
        program,
        pid: target.pid,
        packetBytes: Math.min(Math.max(limits.packetBytes, LEAST_PACKET_BYTES), MOST_PACKET_BYTES),
        modelAddress,
        ringBlocks,
        onBytes: (chunk) => this.#take(chunk),
        onDeath: (why) => this.#died(why),
      });
      this.#from = isoNow();
      onState?.({ used: true, reason: "it is built, and works here" });
    } catch (error) {
      this.#absence = errorMessage(error);
      this.#file?.discard();
      this.#file = undefined;
      onState?.({ used: false, reason: this.#absence });
    }
  }

  async stop(): Promise<SensorReport> {
    if (this.#stopped) return { completeness: [], gaps: [] };
    this.#stopped = true;
    const failure = await this.#process?.stop();
    if (failure !== undefined && this.#death === undefined) this.#died(failure);
    const file = this.#file?.close();
    if (this.#from === null || file === undefined) return { completeness: [absentPackets(this.#absence)], gaps: [] };
    const books = this.#books(file, this.#from);
    const gaps = this.#gaps();
    try {
      const result = this.#analyser.result({ kept: file.kept, dropped: books.dropped });
      writeJsonAtomic(path.join(this.#options.captureDir, LAYOUT.flows), result);
    } catch (error) {
      gaps.push({ class: PACKET_WITNESS, from: this.#from, to: isoNow(), reason: errorMessage(error) });
    }
    return { completeness: [packetStatement(books)], gaps };
  }

  /** A chunk of the pipe. Nothing is held back: while this works, the pipe and then the ring fill up, and drops are counted. */
  #take(chunk: Buffer): void {
    const blocks = this.#reader.push(chunk);
    for (const { content } of blocks) {
      this.#analyser.add(content);
      if (content.kind !== "statistics") continue;
      this.#dropped.set(content.interface, content.dropped);
      this.#sawLast ||= content.isLast;
    }
    this.#file?.write(blocks);
  }

  #died(reason: string): void {
    this.#death ??= { at: isoNow(), reason };
  }

  #gaps(): SensorReport["gaps"] {
    if (this.#death === undefined) return [];
    const { at, reason } = this.#death;
    return [{ class: PACKET_WITNESS, from: at, to: null, reason: `packets were no longer recorded: ${reason}` }];
  }

  #books(file: PacketFileStats, from: string): PacketBooks {
    const dropped = [...this.#dropped.values()].reduce((sum, one) => sum + one, 0);
    const { packets, unlisted_packets, unlisted } = this.#analyser.result({ kept: 0, dropped: null });
    return {
      from,
      to: isoNow(),
      dropped: this.#sawLast || dropped > 0 ? dropped : null,
      seen: packets.seen,
      cut: packets.cut,
      payloadOmitted: packets.payload_omitted,
      file,
      unlisted: unlisted_packets + unlisted,
      fault: this.#reader.fault ?? (this.#reader.pendingBytes > 0 ? "its stream ends within a block" : undefined),
      death: this.#death?.reason,
      isClosed: this.#sawLast,
    };
  }
}
