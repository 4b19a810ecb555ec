import * as path from "node:path";
import { type Command, Option } from "commander";
import { ensureAgentImage, listAgentImages, removeAgentImages } from "../../engine/image/agent-image.ts";
import type { ContainerEngine } from "../../engine/port.ts";
import { selectEngine } from "../../engine/select.ts";
import { printableJson, visible } from "../../schema/display.ts";
import { cacheDirectory } from "../cache-directory.ts";
import { interruptSignal } from "../interrupt.ts";
import { createProgress } from "../progress.ts";

interface EngineOptions {
  engine: "auto" | "docker" | "podman";
  dockerBin?: string;
}

/** `image build | list | remove`. */
export function registerImage(program: Command): void {
  const image = program.command("image").description("the agent image that runs use by default");
  withEngine(image.command("build").description("build the image if it is not there yet"))
    .option("--opencode-version <version>", "another version of OpenCode than the pinned one")
    .action(async (options: EngineOptions & { opencodeVersion?: string }) => build(options));
  withEngine(image.command("list").description("list the images that were built"))
    .option("--json", "print JSON")
    .action(async (options: EngineOptions & { json?: boolean }) => {
      const images = await listAgentImages(await engineOf(options));
      const lines = images.map(
        ({ tags, id, sizeBytes, createdAt }) =>
          `${visible(tags[0] ?? id)}\t${Math.round(sizeBytes / 1e6)} MB\t${visible(createdAt)}`,
      );
      process.stdout.write(
        options.json === true ? `${printableJson(images)}\n` : lines.map((line) => `${line}\n`).join(""),
      );
    });
  withEngine(image.command("remove").description("remove the images that were built")).action(
    async (options: EngineOptions) => {
      for (const ref of await removeAgentImages(await engineOf(options), { cacheDir: cacheDirectory() }))
        process.stdout.write(`${ref}\n`);
    },
  );
}

async function build(options: EngineOptions & { opencodeVersion?: string }): Promise<void> {
  const progress = createProgress(process.stderr);
  const interrupt = interruptSignal(() => progress.line("stopping …"));
  try {
    const result = await ensureAgentImage(await engineOf(options), {
      onProgress: (line) => progress.line(line),
      signal: interrupt.signal,
      cacheDir: cacheDirectory(),
      ...(options.opencodeVersion === undefined ? {} : { opencodeVersion: options.opencodeVersion }),
    });
    process.stdout.write(`${result.ref}\n`);
  } finally {
    progress.close();
    interrupt.dispose();
  }
}

function withEngine(command: Command): Command {
  return command
    .addOption(new Option("--engine <name>", "container engine").choices(["auto", "docker", "podman"]).default("auto"))
    .option("--docker-bin <path>", "the engine's command line program");
}

function engineOf(options: EngineOptions): Promise<ContainerEngine> {
  return selectEngine({
    engine: options.engine,
    cacheFile: path.join(cacheDirectory(), "engine.json"),
    ...(options.dockerBin === undefined ? {} : { dockerBin: options.dockerBin }),
  });
}
