import * as os from "node:os";
import { CaptureError, errorMessage } from "../../core/errors.ts";
import { WitnessProcess } from "../../sensors/fanotify/witness-process.ts";
import type { DoctorCheck } from "./report.ts";

const WITHOUT = "the contents of files that come and go in a run are not kept";

/** Lets the file witness look at a directory of this machine for a moment; why that fails is the check's text. */
export async function tryWitness(program: string): Promise<"sees" | CaptureError> {
  const directories = [os.tmpdir()];
  try {
    const options = { program, pid: process.pid, directories, fileBytes: 1, onRecord: () => {} };
    const { process: witness, ready } = await WitnessProcess.start(options);
    const failure = await witness.stop();
    if (failure !== undefined) return new CaptureError("sensor-unavailable", failure);
    if (ready.seen > 0) return "sees";
    return new CaptureError("sensor-unavailable", `it watched ${directories[0]} and did not see its own file there`);
  } catch (thrown) {
    return thrown instanceof CaptureError ? thrown : new CaptureError("sensor-unavailable", errorMessage(thrown));
  }
}

/** The second witness of files. Captures work without it, but hold less. */
export function checkWitness(tried: "sees" | CaptureError): DoctorCheck {
  const check = { id: "file-witness", title: "File witness" };
  if (tried === "sees") return { ...check, ok: "yes", detail: "fanotify: it is handed what is written" };
  const fix = tried.hint === undefined ? {} : { fix: tried.hint };
  return { ...check, ok: "warn", detail: `${WITHOUT}; ${tried.message}`, ...fix };
}
