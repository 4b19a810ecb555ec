import { mkdir, mkdtemp, readdir, rename, stat, statfs } from "node:fs/promises";
import path from "node:path";
import { CaptureError } from "../../core/errors.ts";
import { exec } from "../../core/exec.ts";
import { isAlive, ownIdentity } from "../../core/process-identity.ts";

const WORK_PREFIX = "work-";
const TAR_SUFFIX = ".rootfs.tar";
/** Root file system, its tar and the engine's copy, with some room. */
const NEEDED_BYTES = 2 * 1024 ** 3;

/**
 * Runs `work` with a directory of its own below `cacheDir`, which is removed on every ending.
 * What a killed build left behind is removed first.
 */
export async function withWorkDir<T>(cacheDir: string, work: (dir: string) => Promise<T>): Promise<T> {
  await mkdir(cacheDir, { recursive: true });
  await removeAbandoned(cacheDir);
  await checkSpace(cacheDir);
  const { pid, startTime } = ownIdentity();
  const dir = await mkdtemp(path.join(cacheDir, `${WORK_PREFIX}${pid}-${startTime ?? ""}-`));
  try {
    return await work(dir);
  } finally {
    await removeTree(dir);
  }
}

/** The kept root file system of this recipe, if there is one. */
export async function keptTar(cacheDir: string, tag: string): Promise<string | undefined> {
  const file = path.join(cacheDir, tag + TAR_SUFFIX);
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() === true ? file : undefined;
}

/** Moves a finished tar into the cache, where it replaces every other one. */
export async function keepTar(cacheDir: string, tag: string, tarFile: string): Promise<string> {
  const file = path.join(cacheDir, tag + TAR_SUFFIX);
  await rename(tarFile, file);
  await removeTars(cacheDir, file);
  return file;
}

/** Removes every kept tar except `keep`. */
export async function removeTars(cacheDir: string, keep?: string): Promise<void> {
  for (const name of await namesIn(cacheDir)) {
    const file = path.join(cacheDir, name);
    if (name.endsWith(TAR_SUFFIX) && file !== keep) await removeTree(file);
  }
}

async function removeAbandoned(cacheDir: string): Promise<void> {
  for (const name of await namesIn(cacheDir)) {
    const owner = new RegExp(`^${WORK_PREFIX}(\\d+)-(\\d*)-`).exec(name);
    if (owner === null) continue;
    const identity = { ...ownIdentity(), pid: Number(owner[1]), startTime: owner[2] || null };
    if (!isAlive(identity)) await removeTree(path.join(cacheDir, name));
  }
}

/** rm, not fs.rm: it stays on this file system even if a mount was left in the tree. */
async function removeTree(target: string): Promise<void> {
  await exec("rm", ["-rf", "--one-file-system", "--", target]);
}

async function namesIn(dir: string): Promise<string[]> {
  return readdir(dir).catch(() => []);
}

async function checkSpace(dir: string): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize >= NEEDED_BYTES) return;
  const free = Math.floor((bavail * bsize) / 1024 ** 2);
  throw new CaptureError("disk-full", `the image build needs 2048 MiB in ${dir}, ${free} MiB are free`, {
    hint: `free some space: df -h ${dir}`,
  });
}
