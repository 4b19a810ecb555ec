import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, expect, it } from "vitest";
import { resolveSettings } from "./settings.ts";

const project = fs.mkdtempSync(path.join(os.tmpdir(), "limits-"));
afterAll(() => fs.rmSync(project, { recursive: true }));

function limitsOf(flags: string | undefined, variable: string | undefined, file: unknown) {
  fs.writeFileSync(path.join(project, "opencode-capture.json"), JSON.stringify(file));
  const env = variable === undefined ? {} : { OPENCODE_CAPTURE_LIMITS: variable };
  return resolveSettings({ project, limits: flags }, env, project).limits;
}

it("come from flags before the variable before the file, one by one", () => {
  const file = { limits: { agent_stdout: "1MiB", agent_stderr: 2048, native_events: "3GiB" } };
  expect(limitsOf("agent_stdout=7", "agent_stdout=5k, agent_stderr=6k", file)).toEqual({
    agent_stdout: 7,
    agent_stderr: 6144,
    native_events: 3 * 1024 ** 3,
  });
  expect(limitsOf(undefined, undefined, {})).toBeUndefined();
});

it.each([
  ["agent_stdout=many", '"many" is no size; write bytes, or 512KiB, 64MiB, 2GiB'],
  ["agent_stdout", '"" is no size'],
  ["stdout=1", 'there is no limit "stdout"; there are agent_stdout, agent_stderr'],
])("%s is told", (flag, words) => {
  expect(() => limitsOf(flag, undefined, {})).toThrow(words);
});

it("a limit in the file that is none is told with the file's name", () => {
  expect(() => limitsOf(undefined, undefined, { limits: { agent_stdout: -1 } })).toThrow(/opencode-capture\.json/);
  expect(() => limitsOf(undefined, undefined, { limits: "agent_stdout=1" })).toThrow(/opencode-capture\.json/);
});
