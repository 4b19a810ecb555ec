import { MODEL_PORT } from "../gateway/port.ts";
import { PacketSensor } from "../sensors/packets/packet-sensor.ts";
import type { Sensor } from "../sensors/port.ts";
import { runLimits } from "./run-limits.ts";
import type { RunState } from "./run-state.ts";

/** The recorder of packets in the container's network namespace, where the plan has one. */
export function packetWitness({ plan, captureDir }: Pick<RunState, "plan" | "captureDir">): Sensor[] {
  const witness = plan.packetWitness;
  if (witness === undefined) return [];
  const limits = runLimits(plan.limits);
  const sensor = new PacketSensor({
    captureDir,
    program: witness.program,
    modelAddress: `127.0.0.1:${MODEL_PORT}`,
    limits: { fileBytes: limits.packets, packetBytes: limits.packet },
    onState: (state) => {
      witness.state = state;
    },
  });
  return [sensor];
}
