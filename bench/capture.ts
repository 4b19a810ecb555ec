/**
 * A whole capture against the same container started by hand: interleaved pairs, medians, every phase.
 *   node bench/capture.ts [PAIRS] [DIRECTORY]
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ensureAgentImage } from "../src/engine/image/agent-image.ts";
import { selectEngine } from "../src/engine/select.ts";
import { LAYOUT } from "../src/evidence/layout.ts";
import { MODEL_PORT } from "../src/gateway/port.ts";
import { findIssue } from "../src/issues/find-issue.ts";
import { loadIssues } from "../src/issues/load-issues.ts";
import { buildPrompt } from "../src/issues/prompt.ts";
import { AGENT_GID, AGENT_UID, writeAgentConfig, writeNameFiles } from "../src/sandbox/agent-config.ts";
import { buildContainerSpec } from "../src/sandbox/container-spec.ts";
import type { RunRecord } from "../src/schema/run.ts";
import { createWorkspace } from "../src/workspace/create.ts";
import { removeTree } from "../src/workspace/remove-tree.ts";
import { bareRun } from "./bare-run.ts";
import { median, range } from "./statistics.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const PLUGIN = path.join(ROOT, ".opencode/plugins/mas_safe_security.ts");
const ISSUE = "fix_math_utils";
const PAIRS = Number(process.argv[2] ?? 10);

interface Captured {
  /** From the command to the evidence complete and exported. */
  completeMs: number;
  /** The run's own time without the agent's. */
  ownMs: number;
  startUpMs: number;
  reportMs: number;
  cleanUpMs: number;
  record: RunRecord;
}

async function captured(captureRoot: string): Promise<Captured> {
  const startedAt = Date.now();
  const args = ["dist/main.js", "run", "--issue", ISSUE, "--engine", "podman", "--capture-root", captureRoot];
  // As scripts/setup/exec-cli.sh starts it.
  const env = { ...process.env, NODE_COMPILE_CACHE: path.join(ROOT, ".cache", "compile") };
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "ignore"] });
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  const code = await new Promise((resolve) => child.once("close", resolve));
  const endedAt = Date.now();
  if (code !== 0) throw new Error(`the captured run ended with ${String(code)}`);
  const dir = stdout.trim();
  const record = JSON.parse(fs.readFileSync(path.join(dir, LAYOUT.run), "utf8")) as RunRecord;
  const finishedAt = Date.parse(record.finished_at ?? "");
  const agentMs = record.phases.find((phase) => phase.name === "agent")?.duration_ms ?? Number.NaN;
  const reportAt = fs.statSync(path.join(dir, LAYOUT.report)).mtimeMs;
  return {
    completeMs: finishedAt - startedAt,
    ownMs: (record.duration_seconds ?? Number.NaN) * 1000 - agentMs,
    startUpMs: Date.parse(record.started_at) - startedAt,
    reportMs: reportAt - finishedAt,
    cleanUpMs: endedAt - reportAt,
    record,
  };
}

/** The directories of a run, as the supervisor makes them. */
function makeHostDirs(scratch: string) {
  const dir = (name: string, mode: number) => {
    const made = path.join(scratch, name);
    fs.mkdirSync(made);
    fs.chmodSync(made, mode);
    return made;
  };
  const hostDirs = {
    workspace: dir("workspace", 0o755),
    home: dir("home", 0o755),
    tmp: dir("tmp", 0o1777),
    pipes: dir("pipes", 0o755),
    config: dir("config", 0o755),
  };
  fs.chownSync(hostDirs.home, AGENT_UID, AGENT_GID);
  return hostDirs;
}

function writeBareConfig(dir: string): void {
  const model = {
    npm: "@ai-sdk/openai-compatible",
    name: "m",
    options: { baseURL: `http://127.0.0.1:${MODEL_PORT}/v1`, apiKey: "dummy" },
    models: { careful: { name: "careful", limit: { context: 10_000_000, output: 32_000 } } },
  };
  writeAgentConfig(dir, { model: "scripted/careful", provider: { scripted: model } }, PLUGIN);
}

