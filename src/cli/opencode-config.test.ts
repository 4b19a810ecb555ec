import * as os from "node:os";
import { describe, expect, it } from "vitest";
import type { Issue } from "../schema/issue.ts";
import { readInstructions } from "./opencode-config.ts";
import { resolveSettings } from "./settings.ts";

const issue: Issue = { id: "one", risk_level: "safe", title: "One", prompt: "Do it.", files: [] };
const asks = (flags: { project_config?: boolean }, more: Partial<Issue>) =>
  readInstructions(resolveSettings({ project: os.tmpdir(), ...flags }, {}, os.tmpdir()), { ...issue, ...more })
    .projectConfig;

describe("readInstructions", () => {
  it("lets the project's configuration be read where the settings or the task say so, and only there", () => {
    expect(asks({}, {})).toBe(false);
    expect(asks({ project_config: true }, {})).toBe(true);
    expect(asks({}, { project_config: true })).toBe(true);
    expect(asks({}, { project_config: false })).toBe(false);
  });
});
