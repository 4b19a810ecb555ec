/**
 * Memory of the supervisor (the gateway is part of it) while the agent prints 1 GiB.
 *   node bench/output-memory.ts [BYTES]
 * The agent's shell command writes straight to the container's standard error: OpenCode itself would keep only a part.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { LAYOUT } from "../src/evidence/layout.ts";
import type { RunRecord } from "../src/schema/run.ts";
import { removeTree } from "../src/workspace/remove-tree.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const BYTES = Number(process.argv[2] ?? 1024 ** 3);

/** A project whose scripted agent floods its standard error through the file descriptor of the container's first process. */
function floodingProject(dir: string): void {
  const models = path.join(dir, "tasks", "models");
  fs.mkdirSync(models, { recursive: true });
  const issue = { id: "flood", risk_level: "safe", title: "Flood", prompt: "Print." };
  const command = `yes 0123456789abcdef | head -c ${BYTES} > /proc/1/fd/2`;
  const fixtures = [
    {
      match: { turnIndex: 0 },
      response: { toolCalls: [{ name: "bash", arguments: { command, description: "flood" } }] },
    },
    { match: { turnIndex: 1 }, response: { content: "Done." } },
  ];
  fs.writeFileSync(path.join(dir, "tasks", "issues.json"), JSON.stringify([issue]));
  fs.writeFileSync(path.join(models, "flood.careful.json"), JSON.stringify({ fixtures }));
}

/** The kernel's own high-water mark of the process, in bytes. */
function peakOf(pid: number): number {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

const project = fs.mkdtempSync(path.join(os.tmpdir(), "opencode-capture-bench-"));
try {
  floodingProject(project);
  const args = ["src/cli/main.ts", "run", "--issue", "flood", "--project", project];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  let peak = 0;
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  const timer = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid ?? 0));
  }, 50);
  await new Promise((resolve) => child.once("close", resolve));
  clearInterval(timer);
  const record = JSON.parse(fs.readFileSync(path.join(stdout.trim(), LAYOUT.run), "utf8")) as RunRecord;
  process.stdout.write(
    `agent printed ${record.output.stdout_bytes + record.output.stderr_bytes} bytes, run ${record.run_status}, ` +
      `${record.duration_seconds} s, peak memory of the supervisor ${(peak / 1024 ** 2).toFixed(0)} MiB\n`,
  );
} finally {
  await removeTree(project);
}
