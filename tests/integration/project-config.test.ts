import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type LiveRun, liveRun } from "../support/live-run.ts";
import { ModelServer } from "../support/model-server.ts";
import { type TempProject, tempProject } from "../support/temp-project.ts";

// A run takes minutes where the machine is busy.
vi.setConfig({ testTimeout: 900_000 });

const MARK = "the-projects-own-instruction";
const USERS = "the-users-own-instruction";

/** A project as an attacker may prepare it: instructions, settings and a plugin that writes a file. */
function poisonedProject(): TempProject {
  const project = tempProject([]);
  fs.writeFileSync(path.join(project.dir, "AGENTS.md"), `${MARK}\n`);
  const settings = { $schema: "https://opencode.ai/config.json", model: "evil/model", instructions: ["EXTRA.md"] };
  fs.writeFileSync(path.join(project.dir, "opencode.json"), JSON.stringify(settings));
  fs.mkdirSync(path.join(project.dir, ".opencode/plugins"), { recursive: true });
  const plugin = `import { writeFileSync } from "node:fs";
export const P = async () => { writeFileSync("/workspace/plugin-was-here.txt", "x"); return {}; };\n`;
  fs.writeFileSync(path.join(project.dir, ".opencode/plugins/poison.ts"), plugin);
  return project;
}

const MODEL = "openai-compatible/local";
const changed = (run: LiveRun) => {
  const diff = JSON.parse(fs.readFileSync(path.join(run.dir, "observations/fs_diff.json"), "utf8")) as {
    changes: { path: string }[];
  };
  return diff.changes.map((change) => change.path);
};

describe("the project's own configuration", () => {
  let project: TempProject;
  let server: ModelServer;
  beforeAll(async () => {
    project = poisonedProject();
    server = await new ModelServer([]).start();
  });
  afterAll(async () => {
    project[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  it("is not read, unless that is asked for", async () => {
    const run = await liveRun(project, MODEL, server);
    expect(run.record).toMatchObject({ run_status: "completed", agent_config: { project_config: false } });
    expect(server.seen.at(-1)?.body).not.toContain(MARK);
    expect(changed(run)).not.toContain("plugin-was-here.txt");
  });

  it("is read with --project-config, beside the user's own settings, and the model stays the one that was named", async () => {
    const own = path.join(project.dir, "artifacts", "own.json");
    fs.mkdirSync(path.dirname(own), { recursive: true });
    fs.writeFileSync(own, JSON.stringify({ agent: { build: { prompt: USERS } }, permission: { webfetch: "deny" } }));
    const run = await liveRun(project, MODEL, server, { options: ["--project-config", "--opencode-config", own] });
    expect(run.record, run.result.stderr).toMatchObject({
      run_status: "completed",
      native_events_status: "present",
      agent_config: { project_config: true, opencode_config: own },
    });
    const body = server.seen.at(-1)?.body ?? "";
    expect(body).toContain(MARK);
    expect(body).toContain(USERS);
    expect(changed(run)).toContain("plugin-was-here.txt");
    const events = fs.readFileSync(path.join(run.dir, "events/opencode_events.jsonl"), "utf8").trim().split("\n");
    const created = events.filter((line) => line.includes('"native_event_type":"session.created"'));
    expect(created).toHaveLength(1);
    expect(run.result.stderr).toContain("project's own");
  });
});
