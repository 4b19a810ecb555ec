import { existsSync } from "node:fs";
import { CaptureError, errorMessage } from "../../core/errors.ts";
import type { ReadyRecord } from "../../sensors/kernel/record.ts";
import { sensorProcesses } from "../../sensors/kernel/sensor-process.ts";
import type { DoctorCheck } from "./report.ts";

const WITHOUT = "polling, or the seccomp layer where it works: less is seen";

/** Loads the kernel sensor for real, sees its own test process, and ends it; why that fails is the check's text. */
export async function trySensor(program: string): Promise<ReadyRecord | CaptureError> {
  if (!existsSync(program)) {
    return new CaptureError("sensor-unavailable", "the kernel sensor is not built", {
      hint: "scripts/build-sensor.sh",
    });
  }
  try {
    const source = await sensorProcesses({ program })({ onRecords: () => {}, onDeath: () => {} });
    const { failure } = await source.stop();
    return failure === undefined ? source.ready : new CaptureError("sensor-unavailable", failure);
  } catch (thrown) {
    return thrown instanceof CaptureError ? thrown : new CaptureError("sensor-unavailable", errorMessage(thrown));
  }
}

/** What is observed here, and how well. Without the kernel sensor captures work, but see less. */
export function checkSensor(tried: ReadyRecord | CaptureError): DoctorCheck {
  const check = { id: "sensor", title: "Sensor" };
  if (tried instanceof CaptureError) {
    const fix = tried.hint === undefined ? {} : { fix: tried.hint };
    return { ...check, ok: "warn", detail: `${WITHOUT}; ${tried.message}`, ...fix };
  }
  const { programs, refused } = tried;
  if (refused.length === 0) return { ...check, ok: "yes", detail: `kernel: it loads and sees, ${programs} programs` };
  return {
    ...check,
    ok: "warn",
    detail: `kernel, but this kernel refuses ${refused.join(", ")}: what they would see is missing`,
  };
}
