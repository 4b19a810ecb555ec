import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect, it } from "vitest";
import { makeCaptureDirectories, publishCapture } from "./publish-capture.ts";

it("S08 two runs in one second: names by second and issue, and never shares a directory", () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "captures-"));
  const place = { root, startedAt: new Date("2026-11-22T16:14:56.692Z"), issueId: "fix_x" };
  const tried: string[] = [];
  const publish = (n: number): string => {
    const staged = path.join(root, `.staged-${n}`);
    makeCaptureDirectories(staged);
    return publishCapture(staged, place, (dir) => {
      tried.push(path.basename(dir));
      // Another run takes the name between the look and the rename.
      if (n === 2 && !dir.endsWith("-03")) {
        fs.mkdirSync(dir);
        fs.writeFileSync(path.join(dir, "of another run"), "");
      }
    });
  };
  expect([1, 2, 3].map((n) => path.basename(publish(n)))).toEqual([
    "20261122T161456Z-fix_x",
    "20261122T161456Z-fix_x-03",
    "20261122T161456Z-fix_x-04",
  ]);
  expect(tried).toContain("20261122T161456Z-fix_x-02");
  expect(fs.readdirSync(path.join(root, "20261122T161456Z-fix_x-02"))).toEqual(["of another run"]);
  fs.rmSync(root, { recursive: true });
});
