import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import type { Server, Socket } from "node:net";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deriveCapture } from "../../src/cli/derive-capture.ts";
import { modelFor, planRun, prepareRuns } from "../../src/cli/prepare-runs.ts";
import { createProgress } from "../../src/cli/progress.ts";
import { resolveSettings } from "../../src/cli/settings.ts";
import { selectEngine } from "../../src/engine/select.ts";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { findIssue } from "../../src/issues/find-issue.ts";
import { loadIssues } from "../../src/issues/load-issues.ts";
import { LABEL } from "../../src/sandbox/container-spec.ts";
import type { RunRecord } from "../../src/schema/run.ts";
import { runCapture } from "../../src/supervisor/run.ts";
import { capturesIn, readCapture } from "../support/captures.ts";
import { captureDirOf, type RunningCli, runCli, startCli } from "../support/cli.ts";
import { type DockerDaemon, startDockerDaemon } from "../support/docker-daemon.ts";
import { bash, type TempProject, tempProject } from "../support/temp-project.ts";
import { importTestImage } from "../support/test-image.ts";

const PODMAN = { OPENCODE_CAPTURE_ENGINE: "podman" };
const AGENT_WAIT = { timeout: 120_000 };

/** The one capture that is there, while its run goes on. */
function openCapture(captureRoot: string): string {
  const [name] = capturesIn(captureRoot).filter((entry) => entry.endsWith("-probe"));
  return path.join(captureRoot, name ?? "none");
}

/** Waits until the agent has talked to the model: it is in the middle of its work then. */
async function agentWorks(running: RunningCli, captureRoot: string): Promise<RunRecord> {
  await running.seen("capture  ");
  const dir = openCapture(captureRoot);
  const exchanges = path.join(dir, LAYOUT.exchanges);
  const size = () => (fs.existsSync(exchanges) ? fs.statSync(exchanges).size : 0);
  const early = running.ended.then(({ stderr }) => Promise.reject(new Error(`the run ended too early:\n${stderr}`)));
  early.catch(() => {});
  await Promise.race([expect.poll(size, AGENT_WAIT).toBeGreaterThan(0), early]);
  return JSON.parse(fs.readFileSync(path.join(dir, LAYOUT.run), "utf8")) as RunRecord;
}

function idOf(bin: string, record: RunRecord): string {
  const args = ["ps", "--all", "--quiet", "--no-trunc", "--filter", `label=${LABEL.run}=${record.run_id}`];
  return execFileSync(bin, args, { encoding: "utf8" }).trim();
}

function command(project: TempProject, ...options: string[]): string[] {
  return ["run", "--issue", "probe", ...project.options, ...options];
}

/** A command like podman that turns to `script` once the file `flag` exists; `"$@"` is what it was called with. */
function podmanThat(project: TempProject, script: string): { bin: string; flag: string } {
  const bin = path.join(project.dir, "podman-with-faults");
  const flag = path.join(project.dir, "fault");
  const lines = ["#!/bin/sh", `if [ -e '${flag}' ]; then`, script, "fi", 'exec podman "$@"', ""];
  fs.writeFileSync(bin, lines.join("\n"), { mode: 0o755 });
  return { bin, flag };
}