async function bare(number: number, scratchRoot: string): Promise<number> {
  const engine = await selectEngine({ engine: "podman", cacheFile: path.join(scratchRoot, "engine.json") });
  const image = await ensureAgentImage(engine);
  const issue = findIssue(loadIssues(path.join(ROOT, "tasks/issues.json")), ISSUE);
  const prompt = buildPrompt(issue);
  const scratch = fs.mkdtempSync(path.join(scratchRoot, "bare-"));
  const hostDirs = makeHostDirs(scratch);
  writeBareConfig(hostDirs.config);
  // What the copy holds is settled before the clock starts; making it by hand is part of the work.
  const template = path.join(scratch, "template");
  const owner = { uid: AGENT_UID, gid: AGENT_GID };
  const source = { project: ROOT, issue, prompt, pluginFile: PLUGIN, captureRoot: scratchRoot };
  await createWorkspace({ ...source, ...owner, destination: template });
  const spec = buildContainerSpec({
    runId: `bench-${process.pid}-${number}`,
    owner: "",
    issue,
    imageRef: image.ref,
    opencodeBin: "opencode",
    seccompProfile: path.join(ROOT, "config/seccomp.json"),
    eventsPipeName: "none",
    hostDirs,
    nameFiles: writeNameFiles(scratch),
  });
  const scriptFile = path.join(ROOT, `tasks/models/${ISSUE}.careful.json`);
  const { bin, runtime } = engine.description;
  const copy = { from: `${template}/.`, to: hostDirs.workspace };
  const ms = await bareRun({ bin, runtime, spec, prompt, scriptFile, scratch, copy, modelPort: MODEL_PORT });
  await removeTree(scratch);
  return ms;
}

function print(bareMs: readonly number[], runs: readonly Captured[]): void {
  const row = (name: string, values: readonly number[]) =>
    process.stdout.write(
      `${name.padEnd(34)} ${String(Math.round(median(values))).padStart(7)} ms   (${range(values)})\n`,
    );
  process.stdout.write(
    `${os.cpus().length} × ${os.cpus()[0]?.model}, kernel ${os.release()}, ${PAIRS} interleaved pairs, medians\n`,
  );
  row("bare container", bareMs);
  row(
    "captured, to evidence complete",
    runs.map((run) => run.completeMs),
  );
  const ratio = median(runs.map((run) => run.completeMs)) / median(bareMs);
  process.stdout.write(`${"ratio of the medians".padEnd(34)} ${ratio.toFixed(3).padStart(7)}\n`);
  row(
    "supervisor's own phases",
    runs.map((run) => run.ownMs),
  );
  row(
    "start of the program",
    runs.map((run) => run.startUpMs),
  );
  for (const name of new Set(runs.flatMap((run) => run.record.phases.map((phase) => phase.name)))) {
    row(
      `  ${name}`,
      runs.map((run) => run.record.phases.find((phase) => phase.name === name)?.duration_ms ?? 0),
    );
  }
  row(
    "after it: summary and report",
    runs.map((run) => run.reportMs),
  );
  row(
    "after it: rest of the clean-up",
    runs.map((run) => run.cleanUpMs),
  );
}

/**
 * On the disk, where captures are by default. A directory in a crowded part of an ext4 file system makes files up to 40 times
 * slower (0.8 ms each, measured in a long-used /tmp), so another place can be named.
 */
const scratchRoot = fs.mkdtempSync(path.join(process.argv[3] ?? "/var/tmp", "opencode-capture-bench-"));
const bareMs: number[] = [];
const runs: Captured[] = [];
try {
  for (let pair = 0; pair < PAIRS; pair++) {
    const steps = [
      async () => bareMs.push(await bare(pair, scratchRoot)),
      async () => runs.push(await captured(path.join(scratchRoot, "captures"))),
    ];
    for (const step of pair % 2 === 0 ? steps : steps.reverse()) await step();
    process.stderr.write(
      `pair ${pair + 1}/${PAIRS}: bare ${Math.round(bareMs.at(-1) ?? 0)} ms, captured ${runs.at(-1)?.completeMs} ms\n`,
    );
  }
  print(bareMs, runs);
} finally {
  await removeTree(scratchRoot);
}
