import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { CgroupWatch } from "../../src/sandbox/cgroup.ts";
import { type CaptureEvent, captureEvent, type EventKind, type EventOf } from "../../src/schema/event.ts";
import { type ProcessTree, processTree } from "../../src/schema/observations.ts";
import { KernelSensor } from "../../src/sensors/kernel/kernel-sensor.ts";
import { sensorProcesses, sensorProgram } from "../../src/sensors/kernel/sensor-process.ts";
import { createPollingSensor } from "../../src/sensors/polling/polling-sensor.ts";
import type { Sensor, SensorReport } from "../../src/sensors/port.ts";
import { listenerProgram } from "../../src/sensors/seccomp/listener-process.ts";
import { SeccompSensor } from "../../src/sensors/seccomp/seccomp-sensor.ts";
import { removeTree } from "../../src/workspace/remove-tree.ts";
import { readCapture } from "../support/captures.ts";
import { captureDirOf, runCli } from "../support/cli.ts";
import { EngineUnderTest, startAndRead } from "../support/engines.ts";
import { bash, tempProject } from "../support/temp-project.ts";

const ROOT = path.resolve(import.meta.dirname, "..", "..");
const PODMAN = { OPENCODE_CAPTURE_ENGINE: "podman" };
const LISTENER = listenerProgram(ROOT);

beforeAll(() => {
  for (const program of [LISTENER, sensorProgram(ROOT)]) {
    if (!fs.existsSync(program)) throw new Error(`build ${program} first: scripts/build-sensor.sh`);
  }
});

/** The events of a capture, each checked by the schema. */
function readEvents(dir: string) {
  const file = path.join(dir, LAYOUT.events);
  const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
  const events = lines.map((line): CaptureEvent => captureEvent.parse(JSON.parse(line)));
  return <K extends EventKind>(kind: K) => events.filter((event): event is EventOf<K> => event.kind === kind);
}

/** Guardian and worker: they have a session of their own, that of the first guardian. */
function listenersOf(session: number): { pid: number; parent: number }[] {
  const pids = fs.readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.flatMap((pid) => {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
      const [state, parent, , of] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(of) === session && state !== "Z" ? [{ pid, parent: Number(parent) }] : [];
    } catch {
      return [];
    }
  });
}

function readTree(dir: string): ProcessTree {
  return processTree.parse(JSON.parse(fs.readFileSync(path.join(dir, LAYOUT.processTree), "utf8")));
}

type Part = "guardian" | "worker";

/** The pid of one of the two, once both are there. */
async function pidOf(part: Part, session: number): Promise<number> {
  for (;;) {
    const all = listenersOf(session);
    const worker = all.find(({ parent }) => all.some(({ pid }) => pid === parent));
    if (worker !== undefined) return part === "worker" ? worker.pid : worker.parent;
    await sleep(5);
  }
}

