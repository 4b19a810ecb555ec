import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exec } from "../../src/core/exec.ts";
import {
  ensureAgentImage,
  findAgentImage,
  listAgentImages,
  removeAgentImages,
} from "../../src/engine/image/agent-image.ts";
import { readAptSetup } from "../../src/engine/image/apt-setup.ts";
import { loadRecipe } from "../../src/engine/image/recipe.ts";
import type { ContainerEngine } from "../../src/engine/port.ts";
import { selectEngine } from "../../src/engine/select.ts";
import { type DockerDaemon, startDockerDaemon } from "../support/docker-daemon.ts";
import { runToEnd, testSpec } from "../support/engines.ts";

/** What a task may expect to find, and that the user and directories are those that runs are mounted on. */
const CONTENT_SCRIPT = `set -e
echo "opencode $(opencode --version)"; echo "node $(node --version)"; npm --version >/dev/null; npx --version >/dev/null
for tool in bash git rg curl python3 pip make jq ps; do command -v $tool >/dev/null && echo "has $tool"; done
cd /tmp && printf 'def test_a():\\n    assert True\\n' > test_a.py && python3 -m pytest -q test_a.py | tail -1
echo '{"a":[1]}' | jq -c .a; node -e 'console.log([1,2].map((x) => x * 2).join())'
git init -q repo && ls /etc/ssl/certs/ca-certificates.crt
stat -c '%n %a %u' /home/agent /workspace /capture /opt/opencode-config
id -un; id -u; id -g; pwd; echo "$PATH $LANG $HOME"
cat /etc/apt/sources.list 2>/dev/null || true; ls /etc/apt/sources.list.d || true`;

/** The steps build on each other: the broken builds first, then the one that works, then what is done with its result. */
describe("the agent image", { timeout: 900_000 }, () => {
  let dir: string;
  let cacheDir: string;
  let daemon: DockerDaemon;
  let docker: ContainerEngine;
  let podman: ContainerEngine;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), "oc-image-"));
    cacheDir = path.join(dir, "cache");
    daemon = await startDockerDaemon();
    docker = await selectEngine({ dockerBin: daemon.dockerBin });
    podman = await selectEngine({ dockerBin: privatePodman(dir) });
  });
  afterAll(async () => {
    await daemon?.stop();
    if (dir === undefined) return;
    await exec(path.join(dir, "podman"), ["rmi", "--all", "--force"]);
    await exec("umount", [path.join(dir, "storage/overlay")]);
    await exec("rm", ["-rf", "--one-file-system", "--", dir]);
  });

  const leftOvers = (): string[] => {
    const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && commandLine(name).includes(dir));
    const builders = processes.map(commandLine).filter((line) => /mmdebstrap|npm|apt/.test(line));
    const mounts = readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(cacheDir));
    return [...builders, ...mounts, ...readdirSync(cacheDir).map((name) => `file ${name}`)];
  };

  test("only an exact version of OpenCode is taken", async () => {
    for (const opencodeVersion of ["latest", "1.18", "1.18.33 --force", ""]) {
      await expect(ensureAgentImage(docker, { cacheDir, opencodeVersion })).rejects.toMatchObject({ code: "usage" });
    }
  });

  test("a version that does not exist is named, with the registry's words", async () => {
    const building = ensureAgentImage(docker, { cacheDir, opencodeVersion: "0.0.999" });
    await expect(building).rejects.toMatchObject({
      code: "image-build-failed",
      hint: expect.stringMatching(/opencode-linux-\w+@0\.0\.999/),
    });
    expect(leftOvers()).toEqual([]);
  });

  test("a package source that can't be reached is told with the tool's last lines", async () => {
    const config = path.join(dir, "apt.conf");
    writeFileSync(config, 'Acquire::http::Proxy "http://127.0.0.1:9";\nAcquire::Retries "0";\n');
    process.env["APT_CONFIG"] = config;
    try {
      await expect(ensureAgentImage(docker, { cacheDir })).rejects.toMatchObject({
        code: "image-build-failed",
        message: expect.stringContaining("mmdebstrap"),
        hint: expect.stringMatching(/127\.0\.0\.1:9/),
      });
    } finally {
      delete process.env["APT_CONFIG"];
    }
    expect(leftOvers()).toEqual([]);
    expect(await listAgentImages(docker)).toEqual([]);
  });

  test("an interrupted build leaves nothing", async () => {
    const abort = new AbortController();
    const onProgress = (line: string): void => {
      if (line.includes("downloading")) abort.abort();
    };
    const building = ensureAgentImage(docker, { cacheDir, onProgress, signal: abort.signal });
    await expect(building).rejects.toMatchObject({ code: "interrupted" });
    expect(leftOvers()).toEqual([]);
    expect(await listAgentImages(docker)).toEqual([]);
  });

  test("a build whose program is killed ends too, and its files go with the next build", async () => {
    const child = buildInChild(daemon.dockerBin, cacheDir);
    await new Promise<void>((resolve) => {
      child.stdout?.on("data", (data) => String(data).includes("downloading") && resolve());
    });
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    await expect.poll(() => leftOvers().filter((one) => !one.startsWith("file "))).toEqual([]);
    expect(leftOvers()).toHaveLength(1);
  });

  test("it is built from distribution packages where no registry answers", async () => {
    const lines: string[] = [];
    const image = await ensureAgentImage(docker, { cacheDir, onProgress: (line) => lines.push(line) });
    const recipe = await loadRecipe();
    expect(image).toMatchObject({ ref: recipe.ref, built: true, opencodeVersion: recipe.opencodeVersion });
    expect(lines.join("\n")).toMatch(/no registry is reachable\n.*building from distribution packages/);
    expect(lines.every((line) => /^\[ *\d+ s\] \S/.test(line))).toBe(true);
    expect(leftOvers()).toEqual([`file ${recipe.tag}.rootfs.tar`]);
    const info = await docker.inspectImage(image.ref);
    expect(info).toMatchObject({
      id: image.id,
      labels: {
        "org.opencode-capture.image": "agent",
        "org.opencode-capture.opencode-version": recipe.opencodeVersion,
      },
    });
    expect(info?.sizeBytes).toBeLessThan(700e6);
    await expectContent(docker, image.ref);
  });

  test("when it is there nothing is done", async () => {
    const lines: string[] = [];
    const startedAtMs = performance.now();
    const image = await ensureAgentImage(docker, { cacheDir, onProgress: (line) => lines.push(line) });
    expect(image.built).toBe(false);
    expect(lines).toEqual([]);
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });

  test("a second engine takes the same root file system", async () => {
    const lines: string[] = [];
    const image = await ensureAgentImage(podman, { cacheDir, onProgress: (line) => lines.push(line) });
    expect(image.built).toBe(true);
    expect(lines.join("\n")).not.toMatch(/distribution packages|npm/);
    await expectContent(podman, image.ref);
  });

  test("it is built from the Containerfile where the base image can be had", async () => {
    for (const engine of [docker, podman]) {
      const { ref } = await ensureAgentImage(engine, { cacheDir });
      await makeBaseImage(engine, ref, dir);
      await engine.removeImage(ref);
      rmSync(cacheDir, { recursive: true });
      const lines: string[] = [];
      const image = await ensureAgentImage(engine, { cacheDir, onProgress: (line) => lines.push(line) });
      expect(image.built).toBe(true);
      expect(lines.join("\n")).not.toContain("distribution packages");
      await expectContent(engine, image.ref);
      expect(leftOvers()).toEqual([]);
    }
  });

  test("list and remove", async () => {
    for (const engine of [docker, podman]) {
      const image = await findAgentImage(engine);
      expect(await listAgentImages(engine)).toMatchObject([{ id: image?.id, tags: [image?.ref] }]);
      expect(await removeAgentImages(engine, { cacheDir })).toEqual([image?.ref]);
      expect(await listAgentImages(engine)).toEqual([]);
      expect(await findAgentImage(engine)).toBe(undefined);
    }
  });
});

