import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";

let project: string;
beforeEach(() => {
  project = fs.mkdtempSync(path.join(os.tmpdir(), "tasks-check-"));
  fs.mkdirSync(path.join(project, "tasks/models"), { recursive: true });
});
afterEach(() => fs.rmSync(project, { recursive: true }));

function write(name: string, content: unknown): void {
  fs.writeFileSync(path.join(project, "tasks", name), typeof content === "string" ? content : JSON.stringify(content));
}

describe("opencode-capture tasks check", () => {
  it("passes whole tasks, by project or by the list's own path", async () => {
    write("issues.json", [{ id: "one", title: "One", prompt: "Do it." }]);
    write("models/one.careful.json", { fixtures: [{ match: { turnIndex: 0 }, response: { content: "Done." } }] });
    for (const args of [
      ["--project", project],
      ["--project", project, "--issues-path", path.join(project, "tasks/issues.json")],
    ]) {
      const result = await runCli(["tasks", "check", ...args]);
      expect(result).toMatchObject({ code: 0, stderr: "" });
      expect(result.stdout).toBe("one  safe    careful\n\n1 issues, 0 errors, 0 warnings\n");
    }
  });

  it("says what is wrong, for people and as JSON, and ends with code 2", async () => {
    const evil = "\u001b]0;owned\u0007";
    write("issues.json", [{ id: "one", title: "One", prompt: "Do it.", files: [`gone${evil}.py`] }]);
    const people = await runCli(["tasks", "check", "--project", project]);
    expect(people.code).toBe(2);
    expect(people.stdout).toContain("tasks/issues.json\n  error    one: the file gone␛]0;owned␇.py does not exist");
    expect(people.stdout).toContain("there is no script for the persona careful");
    expect(people.stdout).toContain("1 issues, 2 errors, 0 warnings");
    expect(people.stdout).not.toContain("\u001b");

    const json = await runCli(["tasks", "check", "--project", project, "--json"]);
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      issues: [{ id: "one", personas: [] }],
      problems: [
        { level: "error", issue: "one", file: "tasks/issues.json" },
        { level: "error", file: "tasks/models/one.careful.json" },
      ],
    });
  });

  it("tells where a list is broken that it can't read", async () => {
    write("issues.json", '[\n  {"id": "one",}\n]');
    const result = await runCli(["tasks", "check", "--project", project]);
    expect(result.code).toBe(2);
    expect(result.stdout).toBe("");
    expect(result.stderr).toMatch(/line 2, column 16: expected key, found/);
    expect(result.stderr).toContain("tasks/README.md");
  });
});