describe("the seccomp layer and a container", { timeout: 600_000 }, () => {
  let under: EngineUnderTest;
  beforeAll(async () => {
    under = await EngineUnderTest.start("podman");
  });
  afterAll(() => under?.stop());

  /** Runs a shell script in a container under a sensor; `meanwhile` may disturb it. */
  async function watch(script: string, make: (dir: string) => Sensor, meanwhile: () => Promise<void> = async () => {}) {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "oc-layers-"));
    fs.mkdirSync(path.join(dir, "observations"));
    try {
      const sensor = make(dir);
      await sensor.prepare();
      const tmp = { kind: "tmpfs", target: "/tmp", sizeBytes: 1 << 20, exec: false, mode: "1777" } as const;
      const { seccompProfile } = sensor;
      const changes = { workdir: "/tmp", mounts: [tmp], ...(seccompProfile === undefined ? {} : { seccompProfile }) };
      const container = await under.engine.prepare(under.spec(["/bin/sh", "-c", script], changes));
      const cgroup = CgroupWatch.open(container.pid);
      await sensor.attach({ pid: container.pid, containerId: container.id, cgroupDirs: cgroup.dirs });
      const ending = startAndRead(container);
      await meanwhile();
      const { stdout, exitCode } = await ending;
      cgroup.final();
      const report: SensorReport = await sensor.stop();
      await under.engine.removeContainer(container.id);
      return { of: readEvents(dir), report, stdout: stdout.toString(), exitCode, tree: readTree(dir) };
    } finally {
      await removeTree(dir);
    }
  }

  const seccompIn = (dir: string): SeccompSensor =>
    new SeccompSensor({ captureDir: dir, profileDir: dir, program: LISTENER, sensitivePatterns: [] });

  const ROUNDS = 300;
  const script = `i=0; while [ $i -lt ${ROUNDS} ]; do
    /bin/env A$i=1 /bin/true $i || exit 7
    echo $i >f || exit 8
    mv f g && rm g || exit 9
    i=$((i+1)); done; echo survived`;

  it("never lets the agent see that its listener was killed or stopped, and loses nothing", async () => {
    const shots: [Part, NodeJS.Signals][] = [
      ["worker", "SIGKILL"],
      ["worker", "SIGSTOP"],
      ["guardian", "SIGKILL"],
      ["worker", "SIGKILL"],
      ["guardian", "SIGSTOP"],
      ["worker", "SIGSTOP"],
    ];
    let sensor: SeccompSensor | undefined;
    const session = (): number => sensor?.listenerPid ?? 0;
    const make = (dir: string): Sensor => {
      sensor = seccompIn(dir);
      return sensor;
    };
    const seen = await watch(script, make, async () => {
      for (const [part, signal] of shots) {
        await sleep(100);
        process.kill(await pidOf(part, session()), signal);
      }
    });
    expect(seen).toMatchObject({ exitCode: 0, stdout: "survived\n" });
    expect(listenersOf(session())).toEqual([]);
    const numbers = seen.of("process.exec").flatMap(({ argv }) => (argv[0] === "/bin/true" ? [Number(argv[1])] : []));
    const lost = seen.of("sensor.gap").reduce((sum, gap) => sum + (gap.lost ?? 0), 0);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers.length + lost).toBeGreaterThanOrEqual(ROUNDS);
    expect(lost).toBe(0);
    const why = seen.of("sensor.gap").map(({ reason }) => /replaced: (.*?);/.exec(reason)?.[1]);
    for (const what of ["it was killed", "it was stopped", "its guardian was killed"]) expect(why).toContain(what);
    expect(seen.report.gaps.length).toBe(why.length);
    expect(seen.report.completeness.map(({ level }) => level)).toEqual([
      "sampled",
      "lossy",
      "absent",
      "lossy",
      "lossy",
    ]);
  });

  it("sees the same work as the kernel sensor does, and admits what it can't see; polling sees what lives long", async () => {
    // A program that is not there, one in an exec of the shell itself, names that are taken, missing or not to be changed, a
    // subshell, and a connection that is refused.
    const work = `for i in 1 2 3; do /bin/env true T$i; done; nowhere-to-be-found
      echo x >a; mv a b; mkdir d; ln -s b l; chmod 600 b; rm b l; rmdir d; cat /etc/hostname >/dev/null
      mkdir d; mkdir d; mkdir /etc/x; rmdir none
      (echo y >sub); nc -w 1 127.0.0.1 9; exec sleep 1.5`;
    const options = (captureDir: string) => ({ captureDir, sensitivePatterns: [] });
    const start = sensorProcesses({ program: sensorProgram(ROOT) });
    const kernel = await watch(work, (dir) => new KernelSensor({ ...options(dir), start }));
    const seccomp = await watch(work, seccompIn);
    const polling = await watch(work, (captureDir) => createPollingSensor({ captureDir }));
    for (const seen of [kernel, seccomp, polling]) expect(seen.exitCode).toBe(0);

    // A call that a signal interrupts while it waits for its answer is asked again: the runtime's own threads send each other
    // such signals right before they become the container's program.
    const programs = ({ of }: typeof kernel) =>
      of("process.exec")
        .filter((event, at, all) => {
          const last = all[at - 1];
          return last?.process !== event.process || String(last.argv) !== String(event.argv);
        })
        .map(({ argv, exe, cwd }) => ({ argv, exe, cwd }));
    expect(programs(seccomp)).toEqual(programs(kernel));
    const names = ({ of }: typeof kernel) => [
      of("file.open").flatMap(({ path: name, access, created }) =>
        access === "read" ? [] : [[name, access, created]],
      ),
      of("file.rename").map((event) => [event.path, event.to]),
      (["file.mkdir", "file.symlink", "file.chmod", "file.unlink", "file.rmdir"] as const).map((kind) =>
        of(kind).map((event) => [event.path, event.errno]),
      ),
      of("process.exec-failed").map((event) => [event.path, event.errno]),
      of("net.connect").map(({ remote, role, transport }) => [remote, role, transport]),
    ];
    expect(names(seccomp)).toEqual(names(kernel));
    expect(seccomp.of("file.mkdir").map(({ errno }) => errno)).toEqual([undefined, undefined, "EEXIST", "EROFS"]);
    expect(seccomp.of("process.exec-failed").length).toBeGreaterThan(0);
    expect(polling.tree.processes.some(({ args }) => args === "sleep 1.5")).toBe(true);
    expect(polling.of("process.exec")).toEqual([]);

    // What each admits.
    const levels = ({ report }: typeof kernel) =>
      Object.fromEntries(report.completeness.map((one) => [one.class, one.level]));
    expect(new Set(Object.values(levels(kernel)))).toEqual(new Set(["complete"]));
    expect(levels(seccomp)).toEqual({
      process: "sampled",
      network: "lossy",
      dns: "absent",
      "file-workspace": "lossy",
      "file-outside": "lossy",
    });
    expect(levels(polling)).toEqual({ process: "sampled", network: "sampled" });
    expect(kernel.of("net.connect").map(({ outcome }) => outcome)).toContain("refused");
    expect(seccomp.of("net.connect").map(({ outcome }) => outcome)).toEqual(["in-progress"]);
    expect(
      seccomp.of("process.exec").every(({ attempted, source }) => attempted === true && source === "seccomp"),
    ).toBe(true);
    expect(seccomp.of("process.exit")).toEqual([]);
    expect(seccomp.of("sensor.gap")).toEqual([]);
    for (const { reason } of seccomp.report.completeness)
      expect(reason).not.toMatch(/could not be|did not arrive|no room/);
    // Every process that was seen is known to be gone.
    const met = [...seccomp.of("process.exec"), ...seccomp.of("process.found")].map((event) => event.process);
    const gone = seccomp.of("process.gone").map((event) => event.process);
    expect([...new Set(met)].toSorted()).toEqual(gone.toSorted());
  });
});

