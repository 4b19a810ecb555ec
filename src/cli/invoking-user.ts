import { exec } from "../core/exec.ts";

/** The user behind sudo, from the variables that it sets; undefined when there is none, or it is root itself. */
function invokingUser(env: NodeJS.ProcessEnv): string | undefined {
  const uid = env["SUDO_UID"];
  const gid = env["SUDO_GID"];
  if (process.getuid?.() !== 0 || uid === undefined || gid === undefined || uid === "0") return undefined;
  return /^\d+$/.test(uid) && /^\d+$/.test(gid) ? `${uid}:${gid}` : undefined;
}

/**
 * Gives what a run under sudo wrote to the user who started it. A kept working copy is the agent's: links in it are not
 * followed, the names in it never pass through a shell.
 */
export async function giveToInvokingUser(dir: string, env: NodeJS.ProcessEnv): Promise<void> {
  const user = invokingUser(env);
  if (user !== undefined) await exec("chown", ["-R", "-P", "-h", user, "--", dir]);
}
