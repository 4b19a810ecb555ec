import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { exec } from "../../src/core/exec.ts";

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
/** It gives its containerd 15 s to take over what a crash left, and ends when that is not enough; an init system would start it again. */
const RESTARTS = 4;
const NO_PROXY_HERE = "http://127.0.0.1:9";

/** A Docker daemon of the test's own: it shares no state with one that the machine may have. */
export interface DockerDaemon {
  /** Its address, `unix:///…`. */
  host: string;
  /** A command like `docker` that talks to this daemon; what `--docker-bin` takes. */
  dockerBin: string;
  readonly pid: number;
  /** Ends it at once, as a crash would. */
  crash(): Promise<void>;
  /** Starts it again after a crash, with everything that it had. */
  restart(): Promise<void>;
  /** Stops it and removes everything it made. */
  stop(): Promise<void>;
}

/** Starts dockerd (Debian: docker.io) with data, run-time state, socket and pid file in a new directory. Needs root. */
export async function startDockerDaemon(): Promise<DockerDaemon> {
  const dir = await mkdtemp(path.join(tmpdir(), "oc-docker-"));
  const host = `unix://${dir}/docker.sock`;
  const logFile = path.join(dir, "dockerd.log");
  const dockerBin = path.join(dir, "docker");
  await writeFile(dockerBin, `#!/bin/sh\nexec docker --host '${host}' "$@"\n`, { mode: 0o755 });
  await makeState(dir);
  let child = spawnDaemon(dir, host, logFile);
  let exited = exitOf(child);
  const daemon: DockerDaemon = {
    host,
    dockerBin,
    get pid() {
      return child.pid ?? 0;
    },
    async crash() {
      child.kill("SIGKILL");
      await exited;
    },
    async restart() {
      for (let tries = 0; tries < RESTARTS; tries++) {
        child = spawnDaemon(dir, host, logFile);
        exited = exitOf(child);
        if (await answers(host, child)) return;
      }
      throw new Error(`dockerd did not start again: ${lastLines(logFile)}`);
    },
    async stop() {
      child.kill("SIGTERM");
      await Promise.race([exited, sleep(STOP_TIMEOUT_MS)]);
      child.kill("SIGKILL");
      await exited;
      await endHelpers(dir);
      await removeState(dir);
    },
  };
  if (await answers(host, child)) return daemon;
  const log = lastLines(logFile);
  await daemon.stop();
  throw new Error(`dockerd did not start (apt-get install docker.io):\n${log}`);
}

function lastLines(logFile: string): string {
  return readFileSync(logFile, "utf8").split("\n").slice(-15).join("\n");
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once("exit", () => resolve()));
}

async function makeState(dir: string): Promise<void> {
  await mkdir(path.join(dir, "data"));
  await writeFile(path.join(dir, "daemon.json"), "{}\n");
}

function spawnDaemon(dir: string, host: string, logFile: string): ChildProcess {
  const log = openSync(logFile, "a");
  const options = {
    host,
    "config-file": path.join(dir, "daemon.json"),
    "data-root": path.join(dir, "data"),
    "exec-root": path.join(dir, "exec"),
    pidfile: path.join(dir, "dockerd.pid"),
    // Containers of the tests have no network: leave the machine's alone.
    bridge: "none",
    iptables: "false",
    "ip-forward": "false",
    "ip-masq": "false",
    "userland-proxy": "false",
  };
  const args = Object.entries(options).map(([key, value]) => `--${key}=${value}`);
  // Nothing is ever pulled from the net in a test.
  const env = { ...process.env, HTTPS_PROXY: NO_PROXY_HERE, HTTP_PROXY: NO_PROXY_HERE };
  const child = spawn("dockerd", args, { stdio: ["ignore", log, log], env });
  child.on("error", () => {});
  closeSync(log);
  return child;
}

async function answers(host: string, child: ChildProcess): Promise<boolean> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline && child.pid !== undefined && child.exitCode === null) {
    const result = await exec("docker", ["--host", host, "version"], { timeoutMs: 5_000 });
    if (result.exitCode === 0) return true;
    await sleep(200);
  }
  return false;
}

/** A daemon that was killed leaves its containerd and the containers' shims; the directory's name tells them from others. */
async function endHelpers(dir: string): Promise<void> {
  const helpers = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && commandLine(name).includes(dir));
  for (const pid of helpers) process.kill(Number(pid), "SIGTERM");
  for (let tries = 0; tries < 50 && helpers.some((pid) => commandLine(pid).includes(dir)); tries++) await sleep(100);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

/** A daemon that was killed leaves mounts; nothing below one is removed by mistake. */
async function removeState(dir: string): Promise<void> {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const own = mounts.map((line) => line.split(" ")[1] ?? "").filter((target) => target.startsWith(`${dir}/`));
  for (const target of own.reverse()) await exec("umount", ["--lazy", target]);
  await exec("rm", ["-rf", "--one-file-system", "--", dir]);
}
