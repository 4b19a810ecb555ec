import * as fs from "node:fs";
import * as path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { type CaptureEvent, captureEvent, type EventKind, type EventOf } from "../../src/schema/event.ts";
import { sensorProgram } from "../../src/sensors/kernel/sensor-process.ts";
import { capturesIn, readCapture } from "../support/captures.ts";
import { captureDirOf, type RunningCli, runCli, startCli } from "../support/cli.ts";
import { bash, tempProject } from "../support/temp-project.ts";

const PODMAN = { OPENCODE_CAPTURE_ENGINE: "podman" };
const KERNEL = ["--sensor", "kernel"];
const ROOT = path.resolve(import.meta.dirname, "..", "..");

beforeAll(() => {
  if (!fs.existsSync(sensorProgram(ROOT))) throw new Error("build the sensor first: scripts/build-sensor.sh");
});

/** The events of a finished capture, each checked by the schema, and the rest of the capture. */
function readRun(dir: string) {
  const text = fs.readFileSync(path.join(dir, LAYOUT.events), "utf8");
  expect(text.endsWith("\n")).toBe(true);
  const lines = text.split("\n").slice(0, -1);
  const events = lines.map((line): CaptureEvent => captureEvent.parse(JSON.parse(line)));
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
  const of = <K extends EventKind>(kind: K) => events.filter((event): event is EventOf<K> => event.kind === kind);
  const capture = readCapture(dir);
  const levelOf = (name: string) => capture.completeness.classes.find((one) => one.class === name)?.level;
  return { ...capture, events, of, levelOf };
}

/** Processes of the sensor that this command started. */
function sensorsOf(running: RunningCli): number[] {
  const pids = fs.readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
      const [, ppid] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return stat.includes("(capture-sensor)") && Number(ppid) === running.child.pid;
    } catch {
      return false;
    }
  });
}

const CLASSES = ["process", "network", "dns", "file-workspace", "file-outside"];

