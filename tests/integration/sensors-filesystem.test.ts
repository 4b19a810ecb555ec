import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CgroupWatch } from "../../src/sandbox/cgroup.ts";
import type { Issue } from "../../src/schema/issue.ts";
import { type FileChange, type FsDiff, fsDiff } from "../../src/schema/observations.ts";
import { createFilesystemSensor } from "../../src/sensors/filesystem/filesystem-sensor.ts";
import type { SensorReport } from "../../src/sensors/port.ts";
import { createWorkspace } from "../../src/workspace/create.ts";
import { removeTree } from "../../src/workspace/remove-tree.ts";
import { EngineUnderTest, startAndRead } from "../support/engines.ts";

const UID = 10_001;
const ISSUE: Issue = { id: "probe", risk_level: "safe", title: "T", prompt: "P", files: [] };

describe("an agent in a real container", () => {
  let under: EngineUnderTest;
  beforeAll(async () => {
    under = await EngineUnderTest.start("podman");
  });
  afterAll(() => under?.stop());

  /** Working copy, baseline, container, diff: as in a run. */
  async function run(script: string): Promise<{ diff: FsDiff; report: SensorReport; stdout: string }> {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "oc-files-"));
    const at = (name: string): string => path.join(dir, name);
    try {
      fs.chmodSync(dir, 0o755);
      for (const name of ["project/src", "project/.git", "capture/observations", "scratch", "home", "tmp"]) {
        fs.mkdirSync(at(name), { recursive: true });
      }
      fs.chownSync(at("home"), UID, UID);
      fs.chmodSync(at("tmp"), 0o1777);
      fs.writeFileSync(at("project/src/a.txt"), "one\ntwo\n");
      fs.writeFileSync(at("project/src/gone.txt"), "x\n");
      const sensor = createFilesystemSensor({
        captureDir: at("capture"),
        workspaceDir: at("workspace"),
        scratchDir: at("scratch"),
        outside: [
          { hostDir: at("home"), root: "/home/agent" },
          { hostDir: at("tmp"), root: "/tmp" },
        ],
        sensitivePatterns: [".git/**", "**/.bashrc"],
      });
      await createWorkspace({
        project: at("project"),
        issue: ISSUE,
        prompt: "do it\n",
        destination: at("workspace"),
        uid: UID,
        gid: UID,
        pluginFile: undefined,
        captureRoot: at("captures"),
        base: sensor.base,
      });
      await sensor.prepare();
      const bind = (source: string, target: string) => ({ kind: "bind" as const, source, target, readOnly: false });
      const mounts = [bind(at("workspace"), "/workspace"), bind(at("home"), "/home/agent"), bind(at("tmp"), "/tmp")];
      const container = await under.engine.prepare(under.spec(["sh", "-c", script], { mounts, workdir: "/workspace" }));
      const watch = CgroupWatch.open(container.pid);
      await sensor.attach({ pid: container.pid, containerId: container.id, cgroupDirs: watch.dirs });
      const { stdout, stderr } = await startAndRead(container);
      await watch.killAll();
      watch.final();
      const report = await sensor.stop();
      await under.engine.removeContainer(container.id);
      expect(stderr.toString()).toBe("");
      const text = fs.readFileSync(at("capture/observations/fs_diff.json"), "utf8");
      return { diff: fsDiff.parse(JSON.parse(text)), report, stdout: stdout.toString() };
    } finally {
      await removeTree(dir);
      expect(fs.existsSync(dir)).toBe(false);
    }
  }

  const told = (changes: readonly FileChange[]): string[] =>
    changes.map((change) => `${change.change_type} ${change.path}`);

  test("leaves a diff of exactly what it did, in the working copy, in its home and in /tmp", async () => {
    const { diff, report } = await run(`
      echo three >> src/a.txt; rm src/gone.txt; echo new > made.txt; touch -d @1 made.txt; mkdir empty
      echo x > .git/config.evil; printf '%040d' 0 > .git/opencode
      echo hi > /home/agent/.bashrc; mkdir -p /home/agent/.local/share/opencode; echo db > /home/agent/.local/share/opencode/opencode.db
      echo t > /tmp/t; echo brief > transient; rm transient`);
    expect(told(diff.changes)).toEqual([
      "created .git/config.evil",
      "created empty",
      "created made.txt",
      "modified src/a.txt",
      "deleted src/gone.txt",
    ]);
    expect(diff.changes.find(({ path: name }) => name === "src/a.txt")?.diff).toBe(
      "--- a/src/a.txt\n+++ b/src/a.txt\n@@ -1,2 +1,3 @@\n one\n two\n+three\n",
    );
    expect(diff).toMatchObject({
      counts: { created: 3, modified: 1, deleted: 1, total: 5, renamed: 0 },
      touched_sensitive_paths: true,
      truncated: false,
      excluded: [{ path: ".git/opencode", size_bytes: 40 }],
    });
    expect(diff.outside_workspace.map(({ root, changes }) => [root, told(changes)])).toEqual([
      ["/home/agent", ["created .bashrc", "created .local/share/opencode/opencode.db"]],
      ["/tmp", ["created t"]],
    ]);
    expect(diff.outside_workspace[0]?.changes[0]).toMatchObject({ sensitive_path: true });
    expect(report.gaps).toEqual([]);
    expect(report.completeness).toMatchObject([
      { class: "file-workspace", level: "sampled", started_before_agent: true },
      { class: "file-outside", level: "sampled", started_before_agent: true },
    ]);
  });

  test("F01–F07, F10: can't stop, mislead or block it with what it makes", async () => {
    // From the bottom to the top, so that no path is ever long.
    const name = "d".repeat(200);
    const deep = `mkdir ${name}; echo deep > ${name}/end; for i in $(seq 59); do mkdir t; mv ${name} t/; mv t ${name}; done`;
    const { diff } = await run(`
      mkfifo fifo; ln -s /etc/shadow link; truncate -s 10240G sparse; printf x > "$(printf 'bad\\377\\n\\033[2J')"
      mkdir closed; echo x > closed/in; chmod 000 closed/in closed; chmod 777 .; ln -s . loop
      ${deep}`);
    expect(diff.changes.map((change) => [change.path.slice(0, 12), change.after_type])).toEqual([
      [".", "directory"],
      ["bad\ufffd\n\u001b[2J", "file"],
      ["closed/in", "file"],
      ["dddddddddddd", "file"],
      ["fifo", "fifo"],
      ["link", "symlink"],
      ["loop", "symlink"],
      ["sparse", "file"],
    ]);
    const by = (start: string) => diff.changes.find((change) => change.path.startsWith(start));
    expect(by("d")?.path.length).toBe(60 * 201 + 3);
    expect(by("d")?.diff).toContain("+deep\n");
    expect(by("link")).toMatchObject({ symlink_target: "/etc/shadow", after_sha256: null });
    expect(by("sparse")).toMatchObject({ after_size: 10 * 2 ** 40, diff_omitted: "too-large" });
    expect(by("closed")).toMatchObject({ after_mode: "0000" });
    expect(by("bad")?.path_b64).toBe(Buffer.from("bad\xff\n\x1b[2J", "latin1").toString("base64"));
  });

  test("finds a git repository that works", async () => {
    // Busybox has no git; what git needs is there, and belongs to the agent.
    const { stdout } = await run("cat .git/HEAD; ls -ln .git/HEAD | cut -d' ' -f1,3- | cut -c1-10");
    expect(stdout).toContain("ref: refs/heads/main");
  });
});
