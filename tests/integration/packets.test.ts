import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { type Flows, flows as flowsSchema } from "../../src/schema/flows.ts";
import { packetProgram, tryPackets } from "../../src/sensors/packets/packet-process.ts";
import { PacketSensor } from "../../src/sensors/packets/packet-sensor.ts";
import { PcapngReader } from "../../src/sensors/packets/pcapng.ts";
import { NetworkBox } from "../support/network-box.ts";

const PROGRAM = packetProgram(path.resolve(import.meta.dirname, "..", ".."));
const MODEL = "127.0.0.1:4100";

/** Connects by TCP over both families, asks for names, greets by TLS in three segments, talks with the model. */
const TALK = `
import select, socket, ssl, struct, sys
def listen(address, family=socket.AF_INET):
    s = socket.socket(family); s.bind(address); s.listen(); return s
def talk(address, data, family=socket.AF_INET, parts=1):
    server = listen(address, family)
    client = socket.socket(family); client.connect(address)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    far, _ = server.accept()
    size = len(data) // parts + 1
    for at in range(0, len(data), size):
        client.sendall(data[at:at + size]); far.recv(1 << 20)
    for s in (client, far, server): s.close()
talk(("127.0.0.1", 8000), b"hello")
talk(("::1", 8001), b"hello", socket.AF_INET6)
try: socket.create_connection(("127.0.0.1", 9))
except ConnectionRefusedError: pass
out = ssl.MemoryBIO()
tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="shop.example.test")
try: tls.do_handshake()
except ssl.SSLWantReadError: pass
talk(("127.0.0.1", 8443), out.read(), parts=3)
talk(("127.0.0.1", 4100), b"SECRET-OF-THE-MODEL" * 50)
talk(("127.0.0.2", 4100), b"NOT-THE-MODEL")
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); server.bind(("127.0.0.1", 53))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
name = b"\\x07example\\x04test\\x00" + struct.pack(">HH", 1, 1)
client.sendto(struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + name, ("127.0.0.1", 53))
_, asker = server.recvfrom(512)
answer = b"\\xc0\\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([192, 0, 2, 7])
server.sendto(struct.pack(">HHHHHH", 7, 0x8180, 1, 1, 0, 0) + name + answer, asker)
`;

const FLOOD = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(20000): s.sendto(b"x" * 1000, ("127.0.0.1", 9))
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
    await box.run("python3", ["-c", TALK]);
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
    const answers = [{ name: "example.test", type: "A", data: "192.0.2.7" }];
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
    await box.run("python3", ["-c", FLOOD]);
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
    await box.run("python3", ["-c", TALK]);
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
