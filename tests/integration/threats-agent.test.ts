import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { CgroupWatch } from "../../src/sandbox/cgroup.ts";
import type { EventSinkLimits } from "../../src/sensors/agent-events/event-sink.ts";
import { takeBaseline } from "../../src/workspace/baseline.ts";
import { compareTree } from "../../src/workspace/compare-tree.ts";
import { ContentBase } from "../../src/workspace/content-base.ts";
import { AgentBox, PIPE_INSIDE } from "../support/agent-box.ts";
import { EngineUnderTest } from "../support/engines.ts";

/**
 * What a hostile agent does from inside, against the container that the product describes (sandbox/container-spec.ts) on a
 * real engine. Each attack is first seen at work where the one defence is missing. What the flags promise on both engines:
 * engine-hardening.test.ts; the counters on both: sensors-cgroup.test.ts.
 */
let under: EngineUnderTest;
beforeAll(async () => {
  under = await EngineUnderTest.start("podman");
});
afterAll(() => under?.stop());

function box(limits: Partial<EventSinkLimits> = {}): AgentBox {
  const made = new AgentBox(under, limits);
  onTestFinished(() => made.remove());
  return made;
}

const MIB = 1 << 20;

describe("evidence", () => {
  const forge =
    "echo forged > /capture/forged.json && echo wrote; echo forged >> /capture/events.jsonl && echo appended";

  test("A01: the capture directory can't be written, since it is not there", async () => {
    const open = box();
    fs.chmodSync(open.at("capture"), 0o777);
    fs.chmodSync(open.eventsFile, 0o666);
    // As the earlier program mounted it.
    const mounts = open.mountsWith("/capture", open.at("capture"), false);
    expect((await open.run(forge, { mounts })).stdout).toBe("wrote\nappended\n");
    expect(fs.readFileSync(open.eventsFile, "utf8")).toContain("forged");

    const closed = box();
    fs.chmodSync(closed.at("pipes"), 0o777);
    fs.chmodSync(closed.at("capture"), 0o777);
    const { stdout, stderr } = await closed.run(`${forge}; find / -name events.jsonl 2>/dev/null`);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/Read-only file system/);
    expect(fs.readFileSync(closed.eventsFile, "utf8")).toBe("");
    expect(fs.existsSync(path.join(closed.at("pipes"), "forged.json"))).toBe(false);
  });

  test("A01: only the agent's own places can be written", async () => {
    // By trying in every directory there is, links aside.
    const script = `find / -type d -path /proc -prune -o -type d -print | while read -r place; do
      touch "$place/.probe" 2> /dev/null && echo "$place"; done | sort`;
    const writable = (await box().run(script)).stdout.trim().split("\n");
    expect(writable).toEqual(["/dev/mqueue", "/dev/shm", "/home/agent", "/tmp", "/workspace"]);
    const { stdout } = await box().run("grep -E ' /dev/(shm|mqueue) ' /proc/mounts");
    // Neither is a directory of the host: they go with the container.
    for (const line of stdout.trim().split("\n"))
      expect(line).toMatch(/^(shm|tmpfs|mqueue) \/dev\/(shm|mqueue) (tmpfs|mqueue) /);
  });

  const destroy = `echo '{"first":1}' > PIPE; sleep 0.5; : > PIPE; rm -f PIPE; echo '{"forged":1}' > PIPE; echo end`;

  test("A02: what has arrived can't be taken back, only added to", async () => {
    const open = box();
    fs.chmodSync(open.at("capture"), 0o777);
    fs.chmodSync(open.eventsFile, 0o666);
    const mounts = open.mountsWith("/capture", open.at("capture"), false);
    await open.run(destroy.replaceAll("PIPE", "/capture/events.jsonl"), { mounts });
    expect(fs.readFileSync(open.eventsFile, "utf8")).toBe('{"forged":1}\n');

    const { eventLines, stdout, stderr, events } = await box().run(destroy.replaceAll("PIPE", PIPE_INSIDE));
    expect(eventLines).toEqual(['{"first":1}', '{"forged":1}', ""]);
    expect(stdout).toBe("end\n");
    expect(stderr).toMatch(/Read-only file system/);
    // Neither is an event: claims are counted by what they are.
    expect(events).toMatchObject({ status: "invalid", invalidCount: 2 });
  });

  const record = (type: string, seq: number): string =>
    JSON.stringify({
      timestamp: "2026-01-01T00:00:00.000Z",
      native_event_type: type,
      run_id: "capture-test",
      issue_id: "test",
      seq,
      dropped: 0,
      context: { directory: "/workspace", worktree: "/", source: "event", instance: "a" },
      correlation: {},
      raw_input: {},
      raw_output: null,
    });

  test("A03: a plugin that is killed is missed, and the run goes on", async () => {
    const plugin = (ending: string): string =>
      `(echo '${record("plugin.alive", 0)}' > ${PIPE_INSIDE}; sleep 1; echo '${record("plugin.dispose", 1)}' > ${PIPE_INSIDE}) & ${ending}`;
    const whole = await box().run(plugin("wait"));
    expect(whole.events).toMatchObject({
      pluginAlive: true,
      pluginDisposed: true,
      completeness: { level: "complete" },
    });
    const killed = await box().run(plugin("sleep 0.5; kill -9 $!; echo worked on"));
    expect(killed).toMatchObject({ exitCode: 0, stdout: "worked on\n" });
    expect(killed.events).toMatchObject({ status: "present", pluginAlive: true, pluginDisposed: false });
    expect(killed.events.completeness).toMatchObject({ level: "lossy" });
    expect(killed.events.completeness.reason).toContain("no plugin.dispose");
  });

  test("A05: a flood of forged events fills neither disk nor memory, and is counted", async () => {
    const flood = (mebibytes: number): string =>
      `yes '${record("session.idle", 1).padEnd(1023)}' | head -c ${mebibytes * MIB} > ${PIPE_INSIDE}`;
    const open = box({ totalBytes: Number.MAX_SAFE_INTEGER, lines: Number.MAX_SAFE_INTEGER });
    await open.run(flood(300));
    expect(fs.statSync(open.eventsFile).size).toBe(300 * MIB);

    const before = process.memoryUsage().rss;
    let peak = 0;
    const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 50);
    const closed = box();
    const { events } = await closed.run(flood(512));
    clearInterval(timer);
    expect(fs.statSync(closed.eventsFile).size).toBeLessThanOrEqual(256 * MIB);
    expect(events).toMatchObject({ bytes: 512 * MIB, truncated: true });
    expect(events.lostBytes).toBeGreaterThanOrEqual(256 * MIB);
    expect(events.completeness.level).not.toBe("complete");
    expect(peak - before).toBeLessThan(300 * MIB);
  });
});

