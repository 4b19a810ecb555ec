import { errorMessage } from "../core/errors.ts";
import { MODEL_PORT } from "../gateway/port.ts";
import { KernelSensor } from "../sensors/kernel/kernel-sensor.ts";
import { createPollingSensor } from "../sensors/polling/polling-sensor.ts";
import type { Sensor, SensorReport, SensorTarget } from "../sensors/port.ts";
import type { RunPlan } from "./plan.ts";

const MODEL_ADDRESS = `127.0.0.1:${MODEL_PORT}`;

/** What of a plan decides how a container is observed. */
type LayerPlan = Pick<RunPlan, "kernelSensor" | "sensor" | "sensitivePatterns">;

/** The sensor of processes, files and connections that the plan names; with `auto`, the next layer steps in for one that fails. */
export function createSensorLayer(plan: LayerPlan, captureDir: string): Sensor {
  const polling = (): Sensor => createPollingSensor({ captureDir, modelAddress: MODEL_ADDRESS });
  if (plan.kernelSensor === undefined) return polling();
  const kernel = new KernelSensor({
    captureDir,
    sensitivePatterns: plan.sensitivePatterns,
    modelAddress: MODEL_ADDRESS,
    start: plan.kernelSensor,
  });
  return plan.sensor.requested === "auto" ? new SensorWithFallback(kernel, polling, plan) : kernel;
}

class SensorWithFallback implements Sensor {
  readonly name: string;
  readonly #first: KernelSensor;
  readonly #makeSecond: () => Sensor;
  readonly #plan: LayerPlan;
  #second: Sensor | undefined;

  constructor(first: KernelSensor, makeSecond: () => Sensor, plan: LayerPlan) {
    this.name = first.name;
    this.#first = first;
    this.#makeSecond = makeSecond;
    this.#plan = plan;
  }

  prepare(): Promise<void> {
    return this.#first.prepare();
  }

  async attach(target: SensorTarget): Promise<void> {
    try {
      await this.#first.attach(target);
    } catch (error) {
      const second = this.#makeSecond();
      await this.#first.discard();
      // The record of the run says what was used, and why.
      this.#plan.sensor = { ...this.#plan.sensor, used: second.name, reason: errorMessage(error) };
      this.#second = second;
      await second.prepare();
      await second.attach(target);
    }
  }

  stop(): Promise<SensorReport> {
    return (this.#second ?? this.#first).stop();
  }
}
