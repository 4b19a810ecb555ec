import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContainerSpec } from "../../src/engine/port.ts";
import { ENGINE_KINDS, EngineUnderTest } from "../support/engines.ts";
import { ENTRYPOINT_WORDS } from "../support/test-image.ts";

const MIB = 1024 ** 2;

/** What the flags promise, looked at from inside. The image runs as root with its own entrypoint unless told otherwise. */
describe.each(ENGINE_KINDS)("inside a container of %s", (kind) => {
  let under: EngineUnderTest;
  let dir: string;

  beforeAll(async () => {
    under = await EngineUnderTest.start(kind);
    dir = mkdtempSync(path.join(tmpdir(), "oc-engine-"));
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true, force: true });
    await under?.stop();
  });

  const shell = async (script: string, changes: Partial<ContainerSpec> = {}): Promise<string> => {
    const { stdout, stderr } = await under.run(["sh", "-c", script], changes);
    return Buffer.concat([stdout, stderr]).toString();
  };

  test("the image's entrypoint and user are replaced", async () => {
    const output = await shell("id -u; id -g");
    expect(output).toBe("10001\n10001\n");
    expect(output).not.toContain(ENTRYPOINT_WORDS);
  });

  test("no capability, no new privileges, a seccomp filter, also for root", async () => {
    for (const user of ["10001:10001", "0:0"]) {
      const status = await shell("cat /proc/self/status", { user });
      for (const set of ["Inh", "Prm", "Eff", "Bnd", "Amb"])
        expect(status).toMatch(new RegExp(`^Cap${set}:\\t0+$`, "m"));
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
      expect(status).toMatch(/^Seccomp:\t2$/m);
    }
  });

  test("the profile refuses namespaces, which the same container without it is allowed", async () => {
    const script = "unshare -U true && echo allowed || echo refused";
    expect(await shell(script)).toMatch(/refused/);
    expect(await shell(script, { seccompProfile: "unconfined" })).toMatch(/allowed/);
  });

  test("the root file system is read-only for root too, and nothing else is writable", async () => {
    const script =
      "for d in / /etc /usr /bin /tmp /var /run /volume /home; do touch $d/x 2>/dev/null && echo writable $d; done; true";
    const output = await shell(script, { user: "0:0" });
    expect(output).toBe("");
  });

  test("only loopback, no route", async () => {
    expect((await shell("ls /sys/class/net")).trim()).toBe("lo");
    expect(await shell("tail -n +2 /proc/net/route")).toBe("");
  });

  test("process, memory and file limits are those asked for", async () => {
    const limits = { cpus: 1.5, memoryBytes: 96 * MIB, pids: 33, nofile: 512, nproc: 2048 };
    const container = await under.engine.prepare(under.spec(["sleep", "60"], { limits }));
    try {
      expect(readLimit(container.pid, "pids", "pids.max")).toBe("33");
      expect(readLimit(container.pid, "memory", "memory.limit_in_bytes", "memory.max")).toBe(String(96 * MIB));
      expect(readSwapLimit(container.pid)).toBe(true);
    } finally {
      await under.engine.removeContainer(container.id);
    }
    const own = await shell("cat /proc/self/limits", { limits });
    expect(own).toMatch(/^Max open files +512 +512 /m);
    expect(own).toMatch(/^Max processes +2048 +2048 /m);
    expect(own).toMatch(/^Max core file size +0 +0 /m);
  });

  test("the limits bite", async () => {
    const limits = { cpus: 1, memoryBytes: 64 * MIB, pids: 20, nofile: 1024, nproc: 4096 };
    const forks = await shell("for i in $(seq 40); do sleep 5 & done; echo end", { limits });
    expect(forks).toMatch(/fork|resource/i);
    const { exitCode } = await under.run(["sh", "-c", "exec tail /dev/zero"], { limits });
    expect(exitCode).toBe(137);
  });

  test("a tmpfs has the size, mode and exec flag asked for", async () => {
    const tmpfs = { kind: "tmpfs" as const, sizeBytes: 2 * MIB, mode: "1777" };
    const mounts = [
      { ...tmpfs, target: "/tmp", exec: true },
      { ...tmpfs, target: "/scratch", exec: false },
    ];
    const lines = await shell("grep -E ' /(tmp|scratch) ' /proc/mounts; stat -c %a /tmp /scratch", { mounts });
    expect(lines).toMatch(/^tmpfs \/tmp tmpfs rw,nosuid,nodev,relatime,size=2048k/m);
    expect(lines).toMatch(/^tmpfs \/scratch tmpfs rw,nosuid,nodev,noexec,relatime,size=2048k/m);
    expect(lines).toMatch(/1777\n1777\n$/);
    expect(await shell("dd if=/dev/zero of=/tmp/x bs=1M count=5 2>&1", { mounts })).toMatch(/No space left/);
  });

  test("a read-only mount can't be written, a writable one can", async () => {
    const bind = { kind: "bind" as const, source: dir };
    const mounts = [
      { ...bind, target: "/ro", readOnly: true },
      { ...bind, target: "/rw", readOnly: false },
    ];
    const output = await shell("echo a > /ro/x; echo b > /rw/x && cat /ro/x", { mounts, user: "0:0" });
    expect(output).toMatch(/^b$/m);
    expect(output).toMatch(/Read-only file system/);
  });

  test("host name, work directory and environment are the spec's, with nothing of the host's", async () => {
    const output = await shell("hostname; pwd; env", { workdir: "/tmp", env: { ONLY: "this" } });
    const [name, workdir, ...env] = output.trim().split("\n");
    expect([name, workdir]).toEqual(["sandbox", "/tmp"]);
    const keys = env.map((line) => line.split("=")[0] ?? "").sort();
    const allowed = ["HOME", "HOSTNAME", "ONLY", "PATH", "PWD", "SHLVL", "TERM", "container"];
    expect(keys.filter((key) => !allowed.includes(key))).toEqual([]);
    expect(env).toContain("ONLY=this");
  });

  test("name resolution is told what the spec mounts, not what the host knows", async () => {
    writeFileSync(path.join(dir, "hosts"), "127.0.0.1 localhost\n");
    writeFileSync(path.join(dir, "resolv.conf"), "nameserver 127.0.0.1\n");
    const mounts = ["hosts", "resolv.conf"].map((name) => {
      return { kind: "bind" as const, source: path.join(dir, name), target: `/etc/${name}`, readOnly: true };
    });
    expect(await shell("cat /etc/hosts /etc/resolv.conf", { mounts })).toBe(
      "127.0.0.1 localhost\nnameserver 127.0.0.1\n",
    );
  });

  test("no process of the engine runs beside the program", async () => {
    expect(await shell("set -- /proc/[0-9]*; echo $#")).toBe("1\n");
  });
});

/** The controller's file of a process in cgroup v1, or the unified one. */
function readLimit(pid: number, controller: string, ...names: string[]): string | undefined {
  const groups = readFileSync(`/proc/${pid}/cgroup`, "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  for (const [, controllers = "", group = ""] of groups) {
    const base = controllers === "" ? "/sys/fs/cgroup" : `/sys/fs/cgroup/${controllers}`;
    if (controllers !== "" && !controllers.split(",").includes(controller)) continue;
    for (const name of names) {
      try {
        return readFileSync(path.join(base, group, name), "utf8").trim();
      } catch {
        // The next place.
      }
    }
  }
  return undefined;
}

/** Memory and swap together are no more than the memory. */
function readSwapLimit(pid: number): boolean {
  const together = readLimit(pid, "memory", "memory.memsw.limit_in_bytes");
  if (together !== undefined) return together === String(96 * MIB);
  return readLimit(pid, "memory", "memory.swap.max") === "0";
}
