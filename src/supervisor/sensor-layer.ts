import { errorMessage } from "../core/errors.ts";
import { MODEL_PORT } from "../gateway/port.ts";
import { KernelSensor } from "../sensors/kernel/kernel-sensor.ts";
import { createPollingSensor } from "../sensors/polling/polling-sensor.ts";
import type { Sensor, SensorReport, SensorTarget } from "../sensors/port.ts";
import { SeccompSensor } from "../sensors/seccomp/seccomp-sensor.ts";
import type { RunPlan } from "./plan.ts";

const MODEL_ADDRESS = `127.0.0.1:${MODEL_PORT}`;

/** What of a plan decides how a container is observed. */
type LayerPlan = Pick<RunPlan, "kernelSensor" | "seccompListener" | "sensor" | "sensitivePatterns">;

/** A sensor that can be taken back as if it had never been. */
type RevocableSensor = Sensor & { discard(): Promise<void> };

/**
 * The sensor of processes, files and connections that the plan names; with `auto`, polling steps in for one that fails.
 * `profileDir`: where a seccomp profile of the container's own can be written.
 */
export function createSensorLayer(plan: LayerPlan, captureDir: string, profileDir = captureDir): Sensor {
  const polling = (): Sensor => createPollingSensor({ captureDir, modelAddress: MODEL_ADDRESS });
  const first = firstLayer(plan, captureDir, profileDir);
  if (first === undefined) return polling();
  return plan.sensor.requested === "auto" ? new SensorWithFallback(first, polling, plan) : first;
}

function firstLayer(plan: LayerPlan, captureDir: string, profileDir: string): RevocableSensor | undefined {
  const { sensitivePatterns, kernelSensor, seccompListener } = plan;
  const common = { captureDir, sensitivePatterns, modelAddress: MODEL_ADDRESS };
  if (kernelSensor !== undefined) return new KernelSensor({ ...common, start: kernelSensor });
  if (seccompListener === undefined) return undefined;
  return new SeccompSensor({ ...common, profileDir, program: seccompListener.program });
}

class SensorWithFallback implements Sensor {
  readonly name: string;
  readonly #first: RevocableSensor;
  readonly #makeSecond: () => Sensor;
  readonly #plan: LayerPlan;
  #second: Sensor | undefined;

  constructor(first: RevocableSensor, makeSecond: () => Sensor, plan: LayerPlan) {
    this.name = first.name;
    this.#first = first;
    this.#makeSecond = makeSecond;
    this.#plan = plan;
  }

  get seccompProfile(): string | undefined {
    return this.#second === undefined ? this.#first.seccompProfile : undefined;
  }

  prepare(): Promise<void> {
    return this.#first.prepare().catch((error: unknown) => this.#fallBack(error));
  }

  async attach(target: SensorTarget): Promise<void> {
    if (this.#second === undefined) {
      const failure = await this.#first.attach(target).then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (failure === undefined) return;
      await this.#fallBack(failure.error);
    }
    await this.#second?.attach(target);
  }

  stop(): Promise<SensorReport> {
    return (this.#second ?? this.#first).stop();
  }

  async #fallBack(error: unknown): Promise<void> {
    const second = this.#makeSecond();
    await this.#first.discard();
    // The record of the run says what was used, and why.
    this.#plan.sensor = { ...this.#plan.sensor, used: second.name, reason: errorMessage(error) };
    this.#second = second;
    await second.prepare();
  }
}