describe("resources", () => {
  const limits = { cpus: 2, memoryBytes: 256 * MIB, pids: 64, nofile: 1024, nproc: 4096 };

  /** Highest number of processes seen while the script runs. */
  function most(watch: CgroupWatch, looks: number): Promise<number> {
    return (async () => {
      let highest = 0;
      for (let look = 0; look < looks; look++) {
        highest = Math.max(highest, watch.processes().length);
        await sleep(50);
      }
      return highest;
    })();
  }

  test("A07: a fork bomb is held, told and ended", async () => {
    const bomb = "for i in $(seq 300); do sleep 30 & done; sleep 30";
    const seen = async (pids: number) => {
      let highest = 0;
      const end = await box().run(bomb, { limits: { ...limits, pids } }, async (watch) => {
        highest = await most(watch, 60);
        expect(await watch.killAll()).toEqual({ survivors: 0 });
      });
      return { highest, hits: end.counters.pids_limit_hits ?? -1 };
    };
    const open = await seen(1000);
    expect(open.highest).toBeGreaterThan(250);
    expect(open.hits).toBe(0);
    const closed = await seen(64);
    expect(closed.highest).toBeLessThanOrEqual(64);
    expect(closed.hits).toBeGreaterThan(0);
  });

  const hog = "head -c 300000000 /dev/zero | tail > /dev/null";

  test("A08: a memory bomb is killed, and the kernel's word is in the counters", async () => {
    const open = await box().run(`${hog}; echo survived`, { limits: { ...limits, memoryBytes: 1024 * MIB } });
    expect(open).toMatchObject({ exitCode: 0, stdout: "survived\n", counters: { oom_kills: 0 } });
    expect(open.counters.memory_peak_bytes).toBeGreaterThan(280_000_000);
    const closed = await box().run("exec tail /dev/zero", { limits: { ...limits, memoryBytes: 64 * MIB } });
    expect(closed).toMatchObject({ exitCode: 137, counters: { oom_kills: 1 } });
    expect(closed.counters.memory_peak_bytes).toBeLessThanOrEqual(64 * MIB);
  });

  test("A09: a child killed for want of memory is told, though exit code and engine say nothing", async () => {
    const { exitCode, counters, stderr } = await box().run(`${hog}; exit 0`, {
      limits: { ...limits, memoryBytes: 64 * MIB },
    });
    // What a program that trusts the exit code has.
    expect({ exitCode, engine: /oom/i.test(stderr) }).toEqual({ exitCode: 0, engine: false });
    expect(counters.oom_kills).toBe(1);
  });

  /** How often the kernel held the group back, from its own statistics. */
  function throttled(watch: CgroupWatch): number {
    const dir = watch.dirs["cpu"] ?? watch.dirs["unified"] ?? "";
    const text = fs.readFileSync(path.join(dir, "cpu.stat"), "utf8");
    return Number(/^nr_throttled (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
  }

  test("A12: spinning takes no more than the share given, so others keep theirs", async () => {
    const spin = "for i in 1 2 3 4; do (while :; do :; done) & done; wait";
    const spent = async (cpus: number) => {
      let held = -1;
      let shareOfOne = -1;
      await box().run(spin, { limits: { ...limits, cpus } }, async (watch) => {
        const [from, startMs] = [watch.read().cpu_seconds ?? 0, performance.now()];
        await sleep(3000);
        shareOfOne = ((watch.read().cpu_seconds ?? 0) - from) / ((performance.now() - startMs) / 1000);
        held = throttled(watch);
        await watch.killAll();
      });
      return { held, shareOfOne };
    };
    // More than the machine has: the limit never bites.
    const cpus = Number(execFileSync("nproc", { encoding: "utf8" }));
    const closed = await spent(0.25);
    expect(closed.held).toBeGreaterThan(5);
    // The kernel's own bound; a loaded machine only lowers it. One period of 0.1 s may be counted twice.
    expect(closed.shareOfOne).toBeLessThan(0.35);
    const open = await spent(cpus);
    expect(open.shareOfOne).toBeGreaterThan(closed.shareOfOne);
  });

  test("A13: a daemon does not outlive the run", async () => {
    const daemon = "(setsid sleep 4321 > /dev/null 2>&1 &) ; sleep 0.3";
    // Without a container, killing the program and its process group leaves the daemon.
    const child: ChildProcess = spawn("sh", ["-c", `${daemon}; sleep 60`], { detached: true, stdio: "ignore" });
    await sleep(1000);
    process.kill(-(child.pid ?? 0), "SIGKILL");
    const survivors = execFileSync("pgrep", ["-f", "^sleep 4321$"], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map(Number);
    expect(survivors).toHaveLength(1);
    for (const pid of survivors) process.kill(pid, "SIGKILL");

    let inside: number[] = [];
    const { exitCode } = await box().run(`${daemon}; sleep 60`, {}, async (watch) => {
      while (!watch.processes().some((pid) => commandOf(pid).startsWith("sleep\x004321"))) await sleep(50);
      inside = watch.processes();
      expect(await watch.killAll()).toEqual({ survivors: 0 });
    });
    expect(exitCode).toBe(137);
    expect(inside.length).toBeGreaterThanOrEqual(3);
    expect(inside.filter((pid) => commandOf(pid).startsWith("sleep"))).toEqual([]);
  });

  function commandOf(pid: number): string {
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, "latin1");
    } catch {
      return "";
    }
  }

  test("A14: no process leaves its control group", async () => {
    const pids = "/sys/fs/cgroup/pids";
    const own = "grep ':pids:' /proc/self/cgroup | cut -d: -f3";
    const made = box();
    const escape = (dir: string): string => `echo $$ > ${dir}/cgroup.procs && echo escaped; ${own}`;
    // As root, and with the host's hierarchy mounted to be written.
    const mounts = made.mountsWith("/escape", pids, false);
    const open = await made.run(escape("/escape"), { mounts, user: "0:0" }, async (watch) => {
      // What left its group has to be ended by hand.
      await sleep(1500);
      await watch.killAll();
    });
    expect(open.stdout).toBe("escaped\n/\n");

    const closed = await box().run(
      `for dir in /sys/fs/cgroup/*; do [ -e $dir/cgroup.procs ] && echo $$ > $dir/cgroup.procs && echo escaped $dir; done; echo $$ > /sys/fs/cgroup/cgroup.procs; ${own}`,
      { user: "0:0" },
    );
    expect(closed.stdout).not.toContain("escaped");
    expect(closed.stderr).toMatch(/Read-only file system/);
    expect(closed.stdout.trim()).not.toBe("/");
  });
});

describe("files, from inside", () => {
  test("F09: what still writes while it is looked at is marked; once the group is dead nothing moves", async () => {
    const made = box();
    const base = ContentBase.create(made.at("config"));
    const baseline = await takeBaseline(made.at("workspace"), { base, keepTexts: true });
    const find = async () => {
      const { changes } = await compareTree(baseline, { isSensitive: () => false, textDiffs: true });
      return changes.map((change) => [change.path, change.unstable === true]);
    };
    const writer = "head -c 100000000 /dev/zero > big; while :; do echo more >> big; done";
    await made.run(writer, {}, async (watch) => {
      while (!fs.existsSync(path.join(made.at("workspace"), "big"))) await sleep(20);
      while (fs.statSync(path.join(made.at("workspace"), "big")).size <= 100_000_000) await sleep(20);
      expect(await find()).toEqual([["big", true]]);
      await watch.killAll();
    });
    expect(await find()).toEqual([["big", false]]);
    base.close();
  });

  test("F13: no hard link leads from one place of the agent's to another", async () => {
    const attempt =
      "echo x > a/file; ln a/file b/link && echo linked; ln /workspace/TASK.md /home/agent/link && echo linked";
    const made = box();
    fs.writeFileSync(path.join(made.at("workspace"), "TASK.md"), "task");
    // Where both places lie in one mount, it can be done.
    fs.chownSync(made.dir, 10_001, 10_001);
    for (const name of ["a", "b"]) {
      fs.mkdirSync(path.join(made.at("home"), name));
      fs.chownSync(path.join(made.at("home"), name), 10_001, 10_001);
    }
    const { stdout, stderr } = await made.run(attempt, { workdir: "/home/agent" });
    expect(stdout).toBe("linked\n");
    expect(stderr).toMatch(/cross-device/i);
  });
});
