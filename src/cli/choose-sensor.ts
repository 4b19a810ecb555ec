import * as fs from "node:fs";
import { CaptureError } from "../core/errors.ts";
import { witnessProgram } from "../sensors/fanotify/witness-process.ts";
import { sensorProcesses, sensorProgram } from "../sensors/kernel/sensor-process.ts";
import type { StartSource } from "../sensors/kernel/source.ts";
import type { RunPlan } from "../supervisor/plan.ts";
import type { Settings } from "./settings.ts";

export type SensorChoice = Pick<RunPlan, "sensor" | "kernelSensor" | "fileWitness">;

const BUILD = "scripts/build-sensor.sh";

/**
 * Decides how runs are observed. `auto`: by the kernel sensor where it is built; a run in which it does not start then is
 * polled, and says why. `kernel`: by it or not at all.
 * @throws CaptureError `sensor-unavailable` when `kernel` was asked for and can't be had.
 */
export async function chooseSensor(requested: Settings["sensor"], packageRoot: string): Promise<() => SensorChoice> {
  const polling = (reason: string) => (): SensorChoice => ({
    sensor: { requested, used: "polling", reason },
    kernelSensor: undefined,
    fileWitness: { program: witnessProgram(packageRoot) },
  });
  if (requested === "polling") return polling("it was asked for");
  const program = sensorProgram(packageRoot);
  const isBuilt = fs.existsSync(program);
  if (!isBuilt && requested === "auto") return polling(`the kernel sensor is not built (${BUILD} builds it)`);
  if (!isBuilt) {
    throw new CaptureError("sensor-unavailable", `the kernel sensor is not built: there is no ${program}`, {
      hint: `build it: ${BUILD}; or leave --sensor out to use what works here`,
    });
  }
  const kernelSensor = sensorProcesses({ program });
  if (requested === "kernel") await tryOut(kernelSensor);
  const reason = requested === "kernel" ? "it was asked for, and works here" : "it is built, and is the best there is";
  const fileWitness = { program: witnessProgram(packageRoot) };
  return () => ({ sensor: { requested, used: "kernel", reason }, kernelSensor, fileWitness: { ...fileWitness } });
}

async function tryOut(start: StartSource): Promise<void> {
  const source = await start({ onRecords: () => {}, onDeath: () => {} });
  await source.stop();
}
