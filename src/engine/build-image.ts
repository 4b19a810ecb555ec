import { z } from "zod";
import { CaptureError } from "../core/errors.ts";
import type { Dialect } from "./dialect.ts";
import { type EngineCommand, runEngine } from "./engine-command.ts";
import { withLargeTemp } from "./large-temp.ts";
import type { BuildOptions } from "./port.ts";
import { inOwnNamespaces, runTool } from "./run-tool.ts";

export interface BuildInput {
  contextDir: string;
  containerfile: string;
  ref: string;
}

/** Builds an image; the error carries the last lines of the engine's output. A broken build leaves no container. */
export async function buildImage(
  command: EngineCommand,
  dialect: Dialect,
  { contextDir, containerfile, ref }: BuildInput,
  options: BuildOptions,
): Promise<void> {
  const startedAtSeconds = Math.floor(Date.now() / 1000);
  const labels = Object.entries(options.labels ?? {}).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
  const args = ["build", ...dialect.buildFlags, ...labels, "--tag", ref, "--file", containerfile, contextDir];
  const whole = { file: command.bin, args: [...command.globalArgs, ...args] };
  const own = dialect.buildsInClient && process.getuid?.() === 0 ? inOwnNamespaces(whole.file, whole.args) : whole;
  const { signal, onLine } = options;
  const result = await withLargeTemp((TMPDIR) => runTool(own.file, own.args, { signal, onLine, env: { TMPDIR } }));
  if (result.ok) return;
  if (dialect.buildsInClient) await removeWorkingContainers(command, startedAtSeconds);
  throw new CaptureError("image-build-failed", `${command.kind} build failed: ${result.failure}`, {
    hint: `Its last lines:\n${result.tail.join("\n")}`,
  });
}

const storageContainers = z.array(
  z.object({ Id: z.string(), State: z.string(), Created: z.number(), Command: z.array(z.string()).nullish() }),
);

/** Working containers carry no label: what a build made since `startedAtSeconds` is taken for ours. */
async function removeWorkingContainers(command: EngineCommand, startedAtSeconds: number): Promise<void> {
  const listed = await runEngine(command, ["ps", "--all", "--external", "--format", "json"]);
  const parsed = storageContainers.safeParse(listed.exitCode === 0 ? JSON.parse(listed.stdout) : undefined);
  for (const { Id, State, Created, Command } of parsed.data ?? []) {
    const isOurs = State === "storage" && Command?.[0] === "buildah" && Created >= startedAtSeconds;
    if (isOurs) await runEngine(command, ["rm", "--force", Id]);
  }
}
