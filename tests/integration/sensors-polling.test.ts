import * as fs from "node:fs";
import type { Server } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PreparedContainer } from "../../src/engine/port.ts";
import { CgroupWatch } from "../../src/sandbox/cgroup.ts";
import { listenInNamespace } from "../../src/sandbox/netns.ts";
import { type Network, network, type ProcessTree, processTree } from "../../src/schema/observations.ts";
import { createPollingSensor } from "../../src/sensors/polling/polling-sensor.ts";
import type { SensorReport } from "../../src/sensors/port.ts";
import { removeTree } from "../../src/workspace/remove-tree.ts";
import { ENGINE_KINDS, EngineUnderTest, startAndRead } from "../support/engines.ts";

interface Observed {
  tree: ProcessTree;
  net: Network;
  report: SensorReport;
  container: PreparedContainer;
  stdout: string;
}

const TEST_MS = 30_000;

describe.each(ENGINE_KINDS)("%s", { timeout: TEST_MS }, (kind) => {
  let under: EngineUnderTest;
  let dir: string;
  beforeAll(async () => {
    under = await EngineUnderTest.start(kind);
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "oc-polling-"));
    fs.mkdirSync(path.join(dir, "observations"));
  });
  afterAll(async () => {
    await removeTree(dir);
    await under?.stop();
  });

  async function observe(command: string[], onPrepared: (pid: number) => Promise<void> = async () => {}) {
    const container = await under.engine.prepare(under.spec(command, { workdir: "/tmp" }));
    const watch = CgroupWatch.open(container.pid);
    const sensor = createPollingSensor({ captureDir: dir });
    await sensor.prepare();
    await sensor.attach({ pid: container.pid, containerId: container.id, cgroupDirs: watch.dirs });
    await onPrepared(container.pid);
    const { stdout } = await startAndRead(container);
    watch.final();
    const report = await sensor.stop();
    await under.engine.removeContainer(container.id);
    const read = (name: string): unknown => JSON.parse(fs.readFileSync(path.join(dir, "observations", name), "utf8"));
    const observed: Observed = {
      tree: processTree.parse(read("process_tree.json")),
      net: network.parse(read("network.json")),
      report,
      container,
      stdout: stdout.toString(),
    };
    return observed;
  }

  test("processes are seen with everything about them, and only the container's", async () => {
    const script = "sleep 1 & setsid sleep 1.5 & wait; exec sleep 0.3";
    const { tree, container, report } = await observe(["sh", "-c", script, "sh", "a\nb", "\u001b[2J", ""]);
    const told = tree.processes.map(({ argv }) => argv);
    expect(told).toEqual(
      expect.arrayContaining([
        ["sh", "-c", script, "sh", "a\nb", "\u001b[2J", ""],
        ["sleep", "1"],
        ["sleep", "1.5"],
        ["sleep", "0.3"],
      ]),
    );
    // Neither the runtime that makes the container, nor our own programs.
    expect(told.filter(([program]) => !["sh", "sleep", "setsid"].includes(program ?? ""))).toEqual([]);
    const first = tree.processes.find(({ argv }) => argv[0] === "sh");
    expect(first).toMatchObject({
      pid: String(container.pid),
      container_pid: 1,
      uid: 10_001,
      cwd: "/tmp",
      command: "sh",
      exe: expect.stringContaining("busybox"),
    });
    const [sleeping, detached, last] = ["1", "1.5", "0.3"].map((time) =>
      tree.processes.find(({ argv }) => argv[0] === "sleep" && argv[1] === time),
    );
    expect(sleeping).toMatchObject({ ppid: first?.pid, session: first?.session });
    expect(detached?.session).toBe(Number(detached?.pid));
    // An exec in place: the same process, another program.
    expect(last).toMatchObject({ pid: first?.pid, start_time: first?.start_time });
    expect(sleeping?.samples).toBeGreaterThan(10);
    expect(tree.snapshots.length).toBeGreaterThanOrEqual(2);
    expect(tree.snapshots.length).toBeLessThanOrEqual(10);
    const statement = report.completeness.find((entry) => entry.class === "process");
    expect(statement).toMatchObject({ level: "sampled", started_before_agent: true });
    expect(report.gaps).toEqual([]);
  });

  test("sockets are seen with their owners, those of the supervisor are not", async () => {
    const script = [
      "nc -l -p 8080 -e sleep 1 & sleep 0.3",
      "sleep 1 | nc 127.0.0.1 8080 & sleep 1 | nc 127.0.0.1 4100 & sleep 0.7",
      "nc -w 1 127.0.0.1 9; wait",
    ].join("\n");
    let server: Server | undefined;
    const { net } = await observe(["sh", "-c", script], async (pid) => {
      server = (await listenInNamespace(pid, [{ name: "model", host: "127.0.0.1", port: 4100 }])).get("model");
      server?.on("connection", (socket) => setTimeout(() => socket.end(), 300));
    });
    server?.close();
    const told = net.connections.map(({ proto, state, local, remote, role }) => {
      const port = (end: string): string => end.replace(/:(3|4|5|6)\d{4}$/, ":*");
      return `${proto} ${state} ${port(local)} ${port(remote)} ${role}`;
    });
    expect(told.toSorted()).toEqual([
      "tcp ESTABLISHED 127.0.0.1:* 127.0.0.1:4100 model-gateway",
      "tcp ESTABLISHED 127.0.0.1:* 127.0.0.1:8080 loopback",
      "tcp6 ESTABLISHED [::ffff:127.0.0.1]:8080 [::ffff:127.0.0.1]:* loopback",
      "tcp6 LISTEN [::]:8080 [::]:0 unknown",
    ]);
    expect(net.connections.filter(({ pids }) => pids.length === 0)).toEqual([]);
  });

  test("connections closed between two looks are still seen, refused ones are counted as lost", async () => {
    const script = [
      "nc -ll -p 8080 -e true & sleep 0.3",
      "for i in $(seq 20); do nc 127.0.0.1 8080 < /dev/null; done",
      "nc -w 1 127.0.0.1 9; nc -w 1 127.0.0.1 9; kill %1; true",
    ].join("\n");
    const { net, report } = await observe(["sh", "-c", script]);
    // Whichever end closes first is in TIME_WAIT afterwards; the client's port is on either side.
    const connected = net.connections.filter(({ state }) => state !== "LISTEN");
    const ports = new Set(
      connected.flatMap(({ local, remote }) => [local, remote]).map((end) => end.split(":").at(-1)),
    );
    ports.delete("8080");
    expect(ports.size).toBeGreaterThanOrEqual(20);
    const statement = report.completeness.find((entry) => entry.class === "network");
    expect(statement?.reason).toMatch(/the kernel counted \d+ TCP connections opened from inside \(\d+ failed\)/);
    expect(statement?.lost).toBeGreaterThanOrEqual(2);
  });
});

test("a sensor that never saw a container says so and writes nothing", async () => {
  const report = await createPollingSensor({ captureDir: "/nowhere" }).stop();
  expect(report.completeness.map(({ class: name, level }) => [name, level])).toEqual([
    ["process", "absent"],
    ["network", "absent"],
  ]);
});
