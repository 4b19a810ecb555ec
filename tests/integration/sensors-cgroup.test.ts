import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContainerSpec, PreparedContainer } from "../../src/engine/port.ts";
import { CgroupWatch } from "../../src/sandbox/cgroup.ts";
import type { KernelCounters } from "../../src/schema/run.ts";
import { ENGINE_KINDS, EngineUnderTest, startAndRead } from "../support/engines.ts";

const MEMORY = 64 * 1024 ** 2;
const HOG = "head -c 300000000 /dev/zero | tail > /dev/null";

describe.each(ENGINE_KINDS)("%s", (kind) => {
  let under: EngineUnderTest;
  beforeAll(async () => {
    under = await EngineUnderTest.start(kind);
  });
  afterAll(() => under?.stop());

  async function prepared(script: string, changes: Partial<ContainerSpec> = {}) {
    const container = await under.engine.prepare(under.spec(["sh", "-c", script], changes));
    return { container, watch: CgroupWatch.open(container.pid) };
  }

  /** Runs to the end; the counters are those that were read before the engine removed the group. */
  async function countersOf(script: string, changes: Partial<ContainerSpec> = {}) {
    const { container, watch } = await prepared(script, changes);
    const { exitCode, stdout } = await startAndRead(container);
    const counters = watch.final();
    await under.engine.removeContainer(container.id);
    return { counters, exitCode, basis: watch.basis, stdout: stdout.toString() };
  }

  const small = { limits: { cpus: 1, memoryBytes: MEMORY, pids: 64, nofile: 1024, nproc: 4096 } };

  test("counts what a harmless program uses", async () => {
    const { counters, exitCode, basis } = await countersOf("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
    expect(exitCode).toBe(0);
    expect(basis).not.toBe("last-look");
    expect(counters).toMatchObject({ oom_kills: 0, pids_limit_hits: 0 });
    expect(counters.cpu_seconds).toBeGreaterThan(0.02);
    expect(counters.memory_peak_bytes).toBeGreaterThan(100_000);
  });

  test("A08: knows that the kernel killed the first process for want of memory", async () => {
    for (let round = 0; round < 5; round++) {
      const { counters, exitCode } = await countersOf("exec tail /dev/zero", small);
      expect({ exitCode, killed: counters.oom_kills }).toEqual({ exitCode: 137, killed: 1 });
    }
  });

  test("A07, A08: the kernel's log tells it when the group vanished before it could be read", async () => {
    const blocked = async (script: string): Promise<KernelCounters> => {
      const { container, watch } = await prepared(script, small);
      const ended = startAndRead(container);
      // Nothing of ours runs while the container ends and the engine removes its group.
      const until = Date.now() + 2500;
      while (Date.now() < until) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      const counters = watch.final();
      await ended;
      expect(watch.basis).toBe("kernel-log");
      await under.engine.removeContainer(container.id);
      return counters;
    };
    expect(await blocked("exec tail /dev/zero")).toMatchObject({ oom_kills: 1, pids_limit_hits: 0 });
    expect(await blocked("for i in $(seq 100); do sleep 1 & done")).toMatchObject({ oom_kills: 0, pids_limit_hits: 1 });
    expect(await blocked("exit 0")).toMatchObject({ oom_kills: 0, pids_limit_hits: 0 });
  });

  test("A09: knows that a child was killed while the container lived on", async () => {
    const { counters, exitCode, stdout } = await countersOf(`${HOG}; echo alive`, small);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "alive\n" });
    expect(counters.oom_kills).toBe(1);
  });

  test("A07: knows that forks were refused", async () => {
    const bomb = "for i in 1 2 3 4 5 6 7 8; do (while :; do sleep 1 & done) & done; sleep 0.5";
    const { counters } = await countersOf(bomb, small);
    expect(counters.pids_limit_hits).toBeGreaterThan(0);
    expect(counters.oom_kills).toBe(0);
  });

  const daemons =
    "setsid sleep 1000 & (setsid sh -c 'trap \"\" TERM HUP INT; sleep 1001 & sleep 1002' &); sleep 1003 & wait";
  const forking = "for i in $(seq 14); do (while :; do sleep 0.001; done) & done; wait";

  async function killed(script: string, least: number, oneByOne: boolean): Promise<KernelCounters> {
    const { container, watch } = await prepared(script);
    const ended = startAndRead(container);
    await until(() => watch.processes().length >= least);
    const pids = watch.processes();
    expect(pids).toContain(container.pid);
    const startMs = performance.now();
    expect(await watch.killAll({ oneByOne })).toEqual({ survivors: 0 });
    expect(performance.now() - startMs).toBeLessThan(5000);
    expect(watch.processes()).toEqual([]);
    expect((await ended).exitCode).toBe(137);
    await under.engine.removeContainer(container.id);
    return watch.final();
  }

  test.each([true, false])("A13: kills daemons and orphans, too (one by one: %s)", async (oneByOne) => {
    const counters = await killed(daemons, 5, oneByOne);
    expect(counters.oom_kills).toBe(0);
  });

  test.each([true, false])("kills what forks without end (one by one: %s)", async (oneByOne) => {
    await killed(forking, 15, oneByOne);
  });

  test("a group that has vanished has no processes, and killing it is quiet", async () => {
    const { container, watch } = await prepared("exit 3");
    expect((await startAndRead(container)).exitCode).toBe(3);
    await under.engine.removeContainer(container.id);
    expect(watch.processes()).toEqual([]);
    expect(await watch.killAll()).toEqual({ survivors: 0 });
    expect(watch.final().cpu_seconds).toBeGreaterThan(0);
  });

  test("looking leaves nothing in the container", async () => {
    const { container, watch }: { container: PreparedContainer; watch: CgroupWatch } = await prepared("ps; sleep 0.2");
    const running = startAndRead(container);
    for (let look = 0; look < 50; look++) watch.read();
    const { stdout } = await running;
    expect(stdout.toString().trim().split("\n").length).toBeLessThanOrEqual(3);
    watch.final();
    await under.engine.removeContainer(container.id);
  });
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("it did not come to pass");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
