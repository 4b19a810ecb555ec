import * as fs from "node:fs";
import * as path from "node:path";
import { CaptureError, errnoOf, errorMessage } from "../core/errors.ts";
import type { Issue } from "../schema/issue.ts";
import { atPath, openBeneath, openDirectory, writeBeneath } from "./beneath.ts";
import type { ContentBase } from "./content-base.ts";
import { type CopyResult, copyTree } from "./copy-tree.ts";
import { createRepository, isInRepository, type RepositoryResult } from "./git-repository.ts";
import { leftOutRules } from "./left-out.ts";
import { give, type Ownership, ownershipFor } from "./ownership.ts";
import { placeIssueFiles } from "./place-files.ts";

export interface WorkspaceOptions {
  /** The project that is copied. */
  project: string;
  issue: Issue;
  /** What the agent is told; it also stands in TASK.md. */
  prompt: string;
  /** Where the working copy is made; a missing or an empty directory. */
  destination: string;
  /** Owner of the copy: the container's user. */
  uid: number;
  gid: number;
  /** The plugin; a copy of it stands in the working copy for the agent to see. */
  /** Our plugin, a copy of which is put in for the agent to see; undefined for none. */
  pluginFile: string | undefined;
  /** OpenCode reads the copy's own `.opencode`: it is made so that OpenCode does not try to install packages there. */
  projectConfig?: boolean;
  /** Never copied. */
  captureRoot: string;
  /** Takes the contents of the copies, so that the baseline need not read them again. */
  base?: ContentBase | undefined;
  signal?: AbortSignal | undefined;
}

export interface WorkspaceResult extends CopyResult {
  /** `undefined` where the project is no git repository. */
  repository: RepositoryResult | undefined;
  /** False: the files could not be given to the container's user, so everybody may write them. */
  ownerSet: boolean;
}

const TASK_FILE = "TASK.md";
const PLUGIN_IN_WORKSPACE = ".opencode/plugins/mas_safe_security.ts";

/**
 * Makes the one-shot working copy of the project for one run: without what the agent must not find (left-out.ts), with the
 * issue's files in place, TASK.md, a copy of the plugin, and a fresh git repository where the project is one.
 * @throws CaptureError `workspace`, `issues-invalid`, `disk-full` or `write-failed`; what was made until then stays.
 */
export async function createWorkspace(options: WorkspaceOptions): Promise<WorkspaceResult> {
  const project = realDirectory(options.project);
  const destination = emptyDirectory(options.destination);
  const ownership = ownershipFor(options.uid, options.gid);
  const { issue, base, signal } = options;
  const leftOut = leftOutRules({
    project,
    issueId: issue.id,
    ownDirectories: [ownDirectory(project, options.captureRoot), destination],
  });
  const root = openDirectory(destination);
  try {
    const copied = await copyTree(project, root, { ownership, leftOut, base, signal });
    copied.skipped.push(...(await placeIssueFiles(project, issue, root, { ownership, base, signal })));
    addOwnFiles(root, options, ownership, copied);
    give(ownership, root, 0o755);
    const repository = isInRepository(project) ? await createRepository(destination, ownership, signal) : undefined;
    signal?.throwIfAborted();
    return { ...copied, repository, ownerSet: ownership.canGive };
  } finally {
    fs.closeSync(root);
  }
}

function realDirectory(project: string): string {
  try {
    const real = fs.realpathSync(project);
    fs.readdirSync(real);
    return real;
  } catch (error) {
    throw new CaptureError("workspace", `cannot read the project ${project}: ${errorMessage(error)}`, {
      hint: "name a directory that exists and that you may read: --project DIR",
      cause: error,
    });
  }
}

function emptyDirectory(destination: string): string {
  fs.mkdirSync(destination, { recursive: true });
  if (fs.readdirSync(destination).length > 0) {
    throw new CaptureError("workspace", `the place of the working copy is not empty: ${destination}`);
  }
  return fs.realpathSync(destination);
}

/** Real path of the capture root. */
function ownDirectory(project: string, captureRoot: string): string {
  const real = fs.existsSync(captureRoot) ? fs.realpathSync(captureRoot) : path.resolve(captureRoot);
  if (real === project) {
    throw new CaptureError("capture-root", `the capture root ${real} is the project itself`, {
      hint: "choose a directory of its own: --capture-root artifacts/captures",
    });
  }
  return real;
}

/**
 * OpenCode installs a package of its own into each directory of configuration that it may write, and without a network its
 * start waits more than a minute for that. It does not where the package is named as installed.
 */
function disarmInstall(root: number, ownership: Ownership): void {
  const dependencies = { "@opencode-ai/plugin": "*" };
  const files = {
    "package.json": JSON.stringify({ dependencies }),
    "package-lock.json": JSON.stringify({ lockfileVersion: 3, packages: { "": { dependencies } } }),
    // OpenCode would write one itself, and that would look like the agent's doing.
    ".gitignore": "",
  };
  try {
    fs.closeSync(openBeneath(root, [".opencode", "node_modules"], ownership));
    const dir = openBeneath(root, [".opencode"], ownership);
    try {
      for (const [name, content] of Object.entries(files)) {
        // What the project has there stays; the start then takes longer.
        if (!isTaken(dir, name)) writeBeneath(dir, name, content, ownership);
      }
    } finally {
      fs.closeSync(dir);
    }
  } catch (error) {
    // Links and files in the way stay as well.
    if (!["ELOOP", "ENOTDIR", "EEXIST"].includes(errnoOf(error) ?? "")) throw error;
  }
}

function isTaken(dir: number, name: string): boolean {
  return fs.lstatSync(atPath(dir, name), { throwIfNoEntry: false }) !== undefined;
}

function addOwnFiles(root: number, options: WorkspaceOptions, ownership: Ownership, copied: CopyResult): void {
  writeBeneath(root, TASK_FILE, options.prompt, ownership);
  copied.files++;
  if (options.projectConfig === true) disarmInstall(root, ownership);
  if (options.pluginFile === undefined) return;
  const parts = PLUGIN_IN_WORKSPACE.split("/");
  try {
    const dir = openBeneath(root, parts.slice(0, -1), ownership);
    try {
      writeBeneath(dir, parts.at(-1) ?? "", fs.readFileSync(options.pluginFile), ownership);
      copied.files++;
    } finally {
      fs.closeSync(dir);
    }
  } catch (error) {
    // A project may have a link or a file in that place. The agent's own plugin is another one, out of its reach.
    if (!["ELOOP", "ENOTDIR", "EEXIST"].includes(errnoOf(error) ?? "")) throw error;
    copied.skipped.push({ path: PLUGIN_IN_WORKSPACE, reason: "symlink" });
  }
}
