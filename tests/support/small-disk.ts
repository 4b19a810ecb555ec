import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** A file system of its own that can be filled without harm; unmounted and removed at the end. Needs root. */
export interface SmallDisk extends Disposable {
  dir: string;
  /** Takes all room but `leaveBytes`. */
  fill(leaveBytes: number): void;
  /** Gives that room back. */
  free(): void;
}

/** An ext4 in a sparse file: what is not written takes no room on the machine. */
export function smallDisk(sizeMiB: number): SmallDisk {
  const image = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "small-disk-")), "image");
  execFileSync("truncate", ["-s", `${sizeMiB}M`, image]);
  execFileSync("mkfs.ext4", ["-q", "-m", "0", "-O", "^has_journal", image], { stdio: "pipe" });
  return mounted(path.dirname(image), ["-o", "loop", image]);
}

/** A tmpfs. */
export function smallTmpfs(sizeMiB: number): SmallDisk {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "small-disk-"));
  return mounted(scratch, ["-t", "tmpfs", "-o", `size=${sizeMiB}m`, "tmpfs"]);
}

function mounted(scratch: string, what: readonly string[]): SmallDisk {
  const dir = path.join(scratch, "disk");
  fs.mkdirSync(dir);
  execFileSync("mount", [...what, dir]);
  const ballast = path.join(dir, ".ballast");
  return {
    dir,
    fill: (leaveBytes) => {
      const { bavail, bsize } = fs.statfsSync(dir);
      // fallocate needs some blocks for its own bookkeeping.
      const takeBytes = bavail * bsize - Math.max(leaveBytes, 256 << 10);
      if (takeBytes > 0) execFileSync("fallocate", ["-l", String(takeBytes), ballast]);
      if (leaveBytes === 0) writeUntilFull(`${ballast}-rest`);
    },
    free: () => {
      for (const file of [ballast, `${ballast}-rest`]) fs.rmSync(file, { force: true });
    },
    [Symbol.dispose]: () => {
      execFileSync("umount", ["--lazy", dir]);
      fs.rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** The last blocks, which fallocate left. */
function writeUntilFull(file: string): void {
  const fd = fs.openSync(file, "w");
  try {
    for (;;) fs.writeSync(fd, Buffer.alloc(1024));
  } catch {
    // Full.
  } finally {
    fs.closeSync(fd);
  }
}
