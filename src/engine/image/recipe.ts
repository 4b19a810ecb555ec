import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { CaptureError } from "../../core/errors.ts";
import { PACKAGE_ROOT } from "../../core/package-root.ts";

const AGENT_IMAGE_REPOSITORY = "localhost/opencode-capture-agent";
const AGENT_IMAGE_LABEL_KEY = "org.opencode-capture.image";
export const AGENT_IMAGE_LABEL = `${AGENT_IMAGE_LABEL_KEY}=agent`;
const OPENCODE_VERSION_LABEL_KEY = "org.opencode-capture.opencode-version";

const RECIPE_DIR = path.join(PACKAGE_ROOT, "image");
const RECIPE_FILES = ["Containerfile", "finish-rootfs.sh", "package-lock.json", "package.json", "packages.txt"];
/** Raise when the code beside this file builds something else from the same recipe files. */
const RECIPE_VERSION = 1;
const EXACT_VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

/** One agent image, fully determined by the files in image/, the OpenCode version and the processor. */
export interface AgentRecipe {
  dir: string;
  /** Distribution packages. */
  packages: readonly string[];
  opencodePackage: string;
  opencodeVersion: string;
  /** Whether package-lock.json pins this OpenCode package with its hash; else the registry's word is taken. */
  opencodePinned: boolean;
  /** The base image of the Containerfile. */
  baseImage: string;
  /** The Containerfile's instructions on environment, user and labels, for an import. */
  changes: readonly string[];
  labels: Readonly<Record<string, string>>;
  /** Name with content-addressed tag. */
  ref: string;
  /** The tag: first 16 digits of the SHA-256 of every input. */
  tag: string;
}

export interface RecipeOptions {
  /** Exact version; default is the one that image/package.json pins. */
  opencodeVersion?: string | undefined;
}

/** Reads the recipe. CaptureError `usage` for a version that is not an exact one. */
export async function loadRecipe(options: RecipeOptions = {}): Promise<AgentRecipe> {
  const files = await Promise.all(RECIPE_FILES.map((name) => readFile(path.join(RECIPE_DIR, name), "utf8")));
  const [containerfile = "", , lock = "{}", , packages = ""] = files;
  const opencodePackage = await opencodePackageName();
  const pinned = pinnedVersions(lock);
  const opencodeVersion = options.opencodeVersion ?? pinned.get("opencode-linux-x64") ?? "";
  if (!EXACT_VERSION.test(opencodeVersion)) {
    throw new CaptureError("usage", `not an exact OpenCode version: ${JSON.stringify(opencodeVersion)}`, {
      hint: "give the whole version, for example --opencode-version 1.18.33",
    });
  }
  const inputs = [RECIPE_VERSION, process.arch, opencodePackage, opencodeVersion, ...files];
  const tag = createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16);
  return {
    dir: RECIPE_DIR,
    packages: packages.split("\n").filter((line) => line !== "" && !line.startsWith("#")),
    opencodePackage,
    opencodeVersion,
    opencodePinned: pinned.get(opencodePackage) === opencodeVersion,
    baseImage: /^FROM (\S+)$/m.exec(containerfile)?.[1] ?? "",
    changes: containerfile.split("\n").filter((line) => /^(ENV|USER|WORKDIR|LABEL|CMD) /.test(line)),
    labels: { [AGENT_IMAGE_LABEL_KEY]: "agent", [OPENCODE_VERSION_LABEL_KEY]: opencodeVersion },
    ref: `${AGENT_IMAGE_REPOSITORY}:${tag}`,
    tag,
  };
}

/** Versions in package-lock.json by package name. */
function pinnedVersions(lock: string): Map<string, string> {
  const parsed = JSON.parse(lock) as { packages?: Record<string, { version?: string }> };
  const entries = Object.entries(parsed.packages ?? {}).map(
    ([where, entry]) => [where.replace("node_modules/", ""), entry.version ?? ""] as const,
  );
  return new Map(entries);
}

/** OpenCode's package for this processor. Without AVX2 only the baseline build runs. */
async function opencodePackageName(): Promise<string> {
  if (process.arch === "arm64") return "opencode-linux-arm64";
  if (process.arch !== "x64") {
    throw new CaptureError("image-build-failed", `OpenCode has no build for ${process.arch}`);
  }
  const cpuinfo = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
  return cpuinfo !== "" && !/\bavx2\b/.test(cpuinfo) ? "opencode-linux-x64-baseline" : "opencode-linux-x64";
}
