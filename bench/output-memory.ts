/**
 * Memory of the supervisor (the gateway is part of it) while the agent floods it, and whether it counted every byte.
 *   node bench/output-memory.ts [SCENARIO…] [--scale N]      scenarios: see SCENARIOS; N below 1 makes them smaller
 * The agent's shell writes straight to the first process's standard streams, since OpenCode itself would keep only a part.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { LAYOUT } from "../src/evidence/layout.ts";
import type { RunRecord } from "../src/schema/run.ts";
import { removeTree } from "../src/workspace/remove-tree.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const STDOUT = "/proc/1/fd/1";
const STDERR = "/proc/1/fd/2";
const PIPE = "/capture/opencode_events.fifo";
const STALL_MS = 30_000;

interface Scenario {
  bytes: number;
  /** The shell command that makes so many bytes. */
  command(bytes: number): string;
  /** Where the supervisor counts them. */
  counted(record: RunRecord): number;
  /** The supervisor stands still for STALL_MS in the middle. */
  stalled?: boolean;
}

const streams = ({ output }: RunRecord): number => output.stdout_bytes + output.stderr_bytes;
const event = (bytes: number): string =>
  `{ printf '{"native_event_type":"x","raw_input":"'; head -c ${bytes} /dev/zero | tr '\\0' a; printf '"}\\n'; } > ${PIPE}`;

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  lines: {
    bytes: 1 << 30,
    command: (bytes) => `yes 0123456789abcdef | head -c ${bytes} > ${STDERR}`,
    counted: streams,
  },
  "one-line": {
    bytes: 100_000_000,
    command: (bytes) => `head -c ${bytes} /dev/zero | tr '\\0' x > ${STDOUT}`,
    counted: streams,
  },
  nul: { bytes: 1 << 30, command: (bytes) => `head -c ${bytes} /dev/zero > ${STDOUT}`, counted: streams },
  // Random bytes hold everything: invalid UTF-8, NUL, escapes, newlines.
  random: { bytes: 256 << 20, command: (bytes) => `head -c ${bytes} /dev/urandom > ${STDOUT}`, counted: streams },
  event: { bytes: 100_000_000, command: event, counted: ({ native_events }) => native_events.bytes },
  stalled: {
    bytes: 256 << 20,
    command: (bytes) => `yes 0123456789abcdef | head -c ${bytes} > ${STDERR}`,
    counted: streams,
    stalled: true,
  },
};

/** A project whose scripted agent runs `command`. */
function floodingProject(dir: string, command: string): void {
  const models = path.join(dir, "tasks", "models");
  fs.mkdirSync(models, { recursive: true });
  const issue = { id: "flood", risk_level: "safe", title: "Flood", prompt: "Print." };
  const call = { name: "bash", arguments: { command, description: "flood" } };
  const fixtures = [
    { match: { turnIndex: 0 }, response: { toolCalls: [call] } },
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

/** Bytes that the capture of the run that goes on holds of the agent's output. */
function outputSoFar(captureRoot: string): number {
  const names = fs.existsSync(captureRoot) ? fs.readdirSync(captureRoot).filter((name) => !name.startsWith(".")) : [];
  const file = path.join(captureRoot, names[0] ?? "none", LAYOUT.stderrLog);
  return fs.existsSync(file) ? fs.statSync(file).size : 0;
}

async function measure(name: string, scenario: Scenario, scale: number): Promise<string> {
  const bytes = Math.round(scenario.bytes * scale);
  const project = fs.mkdtempSync(path.join(os.tmpdir(), "opencode-capture-bench-"));
  try {
    floodingProject(project, scenario.command(bytes));
    const args = ["dist/main.js", "run", "--issue", "flood", "--project", project];
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "ignore"] });
    const pid = child.pid ?? 0;
    let peak = 0;
    let stdout = "";
    let stalled = false;
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    const timer = setInterval(() => {
      peak = Math.max(peak, peakOf(pid));
      if (scenario.stalled !== true || stalled) return;
      if (outputSoFar(path.join(project, "artifacts", "captures")) < 1 << 20) return;
      stalled = true;
      child.kill("SIGSTOP");
      setTimeout(() => child.kill("SIGCONT"), STALL_MS);
    }, 20);
    await new Promise((resolve) => child.once("close", resolve));
    clearInterval(timer);
    const record = JSON.parse(fs.readFileSync(path.join(stdout.trim(), LAYOUT.run), "utf8")) as RunRecord;
    const counted = scenario.counted(record);
    const missing = counted < bytes ? `MISSING ${bytes - counted}` : "all counted";
    const stall = scenario.stalled === true ? (stalled ? ", stood still for 30 s" : ", NEVER STALLED") : "";
    const mib = (peak / 1024 ** 2).toFixed(0);
    return `${name.padEnd(10)} ${bytes} bytes: ${missing}${stall}; peak ${mib} MiB; ${record.run_status}, ${record.duration_seconds} s`;
  } finally {
    await removeTree(project);
  }
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { scale: { type: "string" } } });
const wanted = positionals.length > 0 ? positionals : Object.keys(SCENARIOS);
for (const name of wanted) {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) throw new Error(`no scenario ${name}: ${Object.keys(SCENARIOS).join(", ")}`);
  process.stdout.write(`${await measure(name, scenario, Number(values.scale ?? 1))}\n`);
}
