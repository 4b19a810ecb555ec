import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { selectEngine, tryEngines } from "../../src/engine/select.ts";
import { type DockerDaemon, startDockerDaemon } from "../support/docker-daemon.ts";
import { EngineUnderTest, startAndRead } from "../support/engines.ts";

const NO_DAEMON = "unix:///nowhere/docker.sock";

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), "oc-select-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A program that writes down how it is called, then does `setup` and becomes `program`. */
function wrapper(program: string, setup = ""): { bin: string; calls: () => string[] } {
  const log = path.join(dir, "calls");
  const bin = path.join(dir, "engine");
  writeFileSync(log, "");
  writeFileSync(bin, `#!/bin/sh\necho "$@" >>'${log}'\n${setup}\nexec ${program} "$@"\n`, { mode: 0o755 });
  const calls = (): string[] => {
    const lines = readFileSync(log, "utf8").trimEnd().split("\n");
    writeFileSync(log, "");
    return lines;
  };
  return { bin, calls };
}

describe("which engine", () => {
  let daemon: DockerDaemon;

  beforeAll(async () => {
    daemon = await startDockerDaemon();
  });
  afterAll(() => daemon?.stop());

  test("a Docker daemon that answers is preferred", async () => {
    const { description } = await selectEngine({ dockerHost: daemon.host });
    expect(description).toMatchObject({ kind: "docker", runtime: "runc", rootless: false });
    expect(description.version).toMatch(/^\d+\.\d+/);
    expect(description.cgroupVersion).toMatch(/^v[12]$/);
  });

  test("Podman is used where no daemon answers", async () => {
    const { description } = await selectEngine({ dockerHost: NO_DAEMON });
    expect(description).toMatchObject({ kind: "podman", bin: "podman" });
    expect(description.runtime).toMatch(/runc|crun/);
  });

  test("a Podman that is missing is told from one that fails", async () => {
    vi.stubEnv("PATH", dir);
    try {
      await expect(selectEngine({ engine: "podman" })).rejects.toMatchObject({
        message: expect.stringContaining("podman: it is not installed"),
      });
      writeFileSync(path.join(dir, "podman"), "#!/bin/sh\necho 'no such option in storage.conf' >&2; exit 125\n", {
        mode: 0o755,
      });
      await expect(selectEngine({ engine: "podman" })).rejects.toMatchObject({
        message: expect.stringContaining("no such option in storage.conf (exit code 125)"),
      });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test("a daemon that never answers is given up", async () => {
    const socket = path.join(dir, "deaf.sock");
    const server = createServer(() => {}).listen(socket);
    const startedAtMs = performance.now();
    const { description } = await selectEngine({ dockerHost: `unix://${socket}` });
    server.close();
    expect(description.kind).toBe("podman");
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
  });

  test("a program says itself which engine it is", async () => {
    expect((await selectEngine({ dockerBin: daemon.dockerBin })).description).toMatchObject({
      kind: "docker",
      bin: daemon.dockerBin,
    });
    const { bin } = wrapper("podman");
    expect((await selectEngine({ dockerBin: bin })).description).toMatchObject({ kind: "podman", bin });
    await expect(selectEngine({ engine: "docker", dockerBin: bin })).rejects.toMatchObject({ code: "usage" });
  });

  test("errors name what was tried, why it failed and what mends it", async () => {
    await expect(selectEngine({ engine: "docker", dockerHost: NO_DAEMON })).rejects.toMatchObject({
      code: "engine-unavailable",
      message: expect.stringMatching(/docker: .*nowhere/),
      hint: expect.stringContaining("--engine podman"),
    });
    for (const dockerBin of ["/no/such/docker", "/bin/ls"]) {
      await expect(selectEngine({ dockerBin })).rejects.toMatchObject({
        code: "engine-unavailable",
        message: expect.stringContaining(dockerBin),
      });
    }
  });

  test("doctor hears about every engine", async () => {
    const attempts = await tryEngines({ dockerHost: NO_DAEMON });
    expect(attempts).toMatchObject([
      { kind: "docker", failure: expect.stringContaining("nowhere") },
      { kind: "podman" },
    ]);
    expect(attempts[1]?.engine?.description.kind).toBe("podman");
  });
});

describe("what is found out about Podman", () => {
  const ranContainer = (calls: string[]): boolean => calls.some((call) => /(^| )run /.test(call));

  test("is found by a real container, and remembered", async () => {
    const { bin, calls } = wrapper("podman");
    const cacheFile = path.join(dir, "deep/cache/engine.json");
    const first = await selectEngine({ dockerBin: bin, cacheFile });
    expect(ranContainer(calls())).toBe(true);
    const second = await selectEngine({ dockerBin: bin, cacheFile });
    expect(calls().every((call) => call === "--version")).toBe(true);
    expect(second.description).toEqual(first.description);
  });

  test.each([
    ["another boot", /[0-9a-f]{8}-[0-9a-f-]{27}/g, "00000000-0000-0000-0000-000000000000"],
    ["a replaced runtime", /"runtimeStamp": "[^"]*"/, '"runtimeStamp": "1:1"'],
    ["garbage", /^/, "{{"],
    ["other fields", /globalArgs/g, "arguments"],
  ])("is found out again after %s", async (_, pattern, replacement) => {
    const { bin, calls } = wrapper("podman");
    const cacheFile = path.join(dir, "engine.json");
    await selectEngine({ dockerBin: bin, cacheFile });
    calls();
    writeFileSync(cacheFile, readFileSync(cacheFile, "utf8").replace(pattern, replacement));
    await selectEngine({ dockerBin: bin, cacheFile });
    expect(ranContainer(calls())).toBe(true);
  });

  test("is found out again when a remembered runtime fails", async () => {
    const cacheFile = path.join(dir, "engine.json");
    await selectEngine({ engine: "podman", cacheFile });
    const text = readFileSync(cacheFile, "utf8");
    writeFileSync(cacheFile, text.replace('"globalArgs": []', '"globalArgs": ["--runtime", "/bin/false"]'));
    expect(readFileSync(cacheFile, "utf8")).toContain("/bin/false");
    const engine = await selectEngine({ engine: "podman", cacheFile });
    const under = await EngineUnderTest.start("podman");
    try {
      const container = await engine.prepare(under.spec(["true"]));
      await engine.removeContainer(container.id);
      expect(readFileSync(cacheFile, "utf8")).not.toContain("/bin/false");
    } finally {
      await under.stop();
    }
  });

  test("another runtime is taken where the configured one does not work", async () => {
    const config = path.join(dir, "containers.conf");
    writeFileSync(config, '[engine]\nruntime = "broken"\n[engine.runtimes]\nbroken = ["/bin/false"]\n');
    const { bin } = wrapper("podman", `export CONTAINERS_CONF='${config}'`);
    const engine = await selectEngine({ dockerBin: bin });
    expect(engine.description.runtime).toMatch(/runc|crun/);
  });

  test("limits are lowered to what this machine allows", async () => {
    const { bin } = wrapper("podman", "ulimit -n 700; ulimit -p 3000");
    const engine = await selectEngine({ dockerBin: bin });
    const under = await EngineUnderTest.start("podman");
    try {
      const container = await engine.prepare(under.spec(["cat", "/proc/self/limits"]));
      const { stdout } = await startAndRead(container);
      await engine.removeContainer(container.id);
      // 1024 and 4096 are asked for; each is halved until a container runs.
      expect(stdout.toString()).toMatch(/^Max open files +512 +512 /m);
      expect(stdout.toString()).toMatch(/^Max processes +2048 +2048 /m);
    } finally {
      await under.stop();
    }
  });

  test("a failure names every runtime that was tried", async () => {
    const { bin } = wrapper("podman", 'case "$*" in *run*--rootfs*) echo "no containers here" >&2; exit 1;; esac');
    await expect(selectEngine({ dockerBin: bin })).rejects.toMatchObject({
      code: "engine-unavailable",
      message: expect.stringMatching(/default runtime, runc(, crun)?: no containers here/),
      hint: expect.stringContaining("podman runc"),
    });
  });

  test("probing leaves no container behind", async () => {
    const before = await under();
    await selectEngine({ engine: "podman" });
    expect(await under()).toEqual(before);
    async function under(): Promise<number> {
      const engine = await selectEngine({ engine: "podman" });
      return (await engine.listContainers("org.opencode-capture.probe")).length;
    }
  });
});