describe("a container that something else ends", () => {
  it("by a kill of its first process is a failed agent, and the capture says by what", async () => {
    using project = tempProject([bash("echo begun > begun.txt; sleep 4741")]);
    const running = startCli(command(project), PODMAN);
    const id = idOf("podman", await agentWorks(running, project.captureRoot));
    execFileSync("podman", ["kill", "--signal", "KILL", id]);
    const result = await running.ended;
    expect(result.code, result.stderr).toBe(0);
    const { run } = readCapture(captureDirOf(result));
    expect(run).toMatchObject({ run_status: "failed", end_reason: "exit", exit_code: 137, capture_valid: true });
    expect(run.end_detail).toContain("killed (SIGKILL), not by this program");
    expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toContain("sleep 4741");
  });

  it("by removing it is a lost engine, with everything that was seen until then", async () => {
    using project = tempProject([bash("echo begun > begun.txt; sleep 4742")]);
    const running = startCli(command(project), PODMAN);
    const id = idOf("podman", await agentWorks(running, project.captureRoot));
    await expect
      .poll(() => fs.existsSync(path.join(openCapture(project.captureRoot), "workspace/begun.txt")), AGENT_WAIT)
      .toBe(true);
    execFileSync("podman", ["rm", "--force", "--time", "0", id]);
    const result = await running.ended;
    expect(result.code, result.stderr).toBe(0);
    const { run, fsDiff, completeness } = readCapture(captureDirOf(result));
    expect(run).toMatchObject({ capture_valid: true });
    expect(["failed", "infra_error"]).toContain(run.run_status);
    expect(fsDiff.changes.map((change) => change.path)).toContain("begun.txt");
    expect(completeness.gaps.map((gap) => gap.class)).toContain("engine record");
    expect(fs.readdirSync(path.join(project.captureRoot, ".runs"))).toEqual([]);
  });
});

describe("an engine that breaks", () => {
  it("between the check of the image and its use says so and leaves nothing", async () => {
    using project = tempProject([]);
    const ref = `localhost/opencode-capture-test-vanishing:${process.pid}`;
    const remove = `if [ "$1" = create ]; then podman rmi --force '${ref}' >/dev/null; fi`;
    const { bin, flag } = podmanThat(project, remove);
    await importTestImage(await selectEngine({ engine: "podman" }), ref, { opencode: true });
    fs.writeFileSync(flag, "");
    const result = await runCli(command(project, "--image-ref", ref, "--docker-bin", bin));
    expect(result.code, result.stderr).toBe(3);
    expect(result.stderr).toContain(`podman has no image ${ref}`);
    expect(result.stderr).toContain(`pull ${ref}`);
    expect(capturesIn(project.captureRoot).filter((name) => name !== ".runs")).toEqual([]);
  });

  it("in the middle of a run: the capture is valid, and the next start removes the container", async () => {
    using project = tempProject([bash("echo begun > begun.txt; sleep 5")]);
    const { bin, flag } = podmanThat(project, 'echo "podman: everything is broken" >&2; exit 125');
    const running = startCli(command(project, "--docker-bin", bin));
    const record = await agentWorks(running, project.captureRoot);
    fs.writeFileSync(flag, "");
    const result = await running.ended;
    expect(result.code, result.stderr).toBe(0);
    const capture = readCapture(captureDirOf(result));
    expect(capture.run).toMatchObject({ capture_valid: true, run_status: "completed" });
    const gap = capture.completeness.gaps.find((entry) => entry.class === "engine record");
    expect(gap?.reason).toContain("everything is broken");
    expect(idOf("podman", record)).not.toBe("");
    fs.rmSync(flag);
    const next = await runCli(command(project, "--docker-bin", bin, "--timeout-seconds", "1"));
    expect(next.code, next.stderr).toBe(0);
    expect(idOf("podman", record)).toBe("");
    expect(fs.readdirSync(path.join(project.captureRoot, ".runs"))).toEqual([]);
  });
});

