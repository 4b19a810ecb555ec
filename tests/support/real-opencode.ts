import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Fixture, LLMock } from "@copilotkit/aimock";
import { agentEnvironment, writeAgentConfig } from "../../src/sandbox/agent-config.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const PLUGIN_FILE = path.join(ROOT, ".opencode/plugins/mas_safe_security.ts");

/** The real OpenCode program of this machine: the image's npm packages, or the same version in the cache folder. */
export function opencodeBinary(): string {
  const name = `opencode-linux-${process.arch}`;
  const inImage = path.join(ROOT, "image/node_modules", name, "bin/opencode");
  if (fs.existsSync(inImage)) return inImage;
  const cache = path.join(ROOT, ".cache/opencode");
  const cached = path.join(cache, "node_modules", name, "bin/opencode");
  if (!fs.existsSync(cached)) {
    fs.mkdirSync(cache, { recursive: true });
    const args = ["install", "--prefix", cache, "--ignore-scripts", "--no-save", `${name}@${opencodeVersion(name)}`];
    const npm = spawnSync("npm", args, { encoding: "utf8" });
    if (npm.status !== 0) throw new Error(`npm ${args.join(" ")}\n${npm.stderr}`);
  }
  return cached;
}

function opencodeVersion(name: string): string {
  const manifest = JSON.parse(fs.readFileSync(path.join(ROOT, "image/package.json"), "utf8")) as Record<
    string,
    Record<string, string> | undefined
  >;
  return manifest["optionalDependencies"]?.[name] ?? "1.18.33";
}

export interface Agent {
  dir: string;
  home: string;
  workspace: string;
  config: string;
  env: Record<string, string>;
  model: LLMock;
}

/** A place for one run of OpenCode on this machine: home, workspace, configuration with our plugin, scripted model. */
export async function prepareAgent(options: {
  fixtures: Fixture[];
  pipe: string;
  plugin?: boolean;
  chunkSize?: number;
  permission?: Record<string, unknown>;
}): Promise<Agent> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "agent-"));
  const [home, workspace, config] = ["home", "workspace", "config"].map((name) => path.join(dir, name)) as [
    string,
    string,
    string,
  ];
  for (const one of [home, workspace]) fs.mkdirSync(one);
  const model = new LLMock({
    port: 0,
    host: "127.0.0.1",
    ...(options.chunkSize ? { chunkSize: options.chunkSize } : {}),
  });
  model.addFixtures(options.fixtures);
  await model.start();
  writeAgentConfig(config, modelConfig(model.url), options.plugin === false ? undefined : PLUGIN_FILE);
  disarmInstall(path.join(config, "opencode"));
  const env = {
    ...agentEnvironment({ runId: "capture-test", issueId: "fix_math_utils", eventsPipe: options.pipe }),
    ...{ HOME: home, XDG_CONFIG_HOME: config, TMPDIR: dir, PATH: process.env["PATH"] ?? "" },
    ...(options.permission ? { OPENCODE_PERMISSION: JSON.stringify(options.permission) } : {}),
  };
  return { dir, home, workspace, config, env, model };
}

function modelConfig(url: string) {
  return {
    model: "scripted/model",
    provider: {
      scripted: {
        npm: "@ai-sdk/openai-compatible",
        name: "scripted",
        options: { baseURL: `${url}/v1`, apiKey: "none" },
        models: { model: { name: "model", limit: { context: 200_000, output: 8000 } } },
      },
    },
  };
}

/** In the container the directory is read-only. Here we may be root, so OpenCode is told that its packages are there. */
function disarmInstall(dir: string): void {
  const dependencies = { "@opencode-ai/plugin": "*" };
  fs.mkdirSync(path.join(dir, "node_modules"));
  fs.writeFileSync(path.join(dir, "package.json"), JSON.stringify({ dependencies }));
  fs.writeFileSync(
    path.join(dir, "package-lock.json"),
    JSON.stringify({ lockfileVersion: 3, packages: { "": { dependencies } } }),
  );
}

export interface AgentResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  tookMs: number;
}

/** Runs `opencode <args>` to its end; the prompt goes to standard input. */
export async function runOpencode(
  agent: Agent,
  args: string[],
  prompt = "",
  more: { onStart?: (pid: number) => void } = {},
): Promise<AgentResult> {
  const stdout = path.join(agent.dir, "stdout");
  const stderr = path.join(agent.dir, "stderr");
  const started = performance.now();
  // Files, not pipes: OpenCode cuts what it prints into a pipe.
  const stdio = [fs.openSync(stdout, "w"), fs.openSync(stderr, "w")] as const;
  const child = spawn(opencodeBinary(), args, {
    cwd: agent.workspace,
    env: agent.env,
    stdio: ["pipe", ...stdio],
    detached: true,
  });
  child.stdin?.end(prompt);
  if (child.pid !== undefined) more.onStart?.(child.pid);
  const timer = setTimeout(() => child.pid && process.kill(-child.pid, "SIGKILL"), 120_000);
  const [exitCode] = (await once(child, "exit")) as [number | null];
  clearTimeout(timer);
  for (const fd of stdio) fs.closeSync(fd);
  return {
    exitCode,
    stdout: fs.readFileSync(stdout, "utf8"),
    stderr: fs.readFileSync(stderr, "utf8"),
    tookMs: performance.now() - started,
  };
}

export async function removeAgent(agent: Agent): Promise<void> {
  await agent.model.stop();
  fs.rmSync(agent.dir, { recursive: true, force: true });
}
