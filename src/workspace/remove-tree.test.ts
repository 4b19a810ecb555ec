import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { removeTree } from "./remove-tree.ts";

function hostileTree(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "remove-"));
  const steps = `
    for i in $(seq 60); do mkdir ${"d".repeat(200)}; cd -P ${"d".repeat(200)}; done; echo x > deepest
    cd -P "${dir}"
    mkdir -p closed/inner; echo x > closed/inner/file; chmod 000 closed/inner closed
    mkfifo fifo; ln -s / root-link; printf x > $'bad\\xff\\n'; mkdir -- -rf`;
  execFileSync("bash", ["-c", steps], { cwd: dir });
  return dir;
}

describe("clean-up", () => {
  it("F12: removes paths longer than allowed, odd names, FIFOs, links and closed directories", async () => {
    const dir = hostileTree();
    await removeTree(dir);
    expect(fs.existsSync(dir)).toBe(false);
    expect(fs.existsSync("/etc")).toBe(true);
  });
  it("does so without being root, too", async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "remove-user-"));
    onTestFinished(() => removeTree(dir));
    fs.chmodSync(dir, 0o777);
    // Loaded as root, since the project need not be readable for others.
    const script = `
      import { removeTree } from ${JSON.stringify(path.join(import.meta.dirname, "remove-tree.ts"))};
      import { execFileSync } from "node:child_process";
      process.setgid(65534);
      process.setuid(65534);
      execFileSync("sh", ["-c", "mkdir -p t/closed/inner; echo x > t/closed/inner/f; chmod 000 t/closed/inner t/closed"]);
      await removeTree("t");`;
    execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: dir });
    expect(fs.readdirSync(dir)).toEqual([]);
  });
  it("is quiet when there is nothing, and refuses the root", async () => {
    await removeTree("/nowhere/at/all");
    await expect(removeTree("/")).rejects.toThrow("refused");
  });
});
