import * as fs from "node:fs";
import { CaptureError, errorMessage } from "../core/errors.ts";
import type { EngineDescription } from "../engine/port.ts";
import { witnessProgram } from "../sensors/fanotify/witness-process.ts";
import { sensorProcesses, sensorProgram } from "../sensors/kernel/sensor-process.ts";
import type { StartSource } from "../sensors/kernel/source.ts";
import { listenerProgram } from "../sensors/seccomp/listener-process.ts";
import type { RunPlan } from "../supervisor/plan.ts";
import { listenerProblem } from "./seccomp-layer.ts";
import { SensorMemory } from "./sensor-memory.ts";
import type { Settings } from "./settings.ts";

export type SensorChoice = Pick<RunPlan, "sensor" | "kernelSensor" | "seccompListener" | "fileWitness">;

const BUILD = "scripts/build-sensor.sh";
const ASKED_FOR = "it was asked for";
const BEST = "it is built, and is the best there is";

/**
 * Decides how runs are observed. `auto`: by the kernel sensor where it works, else by the seccomp layer where kernel and
 * container runtime are able, else by looks. A run in which the kernel sensor does not start then is polled, and says why.
 * `kernel`, `seccomp`: by it or not at all. `engine`: what runs the containers. `memoryFile`: where it is kept that the
 * kernel sensor worked here; without it the sensor is tried each time.
 * @throws CaptureError `sensor-unavailable` when a layer was asked for and can't be had.
 */
export async function chooseSensor(
  requested: Settings["sensor"],
  packageRoot: string,
  engine?: EngineDescription,
  memoryFile?: string,
): Promise<() => SensorChoice> {
  const choice =
    (used: string, reason: string, layer: Partial<SensorChoice> = {}) =>
    (): SensorChoice => ({
      sensor: { requested, used, reason },
      kernelSensor: undefined,
      seccompListener: undefined,
      fileWitness: { program: witnessProgram(packageRoot) },
      ...layer,
    });
  if (requested === "polling") return choice("polling", ASKED_FOR);
  const seccompListener = { program: listenerProgram(packageRoot) };
  const program = sensorProgram(packageRoot);
  const kernelSensor = sensorProcesses({ program });
  const isBuilt = fs.existsSync(program);
  const memory = isBuilt && memoryFile !== undefined ? new SensorMemory(memoryFile, program) : undefined;
  const kernel = (reason: string) => choice("kernel", reason, { kernelSensor });
  if (requested === "kernel") {
    if (!isBuilt) throw unavailable(`the kernel sensor is not built: there is no ${program}`, `build it: ${BUILD}`);
    if (memory?.worked() !== true) await tryOut(kernelSensor, memory);
    return kernel(`${ASKED_FOR}, and works here`);
  }
  if (requested === "auto" && memory?.worked() === true) return kernel(BEST);
  const problem = await listenerProblem(packageRoot, engine);
  if (requested === "seccomp") {
    if (problem !== undefined) throw unavailable(problem.message, problem.hint);
    return choice("seccomp", `${ASKED_FOR}, and works here`, { seccompListener });
  }
  // Where only looks are left to fall back to, the run itself does that: a trial here would tell nothing more.
  const fault = isBuilt
    ? problem === undefined && (await faultOf(kernelSensor, memory))
    : `the kernel sensor is not built (${BUILD} builds it)`;
  if (typeof fault !== "string") return kernel(BEST);
  if (problem === undefined) return choice("seccomp", fault, { seccompListener });
  return choice("polling", `${fault}; ${problem.message}`);
}

function unavailable(message: string, hint: string): CaptureError {
  return new CaptureError("sensor-unavailable", message, {
    hint: `${hint}; or leave --sensor out to use what works here`,
  });
}

async function faultOf(start: StartSource, memory: SensorMemory | undefined): Promise<string | undefined> {
  try {
    await tryOut(start, memory);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}

async function tryOut(start: StartSource, memory: SensorMemory | undefined): Promise<void> {
  const source = await start({ onRecords: () => {}, onDeath: () => {} });
  await source.stop();
  memory?.remember();
}
