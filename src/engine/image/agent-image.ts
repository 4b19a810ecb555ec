import { copyFile, mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { CaptureError, errorMessage } from "../../core/errors.ts";
import type { ContainerEngine, ImageInfo } from "../port.ts";
import { stageNpmPackages } from "./npm-packages.ts";
import { BuildProgress } from "./progress.ts";
import { AGENT_IMAGE_LABEL, type AgentRecipe, loadRecipe } from "./recipe.ts";
import { buildRootfsTar, distributionPackagesProblem } from "./rootfs-tar.ts";
import { keepTar, keptTar, removeTars, withWorkDir } from "./work-dir.ts";

/** A registry that answers gives the small base image in this time; behind a dead network it must not hold the build up. */
const REGISTRY_PROBE_MS = 30_000;

export interface AgentImageOptions {
  /** Gets one printable line a step, with the seconds since the start. */
  onProgress?: ((line: string) => void) | undefined;
  /** Exact version; default is the pinned one. */
  opencodeVersion?: string | undefined;
  /** Where the root file system is kept for a second engine; default `~/.cache/opencode-capture`. */
  cacheDir?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface AgentImage {
  /** Name with content-addressed tag. */
  ref: string;
  /** Content id, `sha256:…`. */
  id: string;
  /** As the engine describes it. */
  info: ImageInfo;
  opencodeVersion: string;
  /** False when it was there already. */
  built: boolean;
}

function defaultImageCacheDir(): string {
  return path.join(homedir(), ".cache/opencode-capture");
}

/** The agent image of this recipe as the engine has it; undefined when it was not built yet. Builds nothing. */
export async function findAgentImage(
  engine: ContainerEngine,
  options: Pick<AgentImageOptions, "opencodeVersion"> = {},
): Promise<AgentImage | undefined> {
  const recipe = await loadRecipe(options);
  const info = await engine.inspectImage(recipe.ref);
  if (info === undefined) return undefined;
  return { ref: recipe.ref, id: info.id, info, opencodeVersion: recipe.opencodeVersion, built: false };
}

/**
 * Makes sure that the agent image exists; does nothing when it does. A build that fails or is interrupted leaves nothing.
 * Fails with CaptureError `image-build-failed`, `disk-full`, `usage` (version) or `interrupted`.
 */
export async function ensureAgentImage(engine: ContainerEngine, options: AgentImageOptions = {}): Promise<AgentImage> {
  const present = await findAgentImage(engine, options);
  if (present !== undefined) return present;
  const recipe = await loadRecipe(options);
  const cacheDir = options.cacheDir ?? defaultImageCacheDir();
  using progress = new BuildProgress(options.onProgress);
  progress.step(`building the agent image with OpenCode ${recipe.opencodeVersion}; this happens once`);
  try {
    await withWorkDir(cacheDir, (workDir) => build({ engine, recipe, cacheDir, workDir, progress, options }));
  } catch (thrown) {
    if (options.signal?.aborted) throw new CaptureError("interrupted", "the image build was interrupted");
    throw thrown;
  }
  const info = await engine.inspectImage(recipe.ref);
  if (info === undefined) throw new CaptureError("image-build-failed", `${recipe.ref} is not there after its build`);
  progress.step(`image ready: ${recipe.ref}, ${Math.round(info.sizeBytes / 1e6)} MB`);
  return { ref: recipe.ref, id: info.id, info, opencodeVersion: recipe.opencodeVersion, built: true };
}

/** Every agent image that the engine holds, of any recipe. */
export function listAgentImages(engine: ContainerEngine): Promise<ImageInfo[]> {
  return engine.listImages(AGENT_IMAGE_LABEL);
}

/** Removes every agent image of the engine and the kept root file systems; resolves to the names removed. */
export async function removeAgentImages(
  engine: ContainerEngine,
  options: Pick<AgentImageOptions, "cacheDir"> = {},
): Promise<string[]> {
  const removed: string[] = [];
  for (const image of await listAgentImages(engine)) {
    const names = image.tags.length === 0 ? [image.id] : image.tags;
    for (const name of names) await engine.removeImage(name);
    removed.push(...names);
  }
  await removeTars(options.cacheDir ?? defaultImageCacheDir());
  return removed;
}

interface Build {
  engine: ContainerEngine;
  recipe: AgentRecipe;
  cacheDir: string;
  workDir: string;
  progress: BuildProgress;
  options: AgentImageOptions;
}

async function build(job: Build): Promise<void> {
  const { recipe, progress, cacheDir, options } = job;
  const kept = await keptTar(cacheDir, recipe.tag);
  if (kept !== undefined) return importTar(job, kept);
  const problem = await distributionPackagesProblem();
  if (await hasBaseImage(job, problem === undefined)) {
    try {
      return await buildFromContainerfile(job);
    } catch (thrown) {
      await removeUntagged(job.engine);
      if (problem !== undefined || options.signal?.aborted) throw thrown;
      progress.step(`the Containerfile can't be built here: ${errorMessage(thrown)}`);
    }
  } else if (problem !== undefined) {
    throw noRecipe(recipe, problem);
  }
  progress.step("building from distribution packages");
  const tarFile = await buildFromPackages(job);
  await importTar(job, await keepTar(cacheDir, recipe.tag, tarFile));
}

/** Whether the Containerfile's base image is here or can be had. With another recipe at hand there is no waiting for long. */
async function hasBaseImage({ engine, recipe, progress, options }: Build, hasOther: boolean): Promise<boolean> {
  if ((await engine.inspectImage(recipe.baseImage)) !== undefined) return true;
  progress.step(`asking the registry for ${recipe.baseImage}`);
  const limit = hasOther ? { timeoutMs: REGISTRY_PROBE_MS } : {};
  const pulled = await engine.pullImage(recipe.baseImage, { ...limit, signal: options.signal });
  options.signal?.throwIfAborted();
  if (!pulled) progress.step("no registry is reachable");
  return pulled;
}

/** What a broken build left of its steps. */
async function removeUntagged(engine: ContainerEngine): Promise<void> {
  for (const { id, tags } of await listAgentImages(engine)) {
    if (tags.length === 0) await engine.removeImage(id);
  }
}

async function buildFromPackages({ recipe, workDir, progress, options }: Build): Promise<string> {
  const stage = path.join(workDir, "stage");
  const step = { signal: options.signal, onLine: (line: string) => progress.step(line) };
  progress.step("npm packages: opencode, node, npm");
  await stageNpmPackages(recipe, workDir, stage, step);
  progress.step(`distribution packages: ${recipe.packages.join(" ")}`);
  return buildRootfsTar(recipe, stage, workDir, step);
}

async function importTar({ engine, recipe, progress, options }: Build, tarFile: string): Promise<void> {
  progress.step(`importing the root file system into ${engine.description.kind}`);
  const labels = Object.entries(recipe.labels).map(([key, value]) => `LABEL ${key}=${value}`);
  await engine.importImage(tarFile, recipe.ref, [...recipe.changes, ...labels], { signal: options.signal });
}

async function buildFromContainerfile({ engine, recipe, workDir, progress, options }: Build): Promise<void> {
  const context = path.join(workDir, "context");
  const step = { signal: options.signal, onLine: (line: string) => progress.step(line) };
  await mkdir(context, { recursive: true });
  for (const name of ["Containerfile", "finish-rootfs.sh", "packages.txt"]) {
    await copyFile(path.join(recipe.dir, name), path.join(context, name));
  }
  progress.step("npm packages: opencode, node, npm");
  await stageNpmPackages(recipe, workDir, path.join(context, "rootfs"), step);
  progress.step(`building from ${recipe.baseImage}`);
  await engine.buildImage(context, path.join(context, "Containerfile"), recipe.ref, { ...step, labels: recipe.labels });
}

function noRecipe(recipe: AgentRecipe, problem: CaptureError): CaptureError {
  const tried = `no registry gives ${recipe.baseImage}, and ${errorMessage(problem)}`;
  return new CaptureError("image-build-failed", `the agent image can't be built: ${tried}`, {
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    cause: problem,
  });
}
