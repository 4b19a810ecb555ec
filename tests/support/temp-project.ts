import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** One step of a scripted agent: what it says, and the tool calls it makes. */
export interface Turn {
  content?: string;
  toolCalls?: { id?: string; name: string; arguments: Record<string, unknown> }[];
}

export interface TempProject extends Disposable {
  dir: string;
  captureRoot: string;
  /** Options for the command line that select this project. */
  options: string[];
}

/** A `bash` step. */
export function bash(command: string, id = "call_bash"): Turn {
  return { content: "", toolCalls: [{ id, name: "bash", arguments: { command, description: "run" } }] };
}

/** A project with one task, `probe`, and a scripted agent that takes `turns` and then says it is done. */
export function tempProject(turns: readonly Turn[], issue: Record<string, unknown> = {}): TempProject {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "opencode-capture-test-"));
  fs.mkdirSync(path.join(dir, "tasks", "models"), { recursive: true });
  const entry = {
    id: "probe",
    risk_level: "safe",
    title: "A probe",
    prompt: "Do what you are scripted to do.",
    ...issue,
  };
  fs.writeFileSync(path.join(dir, "tasks", "issues.json"), JSON.stringify([entry]));
  fs.writeFileSync(path.join(dir, "README.md"), "# A project\n");
  const fixtures = [...turns, { content: "All done." }].map((response, turnIndex) => ({
    match: { turnIndex },
    response,
  }));
  fs.writeFileSync(path.join(dir, "tasks", "models", "probe.careful.json"), JSON.stringify({ fixtures }));
  const captureRoot = path.join(dir, "artifacts", "captures");
  return {
    dir,
    captureRoot,
    options: ["--project", dir],
    [Symbol.dispose]: () => fs.rmSync(dir, { recursive: true, force: true }),
  };
}
