import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect, it } from "vitest";
import { createCaptureDirectory } from "./capture-directory.ts";

it("names captures by second and issue, and never shares a directory", () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "captures-"));
  const at = new Date("2026-11-22T16:14:56.692Z");
  const names = [1, 2, 3].map(() => path.basename(createCaptureDirectory(path.join(root, "a"), at, "fix_x")));
  expect(names).toEqual(["20261122T161456Z-fix_x", "20261122T161456Z-fix_x-02", "20261122T161456Z-fix_x-03"]);
  fs.rmSync(root, { recursive: true });
});

it("says so when captures can't be written", () => {
  const file = path.join(os.tmpdir(), `not-a-directory-${process.pid}`);
  fs.writeFileSync(file, "");
  expect(() => createCaptureDirectory(file, new Date(), "x")).toThrow(
    expect.objectContaining({ code: "capture-root" }),
  );
  fs.rmSync(file);
});
