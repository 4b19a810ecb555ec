import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { DiskWatch } from "../../src/supervisor/disk-room.ts";
import type { StopCause } from "../../src/supervisor/judge.ts";

const INODES = 4000;

/** A disk of its own with room for few files and for many bytes. */
function smallDisk(): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "few-inodes-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=64m,nr_inodes=${INODES}`, "tmpfs", root]);
  onTestFinished(() => {
    execFileSync("umount", ["--lazy", root]);
    fs.rmdirSync(root);
  });
  return root;
}

/** Makes empty files until `isEnded` or until the disk takes no more. */
async function bomb(root: string, isEnded: () => boolean): Promise<string> {
  for (let index = 0; !isEnded(); index++) {
    try {
      fs.writeFileSync(path.join(root, `file${index}`), "");
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? "";
    }
    if (index % 20 === 0) await sleep(5);
  }
  return "ended";
}

test("A11: an agent that makes files without end is stopped before the disk takes no more", async () => {
  const open = smallDisk();
  expect(await bomb(open, () => false)).toBe("ENOSPC");
  // Bytes alone tell nothing of it.
  expect(fs.statfsSync(open).bavail).toBeGreaterThan(1000);

  const closed = smallDisk();
  let cause: StopCause | undefined;
  const limits = { agent_files: 2 ** 40, disk_reserve: 0 };
  const watch = new DiskWatch({ captureRoot: closed, agentDirs: [], limits, onLimit: (what) => (cause = what) });
  expect(await bomb(closed, () => cause !== undefined)).toBe("ended");
  watch.stop();
  expect(cause).toBe("disk-full");
  fs.writeFileSync(path.join(closed, "what is still to be written"), "");
});
