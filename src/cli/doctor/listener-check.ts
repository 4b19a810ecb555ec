import type { LayerProblem } from "../seccomp-layer.ts";
import type { DoctorCheck } from "./report.ts";

/** The layer that is taken where the kernel sensor can't be used; below it there is polling, which works everywhere. */
export function checkListener(problem: LayerProblem | undefined): DoctorCheck {
  const check = { id: "seccomp-listener", title: "Seccomp layer" };
  if (problem === undefined) {
    return {
      ...check,
      ok: "yes",
      detail: "calls can be seen when they are asked for, where the kernel sensor can't be used",
    };
  }
  const detail = `without the kernel sensor, processes and connections would be polled; ${problem.message}`;
  return { ...check, ok: "warn", detail, fix: problem.hint };
}