describe("S06 a Docker daemon", () => {
  let daemon: DockerDaemon;
  beforeAll(async () => {
    daemon = await startDockerDaemon();
  });
  afterAll(() => daemon?.stop());

  it("that dies in the middle of a run: `engine-lost`, nothing of the agent lives on, and the container goes later", async () => {
    using project = tempProject([bash("echo begun > begun.txt; sleep 4743")]);
    const env = { OPENCODE_CAPTURE_ENGINE: "docker", DOCKER_HOST: daemon.host };
    const running = startCli(command(project), env);
    const record = await agentWorks(running, project.captureRoot);
    await expect
      .poll(() => fs.existsSync(path.join(openCapture(project.captureRoot), "workspace/begun.txt")), AGENT_WAIT)
      .toBe(true);
    await daemon.crash();
    const result = await running.ended;
    expect(result.code, result.stderr).toBe(0);
    const { run, fsDiff } = readCapture(captureDirOf(result));
    expect(run).toMatchObject({ run_status: "infra_error", end_reason: "engine-lost", capture_valid: true });
    expect(fsDiff.changes.map((change) => change.path)).toContain("begun.txt");
    expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toContain("sleep 4743");
    await daemon.restart();
    expect(idOf(daemon.dockerBin, record)).not.toBe("");
    const next = await runCli(command(project, "--timeout-seconds", "1"), env);
    expect(next.code, next.stderr).toBe(0);
    expect(idOf(daemon.dockerBin, record)).toBe("");
  });
});

const LOOK_AROUND = `
for address in 127.0.0.1/4100 10.0.0.1/80 203.0.113.1/80 127.0.0.1/53; do
  (exec 3<>/dev/tcp/$address) 2>&1 | tail -1 | sed "s|^.*: |$address |" >> seen.txt
done`;

const SEEN = `127.0.0.1/4100 Connection refused
10.0.0.1/80 Network is unreachable
203.0.113.1/80 Network is unreachable
127.0.0.1/53 Connection refused
`;

it.each([
  ["fails closed: refused, and nothing else to be reached", false],
  ["ends the run, once the supervisor has noticed", true],
])("a gateway whose listener dies %s", async (_, noticed) => {
  using project = tempProject([bash(`touch before.txt; sleep 8; ${LOOK_AROUND}; touch after.txt`)]);
  const settings = resolveSettings({ project: project.dir, engine: "podman" }, {}, project.dir);
  const interrupt = new AbortController();
  const base = await prepareRuns(settings, createProgress(process.stderr), interrupt.signal);
  const issue = findIssue(loadIssues(settings.issues_path), "probe");
  const plan = planRun(base, issue, modelFor(settings, issue));
  let listener: Server | undefined;
  const sockets: Socket[] = [];
  let workspace = "";
  const createGateway: typeof plan.createGateway = async (captureDir) => {
    const gateway = await plan.createGateway(captureDir);
    const serve = gateway.serve.bind(gateway);
    gateway.serve = (server) => {
      listener = server;
      // What the supervisor looks at, frozen: so it does not end the run before the agent has looked around.
      if (!noticed) Object.defineProperty(server, "listening", { value: true });
      server.on("connection", (socket: Socket) => sockets.push(socket));
      serve(server);
    };
    return gateway;
  };
  const die = (): void => {
    listener?.close();
    for (const socket of sockets) socket.destroy();
  };
  const killer = setInterval(() => {
    if (workspace !== "" && fs.existsSync(path.join(workspace, "before.txt"))) die();
    if (!noticed && workspace !== "" && fs.existsSync(path.join(workspace, "after.txt"))) interrupt.abort();
  }, 100);
  try {
    const result = await runCapture(
      { ...plan, createGateway, keepWorkspace: true },
      {
        derive: deriveCapture,
        onCaptureDirectory: (dir) => {
          workspace = path.join(dir, "workspace");
        },
      },
      interrupt.signal,
    );
    const { run, exchanges, completeness } = readCapture(result.captureDir);
    expect(run.capture_valid).toBe(true);
    expect(exchanges.length).toBeGreaterThan(0);
    if (noticed) {
      expect(run).toMatchObject({ run_status: "infra_error", end_reason: "model-unreachable" });
      expect(completeness.gaps).toContainEqual(expect.objectContaining({ class: "model" }));
      expect(fs.existsSync(path.join(workspace, "after.txt"))).toBe(false);
    } else {
      expect(run.run_status).toBe("interrupted");
      expect(fs.readFileSync(path.join(workspace, "seen.txt"), "utf8")).toBe(SEEN);
    }
  } finally {
    clearInterval(killer);
  }
});