it("a run of the agent is seen with each effect tied to its call", { timeout: 900_000 }, async () => {
  using project = tempProject([bash("/bin/true A1; echo hi > out.txt; (sleep 0.1; echo late > sub.txt)")]);
  const patience = ["--timeout-seconds", "800", "--idle-seconds", "600"];
  const args = ["run", "--issue", "probe", "--sensor", "seccomp", ...patience, ...project.options];
  const result = await runCli(args, PODMAN);
  expect(result.code, result.stderr).toBe(0);
  const dir = captureDirOf(result);
  const { run, summary, completeness } = readCapture(dir);
  expect(run).toMatchObject({ run_status: "completed", sensor: { requested: "seccomp", used: "seccomp" } });
  expect(completeness.gaps).toEqual([]);
  const shell = readEvents(dir)("process.exec").find(({ argv }) => argv[1] === "-c" && argv[2]?.includes("A1"));
  expect(shell).toMatchObject({ cwd: "/workspace", uid: 10_001, call_id: expect.stringMatching(/^call_/) as string });
  const [tool] = summary.tools.filter(({ tool: name }) => name === "bash");
  expect(tool?.effects).toMatchObject({ method: "command", confidence: "high" });
  expect(tool?.effects?.commands.join("\n")).toContain("/bin/true A1");
  expect(tool?.effects?.files.map(({ path: name }) => name)).toEqual(
    expect.arrayContaining(["/workspace/out.txt", "/workspace/sub.txt"]),
  );
});
