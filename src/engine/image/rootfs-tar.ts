import { copyFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { CaptureError } from "../../core/errors.ts";
import { exec } from "../../core/exec.ts";
import { inOwnNamespaces, runTool, type ToolResult } from "../run-tool.ts";
import { readAptSetup } from "./apt-setup.ts";
import type { StepOptions } from "./npm-packages.ts";
import type { AgentRecipe } from "./recipe.ts";

const INSTALL_HINT = "sudo apt-get install --yes --no-install-recommends mmdebstrap";

/** Whether the image can be built from distribution packages here; else why not. */
export async function distributionPackagesProblem(): Promise<CaptureError | undefined> {
  const found = await exec("mmdebstrap", ["--version"]);
  if (found.exitCode !== 0) {
    return new CaptureError("image-build-failed", "mmdebstrap is not installed", { hint: INSTALL_HINT });
  }
  return readAptSetup().then(
    () => undefined,
    (problem: unknown) => {
      if (problem instanceof CaptureError) return problem;
      throw problem;
    },
  );
}

/**
 * Writes the tar of a root file system made of distribution packages and the content of `stage`.
 * `workDir` holds everything that is left over when it breaks off; the caller removes it.
 */
export async function buildRootfsTar(
  recipe: AgentRecipe,
  stage: string,
  workDir: string,
  options: StepOptions = {},
): Promise<string> {
  const apt = await readAptSetup();
  const sourcesFile = path.join(workDir, "distribution.sources");
  await writeFile(sourcesFile, apt.sources);
  // Everything goes in by hooks: a path that is in a tar twice can't be imported.
  await copyFile(path.join(recipe.dir, "finish-rootfs.sh"), path.join(stage, "finish-rootfs.sh"));
  const tarFile = path.join(workDir, "rootfs.tar");
  const args = [
    "--variant=minbase",
    "--format=tar",
    `--include=${recipe.packages.join(",")}`,
    ...["man", "locale"].map((kind) => `--dpkgopt=path-exclude=/usr/share/${kind}/*`),
    ...apt.options.map((option) => `--aptopt=${option}`),
    `--customize-hook=sync-in ${shellQuote(stage)} /`,
    '--customize-hook=chroot "$1" sh /finish-rootfs.sh',
    '--customize-hook=rm "$1/finish-rootfs.sh"',
    apt.suite,
    tarFile,
    sourcesFile,
  ];
  const result = await runMmdebstrap(args, workDir, {
    ...options,
    onLine: (line) => options.onLine?.(shortLine(line)),
  });
  if (result.ok) return tarFile;
  throw new CaptureError("image-build-failed", `mmdebstrap failed: ${result.failure}`, {
    hint: `check that apt works here (sudo apt-get update). Its last lines:\n${result.tail.join("\n")}`,
  });
}

/** Any other user than root needs a directory that the ids of a user namespace can reach, which a home directory is not. */
function runMmdebstrap(args: readonly string[], workDir: string, options: StepOptions): Promise<ToolResult> {
  if (process.getuid?.() === 0) {
    const own = inOwnNamespaces("mmdebstrap", args);
    return runTool(own.file, own.args, { ...options, env: { TMPDIR: workDir } });
  }
  return runTool("mmdebstrap", args, { ...options, env: { TMPDIR: tmpdir() }, killSignal: "SIGTERM" });
}

/** The tool's own messages that tell a reader something; the rest goes to the tail of an error only. */
const TELLING = /^I: ((running apt-get update|downloading|extracting|installing|creating tarball).*?)\.*$/;

function shortLine(line: string): string {
  return TELLING.exec(line)?.[1] ?? "";
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
