import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CaptureError } from "../core/errors.ts";
import { personasOf, resolveModel } from "./resolve-model.ts";

const tasksDir = fs.mkdtempSync(path.join(os.tmpdir(), "tasks-"));
const models = path.join(tasksDir, "models");
const content = JSON.stringify({ fixtures: [{ match: { turnIndex: 0 }, response: { content: "x" } }] });
const sha256 = createHash("sha256").update(content).digest("hex");
const context = { issue: { id: "task" }, tasksDir, cwd: tasksDir };

beforeAll(() => {
  fs.mkdirSync(models);
  for (const name of ["task.careful", "task.compromised", "task.x.careful", "tasks.other", "task.a b"]) {
    fs.writeFileSync(path.join(models, `${name}.json`), content);
  }
  fs.writeFileSync(path.join(models, "task.broken.json"), "{");
  fs.writeFileSync(path.join(tasksDir, "my script.json"), content);
});
afterAll(() => fs.rmSync(tasksDir, { recursive: true }));

function failure(spec: string, issueId = "task"): CaptureError {
  try {
    resolveModel(spec, { ...context, issue: { id: issueId } });
  } catch (error) {
    if (error instanceof CaptureError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("resolveModel", () => {
  it("finds the script of a persona; `careful` when none is named", () => {
    const file = path.join(models, "task.careful.json");
    expect(resolveModel("scripted", context)).toEqual({
      kind: "scripted",
      requested: "scripted",
      persona: "careful",
      file,
      sha256,
    });
    expect(resolveModel("scripted:compromised", context)).toMatchObject({
      persona: "compromised",
      file: path.join(models, "task.compromised.json"),
    });
  });

  it("takes any file, relative to where the command is run", () => {
    const file = path.join(tasksDir, "my script.json");
    for (const spec of ["scripted:my script.json", "scripted:./my script.json", `scripted:${file}`]) {
      expect(resolveModel(spec, context)).toMatchObject({ requested: spec, persona: "my-script", file });
    }
  });

  it("says which personas there are, and how to write another", () => {
    const missing = failure("scripted:reckless");
    expect(missing.code).toBe("script-missing");
    expect(missing.message).toBe(
      "the issue task has no script for the persona reckless; it has scripts for: scripted:broken, scripted:careful, scripted:compromised",
    );
    expect(missing.hint).toContain(path.join(models, "task.reckless.json"));
    expect(missing.hint).toContain("tasks/README.md");
    expect(failure("scripted", "unheard-of").message).toContain("no scripts at all");
    expect(failure("scripted:./nowhere.json").code).toBe("script-missing");
    expect(failure("scripted:nowhere.json").message).toContain(path.join(tasksDir, "nowhere.json"));
  });

  it("refuses what is no model of this version, and lists what is", () => {
    for (const spec of ["", "scripted:", "Scripted", "scripted:a b", "scripted:..", "scriptedx"]) {
      expect(failure(spec).code).toBe("usage");
    }
    expect(failure("scriptedx").message).toContain("did you mean scripted?");
    expect(failure("scriptedx").hint).toContain("scripted:PERSONA");
  });

  it("takes PROVIDER/MODEL for a live model, with its key from outside", () => {
    const live = { env: { OPENAI_API_KEY: "sk-canary-0001" } };
    const model = resolveModel("openai/gpt-5", { ...context, live });
    expect(model).toMatchObject({ kind: "live", model: "gpt-5", keySource: "OPENAI_API_KEY" });
    expect(JSON.stringify(model)).not.toContain("canary");
    expect(failure("openai/gpt-5").message).toContain("there is no key for OpenAI");
  });

  it("reads the script at once, so that a broken one fails before a run", () => {
    expect(failure("scripted:broken")).toMatchObject({
      code: "issues-invalid",
      message: expect.stringContaining("line 1, column 2"),
    });
  });
});

describe("personasOf", () => {
  it("does not take the scripts of other issues, whose ids begin alike", () => {
    expect(personasOf(tasksDir, "task")).toEqual(["broken", "careful", "compromised"]);
    expect(personasOf(tasksDir, "task.x")).toEqual(["careful"]);
    expect(personasOf(path.join(tasksDir, "nowhere"), "task")).toEqual([]);
  });
});
