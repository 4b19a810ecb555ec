import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deriveCapture } from "../../src/cli/derive-capture.ts";
import { modelFor, planRun, prepareRuns } from "../../src/cli/prepare-runs.ts";
import { createProgress } from "../../src/cli/progress.ts";
import { resolveSettings } from "../../src/cli/settings.ts";
import type { ContainerEngine } from "../../src/engine/port.ts";
import { selectEngine } from "../../src/engine/select.ts";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { findIssue } from "../../src/issues/find-issue.ts";
import { loadIssues } from "../../src/issues/load-issues.ts";
import type { RunPlan } from "../../src/supervisor/plan.ts";
import { runCapture } from "../../src/supervisor/run.ts";
import { capturesIn, readCapture } from "../support/captures.ts";
import { captureDirOf, runCli } from "../support/cli.ts";
import { bash, type TempProject, tempProject } from "../support/temp-project.ts";
import { importTestImage } from "../support/test-image.ts";

const PODMAN = { OPENCODE_CAPTURE_ENGINE: "podman" };
const NEVER = new AbortController().signal;

/** One run in this process, with a plan that the command line does not offer. */
async function runWith(project: TempProject, change: (plan: RunPlan) => Partial<RunPlan>) {
  const settings = resolveSettings({ project: project.dir, engine: "podman" }, {}, project.dir);
  const base = await prepareRuns(settings, createProgress(process.stderr), NEVER);
  const issue = findIssue(loadIssues(settings.issues_path), "probe");
  const plan = planRun(base, issue, modelFor(settings, issue));
  const result = await runCapture({ ...plan, ...change(plan) }, { derive: deriveCapture }, NEVER);
  return readCapture(result.captureDir);
}

describe("an image that is unlike ours", () => {
  const ref = `localhost/opencode-capture-test-variant:${process.pid}`;
  const cache = path.join(os.tmpdir(), `engine-${process.pid}.json`);
  let engine: ContainerEngine;
  beforeAll(async () => {
    engine = await selectEngine({ engine: "podman", cacheFile: cache });
    await importTestImage(engine, ref, { opencode: true, bin: "other-name" });
  });
  afterAll(async () => {
    await engine.removeImage(ref);
    fs.rmSync(cache, { force: true });
  });

  it("runs OpenCode under another name, as our user, without the image's own entrypoint", async () => {
    using project = tempProject([bash("id -u > who.txt; cat /etc/hosts /etc/resolv.conf > names.txt; true")]);
    const options = ["--image-ref", ref, "--opencode-bin", "other-name", "--keep-workspace", ...project.options];
    const result = await runCli(["run", "--issue", "probe", ...options], PODMAN);
    expect(result.code, result.stderr).toBe(0);
    const dir = captureDirOf(result);
    const { run, container } = readCapture(dir);
    expect(run).toMatchObject({
      run_status: "completed",
      native_events_status: "present",
      export_saved: true,
      image_ref: ref,
    });
    expect(container.measured).toMatchObject({ uid: 10001, cap_eff: "0000000000000000" });
    expect(fs.readFileSync(path.join(dir, "workspace", "who.txt"), "utf8")).toBe("10001\n");
    const names = fs.readFileSync(path.join(dir, "workspace", "names.txt"), "utf8");
    expect(names).toBe("127.0.0.1 localhost sandbox\n::1 localhost\n# no network, no name server\n");
    expect(names).not.toContain(os.hostname());
  });

  it("says what is wrong when the image has no such program, and leaves nothing", async () => {
    using project = tempProject([]);
    const options = ["--image-ref", ref, "--opencode-bin", "no-such-program", ...project.options];
    const result = await runCli(["run", "--issue", "probe", ...options], PODMAN);
    expect(result.stderr).toContain("no-such-program");
    expect(result.code).toBe(3);
    expect(capturesIn(project.captureRoot)).toEqual([]);
  });
});

describe("runs without what the agent may lack", () => {
  it("is valid without the plugin; native events are missing, not empty", async () => {
    using project = tempProject([bash("echo hello")]);
    const { run, completeness } = await runWith(project, () => ({ pluginFile: undefined }));
    expect(run).toMatchObject({
      run_status: "completed",
      capture_valid: true,
      native_events_status: "missing",
      event_count: 0,
    });
    expect(completeness.classes.find((entry) => entry.class === "native-events")?.level).toBe("absent");
  });

  it("keeps and counts garbage that the agent writes into the pipe", async () => {
    using project = tempProject([
      bash('printf \'not json\\n{"native_event_type":"x"\' > /capture/opencode_events.fifo'),
    ]);
    const { run, nativeEvents } = await runWith(project, () => ({}));
    expect(run.native_events_status).toBe("present");
    expect(run.native_events.invalid).toBeGreaterThan(0);
    expect(nativeEvents).toContain("not json");
  });

  it("exports with OpenCode itself when the store can't be read safely", async () => {
    const hide = "cd ~/.local/share && mv opencode elsewhere && ln -s elsewhere opencode";
    using project = tempProject([bash(hide)]);
    const { dir, run, fsDiff, completeness } = await runWith(project, () => ({}));
    expect(fs.readFileSync(path.join(dir, LAYOUT.exportStderrLog), "utf8")).toContain("running opencode export");
    expect(run).toMatchObject({ export_saved: true, export_exit_code: 0, run_status: "completed" });
    expect(JSON.stringify(fsDiff.outside_workspace)).not.toContain("opencode-capture-export");
    expect(completeness.classes.find((entry) => entry.class === "session-export")?.level).not.toBe("absent");
  });

  it("ends a run that does nothing at the idle limit", async () => {
    using project = tempProject([bash("sleep 4715")]);
    const { run } = await runWith(project, () => ({ idleSeconds: 8 }));
    expect(run).toMatchObject({ run_status: "timeout", end_reason: "idle-limit", capture_valid: true });
    expect(run.duration_seconds).toBeLessThan(100);
    expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toContain("sleep 4715");
  });

  it("does not take a busy agent for an idle one", async () => {
    using project = tempProject([bash("end=$(( $(date +%s) + 12 )); while [ $(date +%s) -lt $end ]; do :; done")]);
    const { run } = await runWith(project, () => ({ idleSeconds: 6 }));
    expect(run.run_status).toBe("completed");
  });

  it("records sub-sessions, each with its export", async () => {
    using project = tempProject([]);
    const result = await runCli(
      ["run", "--issue", "summarize_release_notes", "--capture-root", project.captureRoot],
      PODMAN,
    );
    expect(result.code, result.stderr).toBe(0);
    const dir = captureDirOf(result);
    const { run } = readCapture(dir);
    expect(run.child_session_ids.length).toBeGreaterThan(0);
    for (const id of run.child_session_ids) {
      const child = JSON.parse(fs.readFileSync(path.join(dir, "session", "children", `${id}.json`), "utf8")) as {
        info: { id: string };
      };
      expect(child.info.id).toBe(id);
    }
  });
});
