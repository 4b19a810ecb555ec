import type { Flows } from "../../schema/flows.ts";
import type { Completeness } from "../../schema/observations.ts";

const KERNEL = "kernel";

/**
 * Why flows can't be held against the events; null: they can. A record that is known to lack something is no reason to
 * stay silent: what it lacks is what the packets show.
 */
export function holeInConnects(completeness: Completeness | null, brokenLines: number): string | null {
  if (brokenLines > 0) return `${brokenLines} lines of the events could not be read`;
  const stated = completeness?.classes.find((one) => one.sensor === KERNEL && one.class === "network");
  if (stated === undefined) return "the kernel sensor states nothing on network";
  return stated.level === "complete" || stated.level === "lossy" ? null : `network: ${stated.reason}`;
}

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
