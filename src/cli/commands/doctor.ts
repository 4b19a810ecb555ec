import * as path from "node:path";
import type { Command } from "commander";
import { EXIT } from "../../core/errors.ts";
import { PACKAGE_ROOT, toolVersion } from "../../core/package-root.ts";
import { tryEngines } from "../../engine/select.ts";
import { printableJson } from "../../schema/display.ts";
import { cacheDirectory } from "../cache-directory.ts";
import { collectDoctorReport } from "../doctor/collect.ts";
import { renderDoctorReport } from "../doctor/report.ts";
import { resolveSettings } from "../settings.ts";

interface DoctorOptions {
  captureRoot?: string;
  dockerBin?: string;
  json?: boolean;
}

/** `doctor`: what this machine can do. Exit code 0 when a capture can be made, else 3. */
export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .description('say what this machine can do, and for each "no" the command that mends it')
    .option("--capture-root <dir>", "where captures would go (default: artifacts/captures of the project)")
    .option("--docker-bin <path>", "the engine's command line program, docker or podman")
    .option("--json", "print JSON")
    .action(async (options: DoctorOptions) => {
      const settings = resolveSettings(
        { capture_root: options.captureRoot, docker_bin: options.dockerBin },
        process.env,
        PACKAGE_ROOT,
      );
      const report = await collectDoctorReport({
        toolVersion: toolVersion(),
        captureRoot: settings.capture_root,
        model: settings.model,
        tryEngines: () =>
          tryEngines({
            engine: settings.engine,
            dockerBin: settings.docker_bin,
            cacheFile: path.join(cacheDirectory(), "engine.json"),
          }),
      });
      process.stdout.write(options.json === true ? `${printableJson(report)}\n` : renderDoctorReport(report));
      process.exitCode = report.ready ? EXIT.ok : EXIT.nothingCaptured;
    });
}
