import { spawn } from "node:child_process";
import { Server } from "node:net";
import * as path from "node:path";
import { CaptureError } from "../core/errors.ts";

export interface NamespaceListener {
  name: string;
  host: string;
  port: number;
}

const HELPER = path.join(import.meta.dirname, "netns-helper.ts");
const TIMEOUT_MS = 15_000;

/**
 * Opens TCP listeners in the network namespace of process `pid` and returns them, by name, as servers of this process.
 * Needs the right to enter that namespace (root, or CAP_SYS_ADMIN).
 * @throws CaptureError `engine-failed` when the namespace can't be entered or an address is taken.
 */
export function listenInNamespace(pid: number, wanted: readonly NamespaceListener[]): Promise<Map<string, Server>> {
  const child = spawn("nsenter", ["-t", String(pid), "-n", process.execPath, HELPER, JSON.stringify(wanted)], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    timeout: TIMEOUT_MS,
  });
  const servers = new Map<string, Server>();
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-2000);
  });
  child.on("message", (message: { name?: unknown }, handle) => {
    if (typeof message.name === "string" && handle instanceof Server) servers.set(message.name, handle);
  });
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(
        new CaptureError("engine-failed", `cannot open a socket in the container's network namespace: ${why}`, {
          cause,
          hint: "entering a namespace needs root: run it with sudo; `opencode-capture doctor` shows what this machine allows",
        }),
      );
    child.once("error", (error) => fail(error.message, error));
    child.once("close", (code, signal) => {
      if (code === 0 && servers.size === wanted.length) resolve(servers);
      else fail(stderr.trim() || `the helper ended with ${signal ?? code}`);
    });
  });
}
