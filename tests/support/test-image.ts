import { existsSync } from "node:fs";
import { copyFile, link, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { exec } from "../../src/core/exec.ts";
import { readAptSetup } from "../../src/engine/image/apt-setup.ts";
import type { ContainerEngine } from "../../src/engine/port.ts";
import { opencodeBinary } from "./real-opencode.ts";

const TEST_IMAGE_LABEL = "org.opencode-capture.image=test";
const CACHE = path.join(import.meta.dirname, "../../.cache");

/** What an `--entrypoint` that is not overridden would print. */
export const ENTRYPOINT_WORDS = "the entrypoint of the image ran";

/**
 * Imports a minimal image that is as unlike the agent image as can be: glibc and busybox, running as root, with an entrypoint and
 * a volume of its own; with `opencode` also OpenCode, under the name `bin` in /usr/bin.
 */
export async function importTestImage(
  engine: ContainerEngine,
  ref: string,
  options: { opencode?: boolean; bin?: string } = {},
): Promise<void> {
  const bin = options.opencode === true ? (options.bin ?? "opencode") : undefined;
  await engine.importImage(await testRootfs(bin), ref, [
    "ENV PATH=/usr/bin:/bin",
    `ENTRYPOINT ["/bin/echo", "${ENTRYPOINT_WORDS}"]`,
    "USER 0:0",
    "VOLUME /volume",
    `LABEL ${TEST_IMAGE_LABEL}`,
  ]);
}

/** The tar of the root file system; made once. */
async function testRootfs(bin: string | undefined): Promise<string> {
  const tarFile = path.join(CACHE, `test-rootfs-1-${bin ?? "plain"}.tar`);
  if (existsSync(tarFile)) return tarFile;
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(path.join(CACHE, "test-rootfs-"));
  try {
    const rootfs = path.join(work, "rootfs");
    await unpackPackages(work, rootfs);
    await addApplets(rootfs);
    if (bin !== undefined) await addOpencode(rootfs, bin);
    await must("tar", ["-C", rootfs, "--numeric-owner", "-cf", path.join(work, "rootfs.tar"), "."]);
    await rename(path.join(work, "rootfs.tar"), tarFile);
    return tarFile;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function unpackPackages(work: string, rootfs: string): Promise<void> {
  const apt = await readAptSetup();
  const sources = path.join(work, "distribution.sources");
  await writeFile(sources, apt.sources);
  const options = apt.options.map((option) => `--aptopt=${option}`);
  const packages = ["--variant=extract", "--include=busybox,libc6", "--format=directory"];
  await must("mmdebstrap", [...packages, ...options, apt.suite, rootfs, sources]);
}

async function addApplets(rootfs: string): Promise<void> {
  const applets = await must("chroot", [rootfs, "/bin/busybox", "--list"]);
  for (const name of applets.split("\n")) {
    const target = path.join(rootfs, "bin", name);
    if (name !== "" && !existsSync(target)) await symlink("busybox", target);
  }
  for (const dir of ["proc", "sys", "dev", "tmp", "etc"]) await mkdir(path.join(rootfs, dir), { recursive: true });
}

async function addOpencode(rootfs: string, bin: string): Promise<void> {
  await mkdir(path.join(rootfs, "usr/bin"), { recursive: true });
  const target = path.join(rootfs, "usr/bin", bin);
  await link(opencodeBinary(), target).catch(() => copyFile(opencodeBinary(), target));
}

async function must(file: string, args: readonly string[]): Promise<string> {
  const result = await exec(file, args);
  if (result.exitCode !== 0) throw new Error(`${file}: ${result.failure ?? ""}\n${result.stderr}`);
  return result.stdout;
}
