import { chmod, copyFile, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { CaptureError } from "../../core/errors.ts";
import { exec } from "../../core/exec.ts";
import { runTool } from "../run-tool.ts";
import type { AgentRecipe } from "./recipe.ts";

const NPM_ARGS = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--loglevel=error"];

export interface StepOptions {
  signal?: AbortSignal | undefined;
  onLine?: ((line: string) => void) | undefined;
}

/**
 * Gets opencode, node and npm from the package registry and lays them out below `rootfs` as they stand in the image
 * (/usr/local). `workDir` is the caller's and removed by the caller.
 */
export async function stageNpmPackages(
  recipe: AgentRecipe,
  workDir: string,
  rootfs: string,
  options: StepOptions = {},
): Promise<void> {
  const npmDir = path.join(workDir, "npm");
  await mkdir(npmDir, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) {
    await copyFile(path.join(recipe.dir, name), path.join(npmDir, name));
  }
  const opencodeDir = recipe.opencodePinned ? npmDir : path.join(workDir, "npm-opencode");
  if (!recipe.opencodePinned) await installByVersion(recipe, opencodeDir, options);
  await npm(["ci", ...NPM_ARGS], npmDir, options);
  const local = path.join(rootfs, "usr/local");
  await mkdir(path.join(local, "bin"), { recursive: true });
  await takeBinary(opencodeDir, recipe.opencodePackage, "opencode", local);
  await takeBinary(npmDir, `node-linux-${process.arch}`, "node", local);
  await takeNpm(npmDir, local);
  // The builder's umask must not shut the agent out.
  const opened = await exec("chmod", ["-R", "u=rwX,go=rX", rootfs]);
  if (opened.exitCode !== 0) throw new CaptureError("image-build-failed", `chmod failed: ${opened.failure ?? ""}`);
}

/** Another version than the pinned one: its hash is what the registry says it is. */
async function installByVersion(recipe: AgentRecipe, dir: string, options: StepOptions): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(path.join(dir, "package.json"), '{ "private": true }\n');
  const wanted = `${recipe.opencodePackage}@${recipe.opencodeVersion}`;
  await npm(["install", "--no-save", ...NPM_ARGS, wanted], dir, options);
}

async function npm(args: readonly string[], cwd: string, options: StepOptions): Promise<void> {
  const result = await runTool("npm", args, { cwd, ...options, env: { npm_config_update_notifier: "false" } });
  if (result.ok) return;
  throw new CaptureError("image-build-failed", `npm ${args[0]} failed: ${result.failure}`, {
    hint: `npm must reach its package registry (npm ping). Its last lines:\n${result.tail.join("\n")}`,
  });
}

async function takeBinary(npmDir: string, packageName: string, name: string, local: string): Promise<void> {
  const target = path.join(local, "bin", name);
  try {
    await rename(path.join(npmDir, "node_modules", packageName, "bin", name), target);
  } catch (cause) {
    // npm leaves out an optional package that it can't get, and says nothing.
    throw new CaptureError("image-build-failed", `npm did not bring the package ${packageName}`, {
      hint: `see whether the registry has it: npm view ${packageName} versions`,
      cause,
    });
  }
  await chmod(target, 0o755);
}

async function takeNpm(npmDir: string, local: string): Promise<void> {
  const target = path.join(local, "lib/node_modules/npm");
  await mkdir(path.dirname(target), { recursive: true });
  await rename(path.join(npmDir, "node_modules/npm"), target);
  for (const unused of ["docs", "man"]) await rm(path.join(target, unused), { recursive: true, force: true });
  for (const name of ["npm", "npx"]) {
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, path.join(local, "bin", name));
  }
}
