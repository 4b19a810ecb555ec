import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { encode } from "dns-packet";
import { beforeAll, describe, expect, it } from "vitest";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { type Flows, flows as flowsSchema } from "../../src/schema/flows.ts";
import { packetProgram, tryPackets } from "../../src/sensors/packets/packet-process.ts";
import { PacketSensor } from "../../src/sensors/packets/packet-sensor.ts";
import { PcapngReader } from "../../src/sensors/packets/pcapng.ts";
import { greetingOf } from "../../src/sensors/packets/test-packets.ts";
import { NetworkBox } from "../support/network-box.ts";

const PROGRAM = packetProgram(path.resolve(import.meta.dirname, "..", ".."));
const MODEL = "127.0.0.1:4100";

const questions = [{ type: "A" as const, name: "example.test" }];
const answers = [{ type: "A" as const, name: "example.test", data: "192.0.2.7" }];
const QUESTION = encode({ type: "query", id: 7, questions }).toString("hex");
const ANSWER = encode({ type: "response", id: 7, questions, answers }).toString("hex");

/** Connects by TCP over both families, asks for a name, greets by TLS in three segments, talks with the model. */
const TALK = `
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
async function talk(host, port, data, parts = 1) {
  const server = createServer((far) => far.resume().on("end", () => far.end())).listen(port, host);
  await once(server, "listening");
  const client = connect(port, host).setNoDelay();
  await once(client, "connect");
  const size = Math.ceil(data.length / parts);
  for (let at = 0; at < data.length; at += size, await pause()) client.write(data.subarray(at, at + size));
  client.resume().end();
  await once(client, "close");
  server.close();
}
await talk("127.0.0.1", 8000, Buffer.from("hello"));
await talk("::1", 8001, Buffer.from("hello"));
await new Promise((refused) => connect(9, "127.0.0.1").on("error", refused));
await talk("127.0.0.1", 8443, Buffer.from(process.argv.at(-1), "hex"), 3);
await talk("127.0.0.1", 4100, Buffer.from("SECRET-OF-THE-MODEL".repeat(50)));
await talk("127.0.0.2", 4100, Buffer.from("NOT-THE-MODEL"));
const [asker, server] = [createSocket("udp4"), createSocket("udp4")];
await new Promise((resolve) => server.bind(53, "127.0.0.1", resolve));
server.on("message", (_question, from) => server.send(Buffer.from("${ANSWER}", "hex"), from.port, from.address));
asker.send(Buffer.from("${QUESTION}", "hex"), 53, "127.0.0.1");
await once(asker, "message");
asker.close(); server.close();
`;

const FLOOD = `
import { createSocket } from "node:dgram";
const socket = createSocket("udp4");
for (let i = 0; i < 200; i++) {
  await Promise.all(Array.from({ length: 100 }, () => new Promise((resolve) =>
    socket.send(Buffer.alloc(1000), 9, "127.0.0.1", resolve))));
}
socket.close();
`;

beforeAll(() => {
  if (!fs.existsSync(PROGRAM)) throw new Error("build the packet recorder first: scripts/build-sensor.sh");
});

interface Recorded {
  dir: string;
  sensor: PacketSensor;
  state: { used: boolean; reason: string } | undefined;
}

async function recording(pid: number, more: { fileBytes?: number; ringBlocks?: number } = {}): Promise<Recorded> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "packets-"));
  fs.mkdirSync(path.join(dir, "observations"));
  const { fileBytes = 8 << 20, ...ring } = more;
  let state: Recorded["state"];
  const sensor = new PacketSensor({
    captureDir: dir,
    program: PROGRAM,
    modelAddress: MODEL,
    limits: { fileBytes, packetBytes: 4096 },
    ...ring,
    onState: (told) => {
      state = told;
    },
  });
  await sensor.prepare();
  await sensor.attach({ pid, containerId: "", cgroupDirs: {} });
  return { dir, sensor, state };
}

function readFlows(dir: string): Flows {
  return flowsSchema.parse(JSON.parse(fs.readFileSync(path.join(dir, LAYOUT.flows), "utf8")));
}

function packetsIn(dir: string): Buffer[] {
  const reader = new PcapngReader();
  const blocks = reader.push(fs.readFileSync(path.join(dir, LAYOUT.packets)));
  expect([reader.fault, reader.pendingBytes]).toEqual([undefined, 0]);
  return blocks.flatMap(({ content }) => (content.kind === "packet" ? [content.data] : []));
}

