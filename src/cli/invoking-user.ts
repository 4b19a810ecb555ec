import * as path from "node:path";
import { exec } from "../core/exec.ts";
import { PACKAGE_ROOT } from "../core/package-root.ts";
import { RUNS_DIRECTORY } from "../evidence/layout.ts";

/** The user behind sudo, from the variables that it sets; undefined when there is none, or it is root itself. */
function invokingUser(env: NodeJS.ProcessEnv): string | undefined {
  const uid = env["SUDO_UID"];
  const gid = env["SUDO_GID"];
  if (process.getuid?.() !== 0 || uid === undefined || gid === undefined || uid === "0") return undefined;
  return /^\d+$/.test(uid) && /^\d+$/.test(gid) ? `${uid}:${gid}` : undefined;
}

/**
 * Gives what a run under sudo wrote to the user who started it: the capture, the directories it was made in, and what
 * Node has compiled. A kept working copy is the agent's: links in it are not followed, its names never pass a shell.
 */
export async function giveToInvokingUser(captureDir: string, env: NodeJS.ProcessEnv): Promise<void> {
  const user = invokingUser(env);
  if (user === undefined) return;
  const root = path.dirname(captureDir);
  const containers = [root, path.dirname(root), path.join(root, RUNS_DIRECTORY), path.join(root, ".batch.json")];
  // Only what root owns: the rest is somebody's already.
  await exec("chown", ["-h", "--from=0", user, "--", ...containers]);
  await exec("chown", ["-R", "-P", "-h", "--from=0", user, "--", path.join(PACKAGE_ROOT, ".cache")]);
  await exec("chown", ["-R", "-P", "-h", user, "--", captureDir]);
}
