import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect, it } from "vitest";
import { ensureCaptureRoot } from "./capture-directory.ts";

it("says so when captures can't be written", () => {
  const file = path.join(os.tmpdir(), `not-a-directory-${process.pid}`);
  fs.writeFileSync(file, "");
  expect(() => ensureCaptureRoot(file)).toThrow(expect.objectContaining({ code: "capture-root" }));
  fs.rmSync(file);
});
