/**
 * What the gateway costs: the first byte of an answer against asking the provider directly, and memory with 100 streams of
 * 10 MB at a time. Provider, gateway and client are processes of their own, so that each one's memory is its own. Prints
 * one JSON object. `node bench/gateway.ts`
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { Agent, createServer, request as httpRequest, type IncomingMessage } from "node:http";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { HttpGateway } from "../src/gateway/http-gateway.ts";
import { DEFAULT_GATEWAY_LIMITS } from "../src/gateway/limits.ts";
import { LiveUpstream } from "../src/gateway/live/live-upstream.ts";
import { Secret } from "../src/gateway/live/secret.ts";
import { median } from "./statistics.ts";

const MIB = 1024 * 1024;
const ROUNDS = 300;
const STREAMS = 100;
const STREAM_BYTES = 10 * MIB;
const PIECE = Buffer.from(
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "x".repeat(900) } }] })}\n\n`,
);

/** The provider, in a process of its own: its memory is not the gateway's. `large` in the path asks for 10 MB. */
function serveProvider(): void {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      let left = request.headers["x-large"] === undefined ? PIECE.length : STREAM_BYTES;
      const more = (): void => {
        while (left > 0) {
          left -= PIECE.length;
          if (!response.write(PIECE)) return void response.once("drain", more);
        }
        response.end("data: [DONE]\n\n");
      };
      more();
    });
  });
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as net.AddressInfo).port));
}

async function start(...args: string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(import.meta.filename, args);
  const [port] = (await once(child, "message")) as [number];
  return { child, port };
}

/** The gateway, in a process of its own. Any message is answered with its memory; `close` ends it. */
async function serveGateway(providerPort: number, dir: string): Promise<void> {
  const { gateway, port } = await startGateway(providerPort, dir);
  process.send?.(port);
  process.on("message", (message) => {
    if (message === "close") void gateway.close().then(() => process.exit(0));
    else process.send?.(memoryNow());
  });
}

/** Resident memory in bytes, now and at its highest so far. */
function memoryNow(): Memory {
  const status = fs.readFileSync("/proc/self/status", "utf8");
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? Number.NaN) * 1024;
  return { rss: bytes("VmRSS"), peak: bytes("VmHWM") };
}

interface Memory {
  rss: number;
  peak: number;
}

async function memoryOf(child: ChildProcess): Promise<Memory> {
  child.send("memory");
  const [memory] = (await once(child, "message")) as [Memory];
  return memory;
}

async function startGateway(providerPort: number, dir: string): Promise<{ gateway: HttpGateway; port: number }> {
  const limits = { ...DEFAULT_GATEWAY_LIMITS, connections: STREAMS + 10, recordBytes: 2048 * MIB };
  const target = {
    baseUrl: `http://127.0.0.1:${providerPort}/v1`,
    formats: ["openai-chat"] as const,
    models: ["m"],
    key: new Secret("sk-bench-0123456789abcdef"),
    proxy: {},
  };
  const gateway = new HttpGateway({
    upstream: new LiveUpstream(target, limits),
    recordFile: path.join(dir, "exchanges.jsonl"),
    port: 4100,
    agentConfig: { model: "", provider: {} },
    info: {
      requested: "",
      provider: "",
      model: "m",
      persona: null,
      scriptSha256: null,
      baseUrl: null,
      keySource: null,
    },
    limits,
  });
  const listener = net.createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  gateway.serve(listener);
  return { gateway, port: (listener.address() as net.AddressInfo).port };
}

const BODY = JSON.stringify({ model: "m", messages: [{ role: "user", content: "x".repeat(30_000) }] });

async function ask(port: number, agent: Agent, large: boolean): Promise<{ firstByteMs: number; bytes: number }> {
  const started = performance.now();
  const outgoing = httpRequest({
    port,
    host: "127.0.0.1",
    agent,
    method: "POST",
    path: "/v1/chat/completions",
    headers: large ? { "x-large": "1" } : {},
  });
  outgoing.end(BODY);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  let firstByteMs = 0;
  let bytes = 0;
  for await (const chunk of response) {
    if (bytes === 0) firstByteMs = performance.now() - started;
    bytes += (chunk as Buffer).length;
  }
  return { firstByteMs, bytes };
}

async function firstBytes(ports: { direct: number; gateway: number }): Promise<object> {
  const agent = new Agent({ keepAlive: true });
  const times = { direct: [] as number[], gateway: [] as number[] };
  // In turns, so that whatever else the machine does weighs on both alike.
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ["direct", "gateway"] as const) {
      const { firstByteMs } = await ask(ports[way], agent, false);
      if (round >= ROUNDS / 10) times[way].push(firstByteMs);
    }
  }
  agent.destroy();
  const [direct, gateway] = [median(times.direct), median(times.gateway)];
  return {
    rounds: times.direct.length,
    direct_ms: round(direct),
    gateway_ms: round(gateway),
    added_ms: round(gateway - direct),
    ratio: round(gateway / direct),
  };
}

async function manyStreams(port: number, gateway: ChildProcess): Promise<object> {
  const agent = new Agent({ keepAlive: true });
  const before = await memoryOf(gateway);
  const started = performance.now();
  const answers = await Promise.all(Array.from({ length: STREAMS }, () => ask(port, agent, true)));
  const seconds = round((performance.now() - started) / 1000);
  const after = await memoryOf(gateway);
  agent.destroy();
  const whole = answers.filter(({ bytes }) => bytes >= STREAM_BYTES).length;
  if (whole !== STREAMS) throw new Error(`only ${whole} of ${STREAMS} streams came whole`);
  return {
    streams: STREAMS,
    mib_each: STREAM_BYTES / MIB,
    seconds,
    rss_before_mib: Math.round(before.rss / MIB),
    rss_peak_mib: Math.round(after.peak / MIB),
    rss_after_mib: Math.round(after.rss / MIB),
  };
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

async function main(): Promise<void> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "bench-gateway-"));
  const provider = await start("provider");
  const gateway = await start("gateway", String(provider.port), dir);
  try {
    const first_byte = await firstBytes({ direct: provider.port, gateway: gateway.port });
    const memory = await manyStreams(gateway.port, gateway.child);
    process.stdout.write(`${JSON.stringify({ first_byte, memory }, null, 2)}\n`);
  } finally {
    gateway.child.send("close");
    await once(gateway.child, "exit");
    provider.child.kill();
    fs.rmSync(dir, { recursive: true });
  }
}

const [role, ...rest] = process.argv.slice(2);
if (role === "provider") serveProvider();
else if (role === "gateway") await serveGateway(Number(rest[0]), rest[1] ?? "");
else await main();