describe("a run that the kernel sensor watches", { timeout: 900_000 }, () => {
  it("shows every command, file and connection of fix_math_utils, and is complete", async () => {
    using project = tempProject([]);
    const args = ["run", "--issue", "fix_math_utils", "--capture-root", project.captureRoot, ...KERNEL];
    const result = await runCli(args, PODMAN);
    expect(result.code, result.stderr).toBe(0);
    const { run, of, levelOf, completeness, processTree, network, exchanges } = readRun(captureDirOf(result));
    expect(run).toMatchObject({ run_status: "completed", sensor: { requested: "kernel", used: "kernel" } });
    expect(CLASSES.map(levelOf)).toEqual(CLASSES.map(() => "complete"));
    expect(completeness).toMatchObject({ verdict: "complete", gaps: [] });
    expect(run.file_witness).toMatchObject({ used: true });
    expect(levelOf("file-contents")).toBe("complete");
    const asked = exchanges
      .flatMap((one) => one.tool_calls)
      .filter(({ name }) => name === "bash")
      .map((call) => (JSON.parse(call.arguments) as { command: string }).command);
    expect(asked.length).toBeGreaterThan(1);
    const execs = of("process.exec");
    for (const command of asked) {
      const shell = execs.find(({ argv }) => argv[1] === "-c" && argv[2] === command);
      expect(shell, command).toMatchObject({ cwd: "/workspace", uid: 10001 });
      expect(shell?.call_id).toMatch(/^call_/);
    }
    const ends = new Map(of("process.exit").map((end) => [end.process, end]));
    const tests = execs.filter(({ argv }) => argv.slice(0, 3).join(" ") === "python3 -m pytest");
    expect(tests.map(({ process }) => ends.get(process)?.code)).toEqual([1, 0]);
    const written = of("file.open").flatMap((event) => (event.access === "read" ? [] : [event.path]));
    expect(written).toContain("/workspace/tasks/fixtures/fix_math_utils/math_utils.py");
    expect(of("file.close-write").map((event) => event.path)).toContain("/workspace/RESULT.md");
    const model = of("net.connect").filter(({ role }) => role === "model-gateway");
    expect(model.length).toBeGreaterThan(0);
    expect(model.every(({ outcome, remote }) => outcome === "connected" && remote === "127.0.0.1:4100")).toBe(true);
    // Every process that began ended, and the two older files tell the same.
    const started = new Set([...of("process.fork"), ...execs].map(({ process }) => process));
    expect([...started].filter((process) => !ends.has(process))).toEqual([]);
    expect(processTree.processes.filter(({ copy_of_parent }) => copy_of_parent !== true).length).toBe(execs.length);
    expect(network.connections.filter(({ role }) => role === "model-gateway").length).toBe(model.length);
    expect(processTree.snapshots.length).toBeGreaterThan(0);
  });

  it("sees each of 1000 short processes with its very arguments, and who outlives the agent", async () => {
    const script =
      "for i in $(seq 1000); do /bin/true T$i '' \"a  b\"; done; setsid sleep 4711 >/dev/null 2>&1 & sleep 0.3";
    using project = tempProject([bash(script)]);
    const result = await runCli(["run", "--issue", "probe", ...KERNEL, ...project.options], PODMAN);
    expect(result.code, result.stderr).toBe(0);
    const { of, levelOf, processTree, summary } = readRun(captureDirOf(result));
    const short = of("process.exec").filter(({ argv }) => argv[0] === "/bin/true");
    expect(short.map(({ argv }) => argv)).toEqual(
      Array.from({ length: 1000 }, (_, index) => ["/bin/true", `T${index + 1}`, "", "a  b"]),
    );
    expect(new Set(short.map(({ process }) => process)).size).toBe(1000);
    const ends = new Map(of("process.exit").map((end) => [end.process, end.code]));
    expect(short.filter(({ process }) => ends.get(process) !== 0)).toEqual([]);
    expect(of("process.survivor").map(({ argv }) => argv)).toEqual([["sleep", "4711"]]);
    expect(processTree.processes.filter(({ survivor }) => survivor === true).map(({ args }) => args)).toEqual([
      "sleep 4711",
    ]);
    expect(levelOf("process")).toBe("complete");
    expect(summary.counts.events?.by_kind["process.exec"]).toBe(of("process.exec").length);
  });

  it("goes on when the sensor is killed: it comes back, and the gap is written", async () => {
    using project = tempProject([bash("for i in $(seq 60); do /bin/true A$i; sleep 0.2; done")]);
    const running = startCli(["run", "--issue", "probe", ...KERNEL, ...project.options], PODMAN);
    await running.seen("capture  ");
    const [name = ""] = capturesIn(project.captureRoot).filter((entry) => entry.endsWith("-probe"));
    const events = path.join(project.captureRoot, name, LAYOUT.events);
    await expect.poll(() => fs.readFileSync(events, "utf8").includes('"A3"'), { timeout: 300_000 }).toBe(true);
    const [victim] = sensorsOf(running);
    process.kill(victim ?? 0, "SIGKILL");
    const result = await running.ended;
    expect(result.code, result.stderr).toBe(0);
    const { run, of, levelOf, completeness } = readRun(captureDirOf(result));
    expect(run).toMatchObject({ run_status: "completed", completeness: "sampled" });
    expect(of("sensor.ready").map(({ start }) => start)).toEqual([1, 2]);
    expect(CLASSES.map(levelOf)).toEqual(CLASSES.map(() => "sampled"));
    const [gap, ...others] = of("sensor.gap");
    expect(others).toEqual([]);
    expect(gap).toMatchObject({ class: "all", lost: null, reason: expect.stringContaining("SIGKILL") as string });
    expect(completeness.gaps).toMatchObject([{ class: "all", from: gap?.from, to: gap?.to }]);
    const tags = of("process.exec").flatMap(({ argv, time }) =>
      argv[0] === "/bin/true" ? [{ tag: argv[1], time }] : [],
    );
    expect(tags[0]?.tag).toBe("A1");
    // What came after the sensor was back is there without a hole.
    const after = tags.filter(({ time }) => time > (gap?.to ?? "")).map(({ tag }) => Number(tag?.slice(1)));
    expect(after.at(-1)).toBe(60);
    expect(after).toEqual(after.map((_, index) => (after[0] ?? 0) + index));
    expect(sensorsOf(running)).toEqual([]);
  });

  it("keeps two runs at a time apart", async () => {
    const runOne = async (tag: string) => {
      using project = tempProject([bash(`for i in $(seq 100); do /bin/true ${tag}$i; done; echo x > ${tag}.txt`)]);
      const result = await runCli(["run", "--issue", "probe", ...KERNEL, ...project.options], PODMAN);
      expect(result.code, result.stderr).toBe(0);
      return readRun(captureDirOf(result));
    };
    const [left, right] = await Promise.all([runOne("LEFT"), runOne("RIGHT")]);
    const tagsOf = ({ of }: typeof left) =>
      of("process.exec").flatMap(({ argv }) => (argv[0] === "/bin/true" ? [argv[1]?.replace(/\d+$/, "")] : []));
    expect(tagsOf(left)).toEqual(Array.from({ length: 100 }, () => "LEFT"));
    expect(tagsOf(right)).toEqual(Array.from({ length: 100 }, () => "RIGHT"));
    const idsOf = ({ events }: typeof left) =>
      new Set(events.flatMap((event) => ("process" in event ? [event.process] : [])));
    const others = idsOf(right);
    expect([...idsOf(left)].filter((process) => others.has(process))).toEqual([]);
    expect([left, right].flatMap(({ levelOf }) => CLASSES.map(levelOf))).toEqual(
      Array.from({ length: 10 }, () => "complete"),
    );
  });
});

it("a run that is polled says so, and has no events file", async () => {
  using project = tempProject([bash("true")]);
  const result = await runCli(["run", "--issue", "probe", "--sensor", "polling", ...project.options], PODMAN);
  expect(result.code, result.stderr).toBe(0);
  const dir = captureDirOf(result);
  const { run, completeness } = readCapture(dir);
  expect(run.sensor).toMatchObject({ requested: "polling", used: "polling" });
  expect(fs.existsSync(path.join(dir, LAYOUT.events))).toBe(false);
  expect(completeness.classes.find((one) => one.class === "process")).toMatchObject({
    level: "sampled",
    sensor: "polling",
  });
});
