import { errorMessage } from "../../core/errors.ts";
import type { RunRecord } from "../../schema/run.ts";
import { BootClock } from "../kernel/boot-clock.ts";
import type { Sensor, SensorReport, SensorTarget } from "../port.ts";
import { ContentSpool } from "./content-spool.ts";
import type { WatchedDirectory } from "./final-state.ts";
import type { WitnessRecord } from "./record.ts";
import { type Books, reportContents } from "./report-contents.ts";
import { FILE_WITNESS, witnessAbsent } from "./statements.ts";
import { VersionLog } from "./version-log.ts";
import { WitnessProcess } from "./witness-process.ts";

export interface FileWitnessOptions {
  captureDir: string;
  /** Private directory, out of the container's reach. */
  scratchDir: string;
  program: string;
  directories: readonly WatchedDirectory[];
  /** Most bytes that are kept in the capture. */
  keptBytes: number;
  /** Most bytes that are read of one file. */
  fileBytes?: number;
  /** How long the witness may take until it sees. */
  startMs?: number;
  /** Bytes of the disk that it may use by now; below 0: none. Asked at the start and at the end. */
  roomBytes(): number;
  /** Hashes of contents that stand somewhere at the end; asked for once the run is over. */
  hashesAtEnd(): Promise<ReadonlySet<string>>;
  /** Told once it is known whether the witness runs, and why not. */
  onState?(state: NonNullable<RunRecord["file_witness"]>): void;
}

const FILE_BYTES = 16 << 20;
/** As much as this of what comes by is remembered until it is known what is to be kept. */
const SPOOL_TIMES_KEPT = 4;
/** Of the room that there is; the rest is the agent's, and that of the other records. */
const SHARE_OF_ROOM = 0.25;

/**
 * The second witness of files: the kernel hands over each file that was closed after writing, and its content is read at
 * once. What is gone or overwritten at the end is kept. Nobody waits for it, and a run goes on without it.
 */
export class FileWitness implements Sensor {
  readonly name = FILE_WITNESS;
  readonly #options: FileWitnessOptions;
  readonly #clock = new BootClock();
  readonly #log = new VersionLog();
  #spool: ContentSpool | undefined;
  #process: WitnessProcess | undefined;
  #open: Extract<WitnessRecord, { kind: "file" }> | undefined;
  #absence = "the container was never there to be watched";
  #books: Books | undefined;
  #stopped = false;

  constructor(options: FileWitnessOptions) {
    this.#options = options;
  }

  /** Of the witness process; 0 when there is none. */
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  /** Never rejects: the run goes on without this witness, and says so. */
  async attach(target: SensorTarget): Promise<void> {
    const { program, directories, keptBytes, fileBytes = FILE_BYTES, startMs, onState } = this.#options;
    try {
      this.#spool = ContentSpool.create(this.#options.scratchDir, this.#atMost(keptBytes * SPOOL_TIMES_KEPT));
      const { process } = await WitnessProcess.start({
        program,
        pid: target.pid,
        directories: directories.map(({ root }) => root),
        fileBytes,
        ...(startMs === undefined ? {} : { startMs }),
        onRecord: (record) => this.#take(record),
      });
      this.#process = process;
      void process.ended.then((death) => this.#noteDeath(death));
      onState?.({ used: true, reason: "it is built, and this kernel lets it watch" });
    } catch (error) {
      this.#absence = errorMessage(error);
      onState?.({ used: false, reason: this.#absence });
    }
  }

  async stop(): Promise<SensorReport> {
    if (this.#stopped) return { completeness: [], gaps: [] };
    this.#stopped = true;
    const [books, spool] = [this.#books, this.#spool];
    try {
      if (books === undefined || spool === undefined) return { completeness: [witnessAbsent(this.#absence)], gaps: [] };
      this.#noteDeath(await this.#process?.stop());
      books.to = this.#now();
      const { captureDir, directories, keptBytes } = this.#options;
      const hashes = await this.#options.hashesAtEnd();
      return await reportContents(books, this.#log, spool, {
        captureDir,
        directories,
        keptBytes: this.#atMost(keptBytes),
        hashes,
        clock: this.#clock,
      });
    } catch (error) {
      return { completeness: [witnessAbsent(`contents could not be kept: ${errorMessage(error)}`)], gaps: [] };
    } finally {
      spool?.close();
    }
  }

  #take(record: WitnessRecord): void {
    const spool = this.#spool;
    if (spool === undefined) return;
    switch (record.kind) {
      case "ready":
        this.#books = newBooks(this.#now(), record);
        break;
      case "file":
        this.#open = { ...record, path: Buffer.from(record.path) };
        spool.begin();
        break;
      case "piece":
        spool.add(record.bytes);
        break;
      case "file-end":
        this.#close(record, spool);
        break;
      case "overflow":
        this.#books?.overflows.push(this.#clock.wallTime(record.timeNs));
        break;
      case "end":
        if (this.#books !== undefined)
          Object.assign(this.#books, { closes: record.closes, unreadable: record.unreadable });
        break;
      default:
    }
  }

  #close(end: Extract<WitnessRecord, { kind: "file-end" }>, spool: ContentSpool): void {
    const file = this.#open;
    this.#open = undefined;
    if (file === undefined) return;
    if (this.#books !== undefined) this.#books.received++;
    const whole = !end.tooLarge && !end.failed;
    if (!whole) spool.abandon();
    this.#log.add(file, end, whole ? spool.finish() : null);
  }

  #atMost(bytes: number): number {
    return Math.floor(Math.max(0, Math.min(bytes, this.#options.roomBytes() * SHARE_OF_ROOM)));
  }

  #noteDeath(reason: string | undefined): void {
    const books = this.#books;
    if (reason !== undefined && books !== undefined && books.death === undefined)
      books.death = { at: this.#now(), reason };
  }

  #now(): string {
    return this.#clock.wallTime(this.#clock.nowNs());
  }
}

function newBooks(from: string, ready: Extract<WitnessRecord, { kind: "ready" }>): Books {
  return {
    from,
    to: from,
    directories: ready.directories,
    unproven: ready.directories.length - ready.seen,
    received: 0,
    closes: null,
    unreadable: 0,
    overflows: [],
    death: undefined,
  };
}
