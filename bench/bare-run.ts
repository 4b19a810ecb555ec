import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { LLMock } from "@copilotkit/aimock";
import { sleep } from "../src/core/clock.ts";
import { createArgs } from "../src/engine/create-args.ts";
import { DIALECTS } from "../src/engine/dialect.ts";
import type { ContainerSpec } from "../src/engine/port.ts";
import { listenInNamespace } from "../src/sandbox/netns.ts";

export interface BareRunInput {
  bin: string;
  runtime: string;
  spec: ContainerSpec;
  prompt: string;
  scriptFile: string;
  scratch: string;
  /** The disposable working copy, made with `cp -a`. */
  copy: { from: string; to: string };
  modelPort: number;
}

/**
 * The same container as a captured run's, started by hand: `cp -a` of the working copy, then `podman run --rm` with the same image, flags, configuration
 * and model, and nobody watching. The model is up before the clock starts.
 * @returns milliseconds from the command to its end.
 */
export async function bareRun(input: BareRunInput): Promise<number> {
  const model = new LLMock({ port: 0, host: "127.0.0.1" });
  model.loadFixtureFile(input.scriptFile);
  await model.start();
  const pidFile = path.join(input.scratch, "pid");
  const [, ...flags] = createArgs(input.spec, {
    dialect: DIALECTS.podman,
    pidFile,
    cap: { nofile: undefined, nproc: undefined },
    imageVolumes: [],
  });
  const startedMs = performance.now();
  execFileSync("cp", ["-a", input.copy.from, input.copy.to]);
  const child = spawn(input.bin, ["--runtime", input.runtime, "run", "--rm", ...flags], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-2000)));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  child.stdin.end(input.prompt);
  const pid = await waitForPid(pidFile, ended);
  const servers = await listenInNamespace(pid, [{ name: "model", host: "127.0.0.1", port: input.modelPort }]);
  const listener = servers.get("model");
  listener?.on("connection", (socket) => passOn(socket, Number(new URL(model.url).port)));
  const code = await ended;
  const elapsedMs = performance.now() - startedMs;
  listener?.close();
  await model.stop();
  if (code !== 0) throw new Error(`the bare run ended with ${code}: ${stderr}`);
  return elapsedMs;
}

async function waitForPid(file: string, ended: Promise<unknown>): Promise<number> {
  let over = false;
  void ended.then(() => (over = true));
  while (!over) {
    const pid = fs.existsSync(file) ? Number.parseInt(fs.readFileSync(file, "utf8"), 10) : Number.NaN;
    if (pid > 1) return pid;
    await sleep(5);
  }
  throw new Error("the bare run ended before it had a process");
}

function passOn(socket: net.Socket, port: number): void {
  const upstream = net.connect(port, "127.0.0.1");
  socket.pipe(upstream).pipe(socket);
  for (const end of [socket, upstream]) end.on("error", () => (socket.destroy(), upstream.destroy()));
}
