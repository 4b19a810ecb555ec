/**
 * How many records a second the supervisor takes from the kernel sensor to the events file, and how much memory it needs.
 *   node bench/event-pipeline.ts [RECORDS]      (as root: the records are real ones)
 * The sensor's own bytes of a short workload are kept in a file, and the file is read again and again as if it were the sensor.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { LAYOUT } from "../src/evidence/layout.ts";
import { decodeRecord } from "../src/sensors/kernel/decode.ts";
import { FrameSplitter } from "../src/sensors/kernel/frames.ts";
import { KernelSensor } from "../src/sensors/kernel/kernel-sensor.ts";
import type { KernelRecord, ReadyRecord } from "../src/sensors/kernel/record.ts";
import { sensorProgram } from "../src/sensors/kernel/sensor-process.ts";
import type { KernelSource, SourceEvents } from "../src/sensors/kernel/source.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const RECORDS = Number(process.argv[2] ?? 1_000_000);
const CHUNK_BYTES = 64 << 10;
const WORKLOAD = `
read go
for i in $(seq 400); do /bin/true "argument $i"; echo "$i" > "$1/file-$i"; mv "$1/file-$i" "$1/other"; rm "$1/other"; done
python3 -c '
import socket
server = socket.create_server(("127.0.0.1", 0))
for i in range(400):
    client = socket.create_connection(server.getsockname())
    server.accept()[0].close()
    client.close()
'
`;

/** The bytes that the sensor writes while the workload runs. */
async function recordReality(dir: string, file: string): Promise<void> {
  const out = fs.openSync(file, "w");
  const sensor = spawn(sensorProgram(ROOT), [], { stdio: ["pipe", out, "inherit"] });
  const { stdin } = sensor;
  if (stdin === null) throw new Error("the sensor has no input");
  const shell = spawn("bash", ["-c", WORKLOAD, "bench", dir], { stdio: ["pipe", "ignore", "inherit"] });
  const hasAnswered = () => fs.statSync(file).size > 0;
  while (!hasAnswered()) await new Promise((resolve) => setTimeout(resolve, 50));
  stdin.write(`watch ${shell.pid}\n`);
  await new Promise((resolve) => setTimeout(resolve, 500));
  shell.stdin.end("go\n");
  await once(shell, "close");
  stdin.end();
  await once(sensor, "close");
  fs.closeSync(out);
}

/** Gives the records of a file as a sensor would, until there were enough. */
class FileSource implements KernelSource {
  readonly pid = process.pid;
  readonly faults = 0;
  readonly ready: ReadyRecord = { kind: "ready", timeNs: 0, programs: 0, refused: [], ringBytes: 0 };
  readonly #bytes: Buffer;
  readonly #events: SourceEvents;
  given = 0;

  constructor(file: string, events: SourceEvents) {
    this.#bytes = fs.readFileSync(file);
    this.#events = events;
  }

  watch(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<{ faults: number; failure: undefined }> {
    return Promise.resolve({ faults: 0, failure: undefined });
  }

  async play(records: number): Promise<void> {
    while (this.given < records) {
      const splitter = new FrameSplitter();
      for (let at = 0; at < this.#bytes.length; at += CHUNK_BYTES) {
        const frames = splitter.push(this.#bytes.subarray(at, at + CHUNK_BYTES));
        const decoded = frames.map(decodeRecord).filter((one): one is KernelRecord => one.kind !== "watching");
        this.#events.onRecords(decoded);
        this.given += decoded.length;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "opencode-capture-bench-"));
try {
  fs.mkdirSync(path.join(dir, "observations"));
  const file = path.join(dir, "records");
  await recordReality(dir, file);
  let source: FileSource | undefined;
  const sensor = new KernelSensor({
    captureDir: dir,
    sensitivePatterns: ["**/.env*", "**/.ssh/**", "config/**"],
    eventsLimitBytes: 8 * 2 ** 30,
    start: (events) => {
      source = new FileSource(file, events);
      return Promise.resolve(source);
    },
  });
  await sensor.prepare();
  await sensor.attach({ pid: process.pid, containerId: "bench", cgroupDirs: {} });
  const before = process.cpuUsage();
  const startedMs = performance.now();
  await source?.play(RECORDS);
  const seconds = (performance.now() - startedMs) / 1000;
  const cpu = process.cpuUsage(before);
  const given = source?.given ?? 0;
  const rss = process.memoryUsage().rss;
  await sensor.stop();
  const eventBytes = fs.statSync(path.join(dir, LAYOUT.events)).size;
  const perSecond = given / seconds;
  process.stdout.write(
    `${given} records in ${seconds.toFixed(1)} s: ${Math.round(perSecond)} a second, ` +
      `${((cpu.user + cpu.system) / given).toFixed(2)} µs of CPU each (${Math.round(given / ((cpu.user + cpu.system) / 1e6))} a second of CPU), ` +
      `${(eventBytes / given).toFixed(0)} bytes each, memory at the end ${(rss / 2 ** 20).toFixed(0)} MiB, ` +
      `peak with the writing of the lists ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB\n`,
  );
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
