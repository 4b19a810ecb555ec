/**
 * Attribution of a long run, fed from a file as a summary is: time and memory.
 *   node bench/attribution.ts [EVENTS] [DIRECTORY]
 */
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
    return `${JSON.stringify({ seq: seq++, mono_ns: ms * 1e6, time, source: "kernel", ...event })}\n`;
  };
  const start = { kind: "process.exec", process: AGENT, parent: "1-1", env_bytes: 0, argv: ["opencode"] };
  yield line(0, { ...exec, ...start, container_pid: 1 });
  const each = Math.floor(EVENTS / CALLS);
  for (let call = 0; call < CALLS; call++) {
    const ms = call * 1000 + 200;
    const shell = `${200 + call}-${call}`;
    yield line(ms, { kind: "process.fork", process: shell, parent: AGENT, container_pid: 9, uid: 1, comm: "x" });
    const argv = ["/usr/bin/bash", "-c", `make ${call}`];
    yield line(ms, { ...exec, kind: "process.exec", process: shell, parent: AGENT, argv, env_bytes: 0 });
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

const dir = fs.mkdtempSync(path.join(process.argv[3] ?? os.tmpdir(), "attribution-"));
try {
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
  const mebibytes = fs.statSync(file).size / 2 ** 20;
  const before = process.memoryUsage.rss() / 2 ** 20;
  const startMs = performance.now();
  let parsedMs = 0;
  await streamCaptureEvents(openCapture(dir), () => {});
  parsedMs = performance.now() - startMs;
  const builder = new AttributionBuilder(calls().calls());
  const againMs = performance.now();
  const read = await streamCaptureEvents(openCapture(dir), (event) => builder.add(event));
  const wholeMs = performance.now() - againMs;
  const { attributed, unattributed } = builder.result();
  const peak = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(
    [
      `${os.cpus().length} × ${os.cpus()[0]?.model}, ${read.valid} events, ${mebibytes.toFixed(0)} MiB`,
      `read and checked alone         ${(parsedMs / 1000).toFixed(1)} s`,
      `read, checked and attributed   ${(wholeMs / 1000).toFixed(1)} s   (${(wholeMs / parsedMs).toFixed(2)} of reading)`,
      `most memory                    ${peak.toFixed(0)} MiB   (${before.toFixed(0)} before)`,
      `attributed ${attributed}, unattributed ${unattributed}`,
      "",
    ].join("\n"),
  );
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}
