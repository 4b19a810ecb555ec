import type { CaptureError } from "../../core/errors.ts";
import type { DoctorCheck } from "./report.ts";

const WITHOUT = "packets are not recorded, so connections have one witness less";

/** The second witness of the network. Captures work without it. `problem`: why it can't be used here. */
export function checkPackets(problem: CaptureError | undefined): DoctorCheck {
  const check = { id: "packets", title: "Packets" };
  if (problem === undefined) return { ...check, ok: "yes", detail: "a packet socket can be opened and shared" };
  const fix = problem.hint === undefined ? {} : { fix: problem.hint };
  return { ...check, ok: "warn", detail: `${WITHOUT}; ${problem.message}`, ...fix };
}
