import * as path from "node:path";
import { CaptureError } from "../core/errors.ts";
import { exec } from "../core/exec.ts";

/**
 * Removes a directory and all below it, also paths longer than the system's limit, names that are no text, and directories
 * without permissions. In a process of its own, because it may take seconds. Never leaves its file system, never follows a link. Quiet when it is gone.
 * @throws CaptureError `workspace` when something is left.
 */
export async function removeTree(dir: string): Promise<void> {
  const target = path.resolve(dir);
  if (path.dirname(target) === target) throw new CaptureError("internal", `refused to remove ${target}`);
  if (await tryRemove(target)) return;
  // Directories that their owner has closed to himself; for root they are no obstacle.
  await exec("chmod", ["-R", "u+rwX", "--", target]);
  if (await tryRemove(target)) return;
  const last = await exec("rm", ["-rf", "--one-file-system", "--", target]);
  throw new CaptureError("workspace", `cannot remove ${target}: ${last.stderr.trim().split("\n")[0] ?? ""}`, {
    hint: `files of the container may belong to another user: sudo rm -rf -- '${target}'`,
  });
}

async function tryRemove(target: string): Promise<boolean> {
  const result = await exec("rm", ["-rf", "--one-file-system", "--", target], { maxOutputBytes: 64 << 10 });
  return result.exitCode === 0;
}
