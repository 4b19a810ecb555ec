import * as path from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { EXIT } from "../../core/errors.ts";
import { PACKAGE_ROOT, toolVersion } from "../../core/package-root.ts";
import { printableJson } from "../../schema/display.ts";
import { runSelftest } from "../../selftest/run-selftest.ts";
import { createSensorLayer } from "../../supervisor/sensor-layer.ts";
import { interruptSignal } from "../interrupt.ts";
import { prepareRuns } from "../prepare-runs.ts";
import { createProgress } from "../progress.ts";
import { renderSelftest } from "../selftest-report.ts";
import { storeSelftest } from "../selftest-store.ts";
import { resolveSettings } from "../settings.ts";

interface SelftestCommandOptions {
  engine?: string;
  dockerBin?: string;
  imageRef?: string;
  sensor?: string;
  count: number;
  rate: number;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  $ opencode-capture selftest
  $ opencode-capture selftest --sensor polling
  $ opencode-capture selftest --count 1000 --rate 2000 --json

A program in a container like that of a run does known things; what the sensor recorded of them is compared, exactly.
The last result is kept, and every capture refers to it (selftest in meta/run.json).
Exit codes: 0 everything was seen; 1 something was not, or was recorded that did not happen; 2 usage; 3 the test could not be done.
`;

const DEFAULT_COUNT = 200;
const DEFAULT_PER_SECOND = 500;
const MAX_COUNT = 5000;

export function registerSelftest(program: Command): void {
  program
    .command("selftest")
    .description("measure on this machine how much of known work the sensor sees")
    .option("--engine <name>", "auto, docker or podman (default: auto)")
    .option("--docker-bin <path>", "the engine's command line program, docker or podman")
    .option("--image-ref <ref>", "image to test in; it needs python3 (default: the one that this program builds)")
    .option("--sensor <name>", "the sensor to test (default: auto, the one that runs use)")
    .option("--count <n>", "how often each thing is done", parseCount, DEFAULT_COUNT)
    .option("--rate <n>", "how many a second", parseCount, DEFAULT_PER_SECOND)
    .option("--json", "print JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (options: SelftestCommandOptions) => {
      process.exitCode = await selftest(options);
    });
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > MAX_COUNT)
    throw new InvalidArgumentError(`it must be a whole number from 1 to ${MAX_COUNT}.`);
  return value;
}

async function selftest(options: SelftestCommandOptions): Promise<number> {
  const { engine, dockerBin, imageRef, sensor } = options;
  const flags = { engine, docker_bin: dockerBin, image_ref: imageRef, sensor };
  const settings = resolveSettings(flags, process.env, PACKAGE_ROOT);
  const progress = createProgress(process.stderr);
  const interrupt = interruptSignal(() => progress.line("stopping …"));
  try {
    const base = await prepareRuns(settings, progress, interrupt.signal);
    const observing = { ...base.sensor(), sensitivePatterns: base.sensitivePatterns };
    progress.status("doing known things in a container");
    const result = await runSelftest({
      engine: base.engine,
      imageRef: base.imageRef,
      seccompProfile: path.join(PACKAGE_ROOT, "config", "seccomp.json"),
      toolVersion: toolVersion(),
      count: options.count,
      perSecond: options.rate,
      createSensor: (dir) => createSensorLayer(observing, dir),
      sensorUsed: () => observing.sensor.used,
      signal: interrupt.signal,
    });
    progress.line(`sensor   ${observing.sensor.used}: ${observing.sensor.reason}`);
    progress.close();
    storeSelftest(result);
    process.stdout.write(options.json === true ? `${printableJson(result)}\n` : renderSelftest(result));
    return result.verdict === "complete" ? EXIT.ok : EXIT.invalidCapture;
  } finally {
    progress.close();
    interrupt.dispose();
  }
}
