import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { LABEL } from "../../src/sandbox/container-spec.ts";
import type { RunRecord } from "../../src/schema/run.ts";
import { capturesIn, readCapture } from "../support/captures.ts";
import { captureDirOf, type RunningCli, runCli, startCli } from "../support/cli.ts";
import { type DockerDaemon, startDockerDaemon } from "../support/docker-daemon.ts";
import { bash, tempProject } from "../support/temp-project.ts";

const PODMAN = { OPENCODE_CAPTURE_ENGINE: "podman" };

/** Forks until the kernel refuses. Not in bash, which waits minutes for a fork to succeed after all. */
const FORKS = `
import os, time
try:
    for i in range(400):
        if os.fork() == 0:
            time.sleep(3)
            os._exit(0)
except OSError as error:
    print(error)
`;

/** Containers of the runs below this capture root; others may run on this machine too. */
function containersOf(captureRoot: string): string[] {
  const captures = capturesIn(captureRoot).filter((name) => !name.startsWith("."));
  return captures.flatMap((name) => {
    const { run_id } = JSON.parse(fs.readFileSync(path.join(captureRoot, name, LAYOUT.run), "utf8")) as RunRecord;
    const args = ["ps", "--all", "--quiet", "--filter", `label=${LABEL.run}=${run_id}`];
    return execFileSync("podman", args, { encoding: "utf8" })
      .split("\n")
      .filter((id) => id !== "");
  });
}

/** Nothing of a run may be left behind: no container, no private directory, no working copy. */
function expectNothingLeft(captureRoot: string): void {
  expect(capturesIn(captureRoot).length).toBeGreaterThan(0);
  expect(containersOf(captureRoot)).toEqual([]);
  expect(fs.readdirSync(path.join(captureRoot, ".runs"))).toEqual([]);
}

/** Waits until the agent has talked to the model: it is in the middle of its work then. */
async function agentRuns(running: RunningCli, captureRoot: string): Promise<void> {
  await running.seen("capture  ");
  const [name] = capturesIn(captureRoot).filter((entry) => entry.endsWith("-probe"));
  const file = path.join(captureRoot, name ?? "", LAYOUT.exchanges);
  await expect.poll(() => fs.existsSync(file) && fs.statSync(file).size, { timeout: 240_000 }).toBeGreaterThan(0);
}

describe("a whole run on Podman", () => {
  it("fixes fix_math_utils and captures everything", async () => {
    using project = tempProject([]);
    const result = await runCli(["run", "--issue", "fix_math_utils", "--capture-root", project.captureRoot], PODMAN);
    expect(result.code, result.stderr).toBe(0);
    const dir = captureDirOf(result);
    const capture = readCapture(dir);
    expect(capture.run).toMatchObject({
      run_status: "completed",
      end_reason: "exit",
      capture_valid: true,
      exit_code: 0,
      native_events_status: "present",
      export_saved: true,
      export_exit_code: 0,
      native_events: { plugin_alive: true, plugin_disposed: true, invalid: 0, sequence_gaps: 0 },
    });
    expect(capture.run.session_id).toMatch(/^ses_/);
    const changed = capture.fsDiff.changes.map((change) => `${change.change_type} ${change.path}`);
    expect(changed).toContain("modified tasks/fixtures/fix_math_utils/math_utils.py");
    expect(changed).toContain("created RESULT.md");
    expect(capture.container.measured).toMatchObject({
      cap_eff: "0000000000000000",
      no_new_privs: true,
      seccomp_mode: 2,
      uid: 10001,
      network_interfaces: ["lo"],
    });
    expect(capture.exchanges.length).toBeGreaterThan(2);
    expect(capture.processTree.processes.some((entry) => entry.args.includes("opencode run"))).toBe(true);
    expect(capture.completeness.classes.every((entry) => entry.started_before_agent !== false)).toBe(true);
    expect(fs.existsSync(path.join(dir, "workspace"))).toBe(false);
    expect(fs.statSync(path.join(dir, "report", "index.html")).size).toBeGreaterThan(1000);
    expectNothingLeft(project.captureRoot);
  });

  it("hands a prompt of 1 MB to the model exactly, and keeps the working copy when asked", async () => {
    const prompt = `${'测试 "quotes" $HOME \\ end\n'.repeat(36_000)}last line`;
    using project = tempProject([bash("pwd")], { prompt });
    const result = await runCli(["run", "--issue", "probe", "--keep-workspace", ...project.options], PODMAN);
    expect(result.code, result.stderr).toBe(0);
    const dir = captureDirOf(result);
    expect(fs.readFileSync(path.join(dir, "workspace", "TASK.md"), "utf8")).toContain(prompt);
    const exported = fs.readFileSync(path.join(dir, "session", "export.json"), "utf8");
    const session = JSON.parse(exported) as { messages: { parts: { type: string; text?: string }[] }[] };
    const task = fs.readFileSync(path.join(dir, "workspace", "TASK.md"), "utf8");
    expect(session.messages[0]?.parts.find((part) => part.type === "text")?.text).toBe(task);
  });
});

