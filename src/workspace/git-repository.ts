import * as fs from "node:fs";
import * as path from "node:path";
import { exec } from "../core/exec.ts";
import type { Ownership } from "./ownership.ts";

/** Nothing of the user's, the machine's or the project's configuration, and no hook, has a say in what git does here. */
const NEUTRAL_ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/nonexistent",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "opencode-capture",
  GIT_AUTHOR_EMAIL: "opencode-capture@localhost",
  GIT_AUTHOR_DATE: "2000-01-01T00:00:00Z",
  GIT_COMMITTER_NAME: "opencode-capture",
  GIT_COMMITTER_EMAIL: "opencode-capture@localhost",
  GIT_COMMITTER_DATE: "2000-01-01T00:00:00Z",
} as const;

/** Below this size git writes every file as an own object; one pack is much faster for a whole project. */
const PACK_ABOVE_BYTES = 1;

/** The working copy lives for one run: nothing in it needs to survive a power failure. */
const NOT_DURABLE = ["-c", "core.fsync=none"];

export interface RepositoryResult {
  created: boolean;
  /** Why there is none. */
  reason: string | undefined;
}

/** Whether `project` is a git repository or a part of one. Only looks; runs nothing. */
export function isInRepository(project: string): boolean {
  for (let dir = project; ; dir = path.dirname(dir)) {
    if (fs.existsSync(path.join(dir, ".git"))) return true;
    if (path.dirname(dir) === dir) return false;
  }
}

/**
 * Makes `dir` a git repository with one commit of everything in it that `.gitignore` does not leave out.
 * A failure is no error: the task can be worked on without; the half-made repository is removed.
 */
export async function createRepository(
  dir: string,
  ownership: Ownership,
  signal?: AbortSignal,
): Promise<RepositoryResult> {
  const gitDir = path.join(dir, ".git");
  const steps = [
    ["init", "--quiet", "--template=", "--initial-branch=main"],
    ["-c", `core.bigFileThreshold=${PACK_ABOVE_BYTES}`, "-c", "core.compression=0", "add", "--all"],
    ["-c", "gc.auto=0", "commit", "--quiet", "--no-verify", "--allow-empty", "--message=Working copy"],
  ];
  for (const args of steps) {
    const reason = await git(dir, gitDir, [...NOT_DURABLE, ...args], signal);
    if (reason === undefined) continue;
    fs.rmSync(gitDir, { recursive: true, force: true });
    return { created: false, reason };
  }
  await handOver(gitDir, ownership);
  return { created: true, reason: undefined };
}

/** Runs git on this very repository; returns what went wrong. */
async function git(dir: string, gitDir: string, args: string[], signal?: AbortSignal): Promise<string | undefined> {
  const result = await exec("git", args, {
    cwd: dir,
    env: { ...NEUTRAL_ENVIRONMENT, GIT_DIR: gitDir, GIT_WORK_TREE: dir },
    extendEnv: false,
    ...(signal === undefined ? {} : { signal }),
  });
  if (result.exitCode === 0) return undefined;
  return result.stderr.trim().split("\n").at(-1) || result.failure || "git failed";
}

async function handOver(gitDir: string, ownership: Ownership): Promise<void> {
  if (ownership.canGive) {
    await exec("chown", ["-R", "-h", "--", `${ownership.uid}:${ownership.gid}`, gitDir]);
  } else {
    await exec("chmod", ["-R", "a+rwX", "--", gitDir]);
  }
}
