import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveSettings } from "./settings.ts";

let project: string;
beforeEach(() => {
  project = fs.mkdtempSync(path.join(os.tmpdir(), "settings-"));
});
afterEach(() => fs.rmSync(project, { recursive: true }));
const writeFile = (text: string) => fs.writeFileSync(path.join(project, "opencode-capture.json"), text);

describe("resolveSettings", () => {
  it("takes flags before environment before file before defaults", () => {
    writeFile('{"engine":"docker","model":"scripted:x","capture_root":"caps"}');
    const env = { OPENCODE_CAPTURE_ENGINE: "podman", OPENCODE_CAPTURE_TIMEOUT_SECONDS: "12" };
    const settings = resolveSettings({ project, timeout_seconds: 7 }, env, "/nowhere");
    expect(settings).toMatchObject({
      engine: "podman",
      model: "scripted:x",
      timeout_seconds: 7,
      opencode_bin: "opencode",
      capture_root: path.join(project, "caps"),
    });
  });
  it.each([
    ["broken JSON", "{", {}],
    ["an unknown key", '{"engin":"docker"}', {}],
    ["a wrong value", '{"engine":"lxc"}', {}],
    ["a wrong variable", "{}", { OPENCODE_CAPTURE_KEEP_WORKSPACE: "maybe" }],
    ["a number that is none", "{}", { OPENCODE_CAPTURE_TIMEOUT_SECONDS: "soon" }],
  ])("refuses %s", (_, file, env) => {
    writeFile(file);
    expect(() => resolveSettings({ project }, env, "/nowhere")).toThrow(
      expect.objectContaining({ code: "settings-invalid" }),
    );
  });
});