async function expectContent(engine: ContainerEngine, image: string): Promise<void> {
  const { opencodeVersion } = await loadRecipe();
  const tmpfs = { kind: "tmpfs" as const, sizeBytes: 64 * 1024 ** 2, exec: true, mode: "1777" };
  const mounts = ["/tmp", "/home/agent"].map((target) => ({ ...tmpfs, target }));
  const limits = { cpus: 2, memoryBytes: 1024 ** 3, pids: 256, nofile: 1024, nproc: 4096 };
  const spec = testSpec(image, ["bash", "-c", CONTENT_SCRIPT], { mounts, limits, workdir: "/workspace" });
  const { stdout, stderr, exitCode } = await runToEnd(engine, spec);
  expect(stderr.toString()).toBe("");
  expect(exitCode).toBe(0);
  const tools = ["bash", "git", "rg", "curl", "python3", "pip", "make", "jq", "ps"].map((tool) => `has ${tool}`);
  expect(stdout.toString().trim().split("\n")).toEqual([
    `opencode ${opencodeVersion}`,
    "node v24.21.0",
    ...tools,
    expect.stringMatching(/^1 passed/),
    "[1]",
    "2,4",
    "/etc/ssl/certs/ca-certificates.crt",
    ...["/home/agent 1777 0", "/workspace 755 10001", "/capture 755 0", "/opt/opencode-config 755 0"],
    ...["agent", "10001", "10001", "/tmp"],
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin C.UTF-8 /home/agent",
  ]);
}

/** Something like the distribution's base image, under its name: the agent image with sources and without its user. */
async function makeBaseImage(engine: ContainerEngine, agentImage: string, dir: string): Promise<void> {
  const context = mkdtempSync(path.join(dir, "base-"));
  writeFileSync(path.join(context, "distribution.sources"), (await readAptSetup()).sources);
  const steps = [
    "userdel agent",
    "rm -rf /usr/local/bin/* /usr/local/lib/node_modules",
    "mkdir -p /etc/apt/sources.list.d",
  ];
  const lines = [
    `FROM ${agentImage}`,
    "USER 0:0",
    `RUN ${steps.join(" && ")}`,
    "COPY distribution.sources /etc/apt/sources.list.d/",
  ];
  const containerfile = path.join(context, "Containerfile");
  writeFileSync(containerfile, `${lines.join("\n")}\n`);
  const labels = { "org.opencode-capture.image": "test" };
  await engine.buildImage(context, containerfile, (await loadRecipe()).baseImage, { labels });
}

/** Podman with a storage of its own; it can't pull either. */
function privatePodman(dir: string): string {
  const bin = path.join(dir, "podman");
  const own = `--root '${dir}/storage' --runroot '${dir}/run'`;
  writeFileSync(bin, `#!/bin/sh\nexport HTTPS_PROXY=http://127.0.0.1:9\nexec podman ${own} "$@"\n`, { mode: 0o755 });
  return bin;
}

function buildInChild(dockerBin: string, cacheDir: string): ChildProcess {
  const source = (name: string): string => JSON.stringify(path.join(import.meta.dirname, "../../src/engine", name));
  const script = `
    const { selectEngine } = await import(${source("select.ts")});
    const { ensureAgentImage } = await import(${source("image/agent-image.ts")});
    const engine = await selectEngine({ dockerBin: ${JSON.stringify(dockerBin)} });
    await ensureAgentImage(engine, { cacheDir: ${JSON.stringify(cacheDir)}, onProgress: (line) => console.log(line) });`;
  return spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