describe("the packet recorder", () => {
  it("sees flows, names and greetings, keeps no content of the model's, and leaves nothing behind", async () => {
    await using box = await NetworkBox.open();
    const { dir, sensor, state } = await recording(box.pid);
    expect(state).toMatchObject({ used: true });
    expect(await tryPackets(PROGRAM)).toBeUndefined();
    await box.runNode(TALK, (await greetingOf("shop.example.test")).toString("hex"));
    const { completeness, gaps } = await sensor.stop();
    expect(gaps).toEqual([]);
    expect(completeness).toMatchObject([{ class: "packets", level: "complete", lost: 0, started_before_agent: true }]);

    const { flows, dns, greetings, packets, interfaces } = readFlows(dir);
    expect(interfaces).toEqual([{ name: "lo", link_type: 1 }]);
    const seen = flows.map(({ transport, to, opening, forward }) => `${transport} ${to} ${opening} ${forward.bytes}`);
    expect(seen).toContain("tcp 127.0.0.1:8000 answered 5");
    expect(seen).toContain("tcp6 [::1]:8001 answered 5");
    expect(seen).toContain("tcp 127.0.0.1:9 refused 0");
    expect(seen).toContain("tcp 127.0.0.1:4100 answered 950");
    expect(flows).toHaveLength(7);
    expect(greetings).toMatchObject([{ server_name: "shop.example.test", to: "127.0.0.1:8443", segments: 3 }]);
    expect(dns).toMatchObject([
      { is_answer: false, id: 7, questions: [{ name: "example.test", type: "A" }] },
      { is_answer: true, rcode: "NOERROR", answers },
    ]);
    expect(packets).toMatchObject({ dropped: 0, unreadable: 0 });
    expect(packets.payload_omitted).toBeGreaterThan(0);

    const recorded = packetsIn(dir);
    expect(recorded).toHaveLength(packets.seen);
    const bytes = Buffer.concat(recorded).toString("latin1");
    expect(bytes).not.toContain("SECRET-OF-THE-MODEL");
    expect(bytes).toContain("NOT-THE-MODEL");
    // The socket is gone with its process.
    expect((await box.run("cat", ["/proc/net/packet"])).trim().split("\n")).toHaveLength(1);
    fs.rmSync(dir, { recursive: true });
  });

  it("counts what the kernel drops and what the file has no room for", async () => {
    await using box = await NetworkBox.open();
    const { dir, sensor } = await recording(box.pid, { fileBytes: 200 << 10, ringBlocks: 2 });
    process.kill(sensor.pid, "SIGSTOP");
    await box.runNode(FLOOD);
    process.kill(sensor.pid, "SIGCONT");
    const { completeness } = await sensor.stop();
    const { packets, other_packets, flows } = readFlows(dir);
    // Each datagram is answered by ICMP: nobody listens there.
    expect(packets.dropped).toBeGreaterThan(1000);
    expect(packets.seen + (packets.dropped ?? 0)).toBe(40_000);
    expect((other_packets["icmp"] ?? 0) + (flows[0]?.forward.packets ?? 0)).toBe(packets.seen);
    expect(packets.kept).toBe(packetsIn(dir).length);
    expect(packets.kept).toBeLessThan(packets.seen);
    const [stated] = completeness;
    expect(stated).toMatchObject({ class: "packets", level: "lossy" });
    expect(stated?.lost).toBe(40_000 - packets.kept);
    expect(fs.statSync(path.join(dir, LAYOUT.packets)).size).toBeLessThanOrEqual(200 << 10);
    fs.rmSync(dir, { recursive: true });
  });

  it("that is killed is a gap, and one that can't begin is absent; neither is an error", async () => {
    await using box = await NetworkBox.open();
    const { dir, sensor } = await recording(box.pid);
    await box.runNode(TALK, (await greetingOf("shop.example.test")).toString("hex"));
    process.kill(sensor.pid, "SIGKILL");
    const { completeness, gaps } = await sensor.stop();
    expect(completeness).toMatchObject([{ class: "packets", level: "sampled", lost: null }]);
    expect(completeness[0]?.reason).toContain("SIGKILL");
    expect(gaps).toMatchObject([{ class: "packets", to: null }]);
    expect(packetsIn(dir).length).toBe(readFlows(dir).packets.kept);
    fs.rmSync(dir, { recursive: true });

    // A container that shares the host's network: its traffic is none of ours.
    const host = await recording(process.pid);
    expect(host.state?.used).toBe(false);
    expect(host.state?.reason).toContain("shares the host's network namespace");
    expect((await host.sensor.stop()).completeness).toMatchObject([{ class: "packets", level: "absent" }]);
    expect(fs.readdirSync(path.join(host.dir, "observations"))).toEqual([]);
    const unwanted = await recording(box.pid, { fileBytes: 0 });
    expect((await unwanted.sensor.stop()).completeness).toMatchObject([
      { level: "absent", reason: "the limit `packets` is 0" },
    ]);
    fs.rmSync(unwanted.dir, { recursive: true });
    fs.rmSync(host.dir, { recursive: true });
  });

  it.each([["nothing at all"], ["both", "--pid", "1", "--check"], ["a wrong model", "--pid", "1", "--model", "x"]])(
    "refuses %s",
    (_what, ...args) => {
      const { status, stderr } = spawnSync(PROGRAM, args, { encoding: "utf8" });
      expect(status).toBe(2);
      expect(JSON.parse(stderr)).toHaveProperty("error");
    },
  );
});