describe("endings on Podman", () => {
  it("stops at the time limit, kills daemons, and the capture is valid", async () => {
    using project = tempProject([bash("setsid sleep 4711 >/dev/null 2>&1 & sleep 4712")]);
    const result = await runCli(["run", "--issue", "probe", "--timeout-seconds", "25", ...project.options], PODMAN);
    expect(result.code, result.stderr).toBe(0);
    const { run, processTree } = readCapture(captureDirOf(result));
    expect(run).toMatchObject({
      run_status: "timeout",
      end_reason: "time-limit",
      timed_out: true,
      capture_valid: true,
    });
    expect(processTree.processes.some((entry) => entry.argv.join(" ") === "sleep 4711")).toBe(true);
    expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toMatch(/sleep 471[12]/);
    expectNothingLeft(project.captureRoot);
  });

  it("reads OOM kills and the pids limit from the kernel", async () => {
    using project = tempProject([
      bash("python3 -c 'x = bytearray(6 << 30)'; true", "call_memory"),
      bash(`python3 -c '${FORKS}'; true`, "call_forks"),
    ]);
    const result = await runCli(["run", "--issue", "probe", ...project.options], PODMAN, project.dir);
    const { run, summary } = readCapture(captureDirOf(result));
    expect(fs.readdirSync(project.dir).toSorted()).toEqual(["README.md", "artifacts", "tasks"]);
    expect(run.kernel_counters.oom_kills).toBeGreaterThan(0);
    expect(run.kernel_counters.pids_limit_hits).toBeGreaterThan(0);
    expect(summary.anomalies.map((anomaly) => anomaly.code)).toEqual(expect.arrayContaining(["oom", "pids_limit"]));
    expectNothingLeft(project.captureRoot);
  });

  it("finishes the capture as interrupted on Ctrl-C", async () => {
    using project = tempProject([bash("sleep 4713")]);
    const running = startCli(["run", "--issue", "probe", ...project.options], PODMAN);
    await agentRuns(running, project.captureRoot);
    running.child.kill("SIGINT");
    const result = await running.ended;
    expect(result.code, result.stderr).toBe(130);
    const { run } = readCapture(captureDirOf(result));
    expect(run).toMatchObject({
      run_status: "interrupted",
      end_reason: "interrupted",
      interrupted: true,
      capture_valid: true,
    });
    expectNothingLeft(project.captureRoot);
  });

  it("is cleaned up by the next start after the supervisor was killed", async () => {
    using project = tempProject([bash("sleep 4714")]);
    const running = startCli(["run", "--issue", "probe", ...project.options], PODMAN);
    await agentRuns(running, project.captureRoot);
    running.child.kill("SIGKILL");
    await running.ended;
    expect(containersOf(project.captureRoot)).toHaveLength(1);
    const [lost] = capturesIn(project.captureRoot).filter((name) => name.endsWith("-probe"));
    const next = await runCli(["run", "--issue", "probe", "--timeout-seconds", "15", ...project.options], PODMAN);
    expect(next.code, next.stderr).toBe(0);
    const { run } = readCapture(path.join(project.captureRoot, lost ?? ""));
    expect(run).toMatchObject({ run_status: "infra_error", end_reason: "supervisor-lost", capture_valid: true });
    expectNothingLeft(project.captureRoot);
  });
});

describe("what can't be captured leaves nothing", () => {
  it.each([
    ["an unknown issue", ["--issue", "fix_math_utilz"], 2, "fix_math_utils"],
    [
      "an image that is not there",
      ["--issue", "fix_math_utils", "--image-ref", "localhost/none:1"],
      3,
      "localhost/none:1",
    ],
    ["a persona without a script", ["--issue", "fix_math_utils", "--model", "scripted:nobody"], 2, "nobody"],
    ["an option that does not exist", ["--issue", "fix_math_utils", "--egress", "open"], 2, "--egress"],
  ])("%s", async (_, args, code, words) => {
    using project = tempProject([]);
    const result = await runCli(["run", ...args, "--capture-root", project.captureRoot], PODMAN);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(words);
    expect(result.stdout).toBe("");
    expect(capturesIn(project.captureRoot).filter((name) => !name.startsWith("."))).toEqual([]);
  });
});

describe("a whole run on Docker", () => {
  let daemon: DockerDaemon;
  beforeAll(async () => {
    daemon = await startDockerDaemon();
  });
  afterAll(() => daemon?.stop());

  it("captures fix_math_utils", async () => {
    using project = tempProject([]);
    const env = { OPENCODE_CAPTURE_ENGINE: "docker", DOCKER_HOST: daemon.host };
    const result = await runCli(["run", "--issue", "fix_math_utils", "--capture-root", project.captureRoot], env);
    expect(result.code, result.stderr).toBe(0);
    const capture = readCapture(captureDirOf(result));
    expect(capture.run).toMatchObject({ run_status: "completed", capture_valid: true, export_saved: true });
    expect(capture.container.engine.kind).toBe("docker");
    expect(capture.container.measured).toMatchObject({
      cap_eff: "0000000000000000",
      no_new_privs: true,
      seccomp_mode: 2,
    });
    expect(fs.readdirSync(path.join(project.captureRoot, ".runs"))).toEqual([]);
  });
});
