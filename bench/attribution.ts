/**
 * Attribution of a long run, fed from a file as a summary is: time and memory.
 *   node bench/attribution.ts [EVENTS] [DIRECTORY]
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { LAYOUT } from "../src/evidence/layout.ts";
import { openCapture } from "../src/evidence/reader.ts";
import { streamCaptureEvents } from "../src/evidence/reader-streams.ts";
import type { Exchange } from "../src/schema/exchange.ts";
import { AttributionBuilder } from "../src/summary/attribution/attribution.ts";
import { CallLog } from "../src/summary/attribution/gateway-calls.ts";

const EVENTS = Number(process.argv[2] ?? 1_000_000);
const CALLS = 200;
const START_MS = Date.parse("2026-11-22T12:00:00.000Z");
const AGENT = "100-1";

/** Each call: one shell, and under it processes that make, write and remove a file. */
function* lines(): Generator<string> {
  const file = { inode: 7, device: "8:1", mode: "100644", size: 10, links: 1 };
  const exec = {
    container_pid: 9,
    uid: 1,
    gid: 1,
    comm: "x",
    exe: "/bin/x",
    cwd: "/workspace",
    argv_bytes: 9,
    ...file,
  };
  let seq = 0;
  const line = (ms: number, event: Record<string, unknown>): string => {
    const time = new Date(START_MS + ms).toISOString();
    return `${JSON.stringify({ seq: seq++, mono_ns: (ms + 5000) * 1e6, time, source: "kernel", ...event })}\n`;
  };
  const start = { kind: "process.exec", process: AGENT, parent: "1-1", env_bytes: 0, argv: ["opencode"] };
  yield line(-5000, { ...exec, ...start, container_pid: 1 });
  const each = Math.floor(EVENTS / CALLS);
  for (let call = 0; call < CALLS; call++) {
    const ms = call * 1000 + 200;
    const shell = `${200 + call}-${call}`;
    yield line(ms, { kind: "process.fork", process: shell, parent: AGENT, container_pid: 9, uid: 1, comm: "x" });
    const argv = ["/usr/bin/bash", "-c", `make ${call}`];
    yield line(ms, { ...exec, kind: "process.exec", process: shell, parent: AGENT, exe: argv[0], argv, env_bytes: 0 });
    for (let child = 0; child < each / 6; child++) {
      const one = `${call * 100_000 + child}-${call}${child}`;
      const opened = { path: `/workspace/out/${call}/${child}`, ...file };
      yield line(ms, { kind: "process.fork", process: one, parent: shell, container_pid: 9, uid: 1, comm: "x" });
      yield line(ms, {
        ...exec,
        kind: "process.exec",
        process: one,
        parent: shell,
        argv: ["x", `${child}`],
        env_bytes: 0,
      });
      yield line(ms, { kind: "file.open", process: one, access: "write", created: true, ...opened });
      yield line(ms, { kind: "file.close-write", process: one, ...opened });
      yield line(ms, { kind: "file.unlink", process: one, path: opened.path });
      yield line(ms, { kind: "process.exit", process: one, comm: "x", code: 0, signal: null, duration_ms: 1 });
    }
  }
}

function calls(): CallLog {
  const log = new CallLog();
  for (let seq = 0; seq < CALLS; seq++) {
    const asked = { id: `call_${seq}`, name: "bash", arguments: JSON.stringify({ command: `make ${seq}` }) };
    const started = new Date(START_MS + seq * 1000).toISOString();
    const answer = {
      seq,
      started_at: started,
      first_byte_ms: 1,
      duration_ms: 100,
      session_id: "s",
      tool_calls: [asked],
    };
    log.addExchange(answer as unknown as Exchange);
  }
  return log;
}

function writeEvents(dir: string): number {
  const file = path.join(dir, LAYOUT.events);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.mkdirSync(path.join(dir, path.dirname(LAYOUT.run)));
  fs.writeFileSync(path.join(dir, LAYOUT.run), "{}");
  const out = fs.openSync(file, "w");
  let batch = "";
  for (const line of lines()) {
    batch += line;
    if (batch.length < 1 << 20) continue;
    fs.writeSync(out, batch);
    batch = "";
  }
  fs.writeSync(out, batch);
  fs.closeSync(out);
  return fs.statSync(file).size;
}

/** In a process of its own, so that its memory is that of reading alone. */
async function measure(dir: string): Promise<void> {
  const builder = process.argv[4] === "attributed" ? new AttributionBuilder(calls().calls()) : undefined;
  const before = process.memoryUsage.rss();
  const startMs = performance.now();
  const { valid } = await streamCaptureEvents(openCapture(dir), (event) => builder?.add(event));
  const tookMs = performance.now() - startMs;
  const { attributed = 0, unattributed = 0 } = builder?.result() ?? {};
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  const { user, system } = process.cpuUsage();
  const cpuMs = (user + system) / 1000;
  process.stdout.write(JSON.stringify({ valid, tookMs, cpuMs, before, peakBytes, attributed, unattributed }));
}

type Measured = Record<"valid" | "tookMs" | "cpuMs" | "before" | "peakBytes" | "attributed" | "unattributed", number>;

function measured(dir: string, what: "read" | "attributed"): Measured {
  const args = [import.meta.filename, String(EVENTS), dir, what];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Measured;
}

function main(): void {
  const dir = fs.mkdtempSync(path.join(process.argv[3] ?? os.tmpdir(), "attribution-"));
  try {
    const sizeBytes = writeEvents(dir);
    const read = measured(dir, "read");
    const whole = measured(dir, "attributed");
    const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
    const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
    const line = (name: string, one: Measured): string =>
      `${name.padEnd(30)} ${seconds(one.tookMs)}, CPU ${seconds(one.cpuMs)}, most memory ${mebibytes(one.peakBytes)} (${mebibytes(one.before)} before)\n`;
    process.stdout.write(
      `${os.cpus().length} × ${os.cpus()[0]?.model}, ${whole.valid} events, ${mebibytes(sizeBytes)}\n`,
    );
    process.stdout.write(line("read and checked alone", read));
    process.stdout.write(line("read, checked and attributed", whole));
    process.stdout.write(`attributed ${whole.attributed}, unattributed ${whole.unattributed}\n`);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

if (process.argv[4] === undefined) main();
else await measure(process.argv[3] ?? "");
