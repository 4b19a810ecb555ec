import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadSensitivePatterns, sensitivePaths } from "./sensitive-paths.ts";

const PROJECT_FILE = path.join(import.meta.dirname, "../../config/sensitive_paths.json");

describe("the project's own patterns", () => {
  const isSensitive = sensitivePaths(loadSensitivePatterns([PROJECT_FILE]));
  it.each([
    ".opencode/plugins/mas_safe_security.ts",
    ".opencode",
    ".git/hooks/pre-commit",
    "vendor/lib/.git/config",
    "config/sensitive_paths.json",
    ".github/workflows/ci.yml",
    ".env",
    "packages/web/.env.production",
    "deploy/server.pem",
    ".ssh/authorized_keys",
    "id_rsa",
    ".bashrc",
  ])("name %s", (file) => expect(isSensitive(file)).toBe(true));
  it.each(["src/config.ts", "README.md", "src/environment.ts", "docs/config/notes.md"])("don't name %s", (file) =>
    expect(isSensitive(file)).toBe(false),
  );
  it("are not evaded by line breaks, case, or names that are no text", () => {
    for (const file of [".opencode/a\nb", ".ENV", ".Git/hooks/x", ".git/\u2028", ".git/\ufffd"]) {
      expect(isSensitive(file)).toBe(true);
    }
  });
  it("are quick also on very long paths", () => {
    const long = `${"a/".repeat(16_000)}b`;
    const startMs = performance.now();
    expect(isSensitive(long)).toBe(false);
    expect(performance.now() - startMs).toBeLessThan(500);
  });
});

describe("loading", () => {
  const write = (content: string): string => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "patterns-"));
    onTestFinished(() => fs.rmSync(dir, { recursive: true }));
    fs.writeFileSync(path.join(dir, "p.json"), content);
    return path.join(dir, "p.json");
  };
  it("takes the first file that exists, and none from nowhere", () => {
    expect(loadSensitivePatterns(["/nowhere/a.json", write('{"patterns":["x"],"note":1}')])).toEqual(["x"]);
    expect(loadSensitivePatterns(["/nowhere/a.json"])).toEqual([]);
    expect(sensitivePaths([])("anything")).toBe(false);
  });
  it.each(["", "[]", '{"patterns":"x"}', '{"patterns":[1]}'])("refuses %j with a hint", (content) => {
    expect(() => loadSensitivePatterns([write(content)])).toThrow(
      expect.objectContaining({ code: "settings-invalid", hint: expect.stringContaining("patterns") }),
    );
  });
});
