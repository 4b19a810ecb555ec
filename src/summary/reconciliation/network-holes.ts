import type { Flows } from "../../schema/flows.ts";
import type { Completeness } from "../../schema/observations.ts";

/**
 * Why a connect may have no flow in the list though it had packets; null: it would be there. That the file of packets was
 * cut takes nothing from the list.
 */
export function holeInPackets(flows: Flows | null, completeness: Completeness | null): string | null {
  const stated = completeness?.classes.find((one) => one.class === "packets");
  if (stated === undefined) return "no packets were recorded";
  if (stated.level === "absent" || stated.level === "sampled") return `packets: ${stated.reason}`;
  if (flows === null) return "there is no list of flows that can be used";
  if (flows.packets.dropped !== 0) return `${flows.packets.dropped ?? "an unknown number of"} packets were dropped`;
  if (flows.unlisted_packets > 0)
    return `${flows.unlisted_packets} packets are of flows that found no room in the list`;
  return null;
}
