import type { CompletenessLevel } from "../../schema/common.ts";
import type { CompletenessClass } from "../../schema/observations.ts";
import type { PacketFileStats } from "./packet-file.ts";

export const PACKET_WITNESS = "packets";

/** What is known at the end of a capture of packets. */
export interface PacketBooks {
  from: string;
  to: string;
  /** Packets that the kernel had no room for; null: it did not say. */
  dropped: number | null;
  seen: number;
  cut: number;
  payloadOmitted: number;
  file: PacketFileStats;
  /** Packets, names and greetings that the lists of flows.json had no room for. */
  unlisted: number;
  /** Why the recorder's stream could not be read to its end. */
  fault: string | undefined;
  /** Why the recorder ended early. */
  death: string | undefined;
  /** The recorder has said its last word. */
  isClosed: boolean;
}

interface Fault {
  level: CompletenessLevel;
  reason: string;
  /** Packets that are in no list and no file; null: nobody knows. */
  lost: number | null;
}

export function absentPackets(reason: string): CompletenessClass {
  return {
    class: "packets",
    level: "absent",
    sensor: PACKET_WITNESS,
    reason,
    lost: null,
    from: null,
    to: null,
    started_before_agent: null,
  };
}

/** `complete`: every packet is in the file, and in the lists; payloads are cut as the settings say, and that is told. */
export function packetStatement(books: PacketBooks): CompletenessClass {
  const faults = faultsOf(books);
  const unknown = faults.some(({ lost }) => lost === null);
  const isSampled = faults.some(({ level }) => level === "sampled");
  return {
    class: "packets",
    level: isSampled ? "sampled" : faults.length > 0 ? "lossy" : "complete",
    sensor: PACKET_WITNESS,
    reason: `${faults.map(({ reason }) => reason).join("; ") || wholeReason(books)}${noteOn(books)}`,
    lost: unknown ? null : faults.reduce((sum, { lost }) => sum + (lost ?? 0), 0),
    from: books.from,
    to: books.to,
    started_before_agent: true,
  };
}

function wholeReason({ seen }: PacketBooks): string {
  return `every packet in the container's own network namespace, ${seen} of them; the kernel dropped none`;
}

function noteOn({ cut, payloadOmitted }: PacketBooks): string {
  const notes = [
    ...(cut > 0 ? [`of ${cut} packets only the beginning is recorded`] : []),
    ...(payloadOmitted > 0 ? [`of ${payloadOmitted} packets to and from the model only the headers`] : []),
  ];
  return notes.length === 0 ? "" : `; ${notes.join(", ")}`;
}

function faultsOf({ dropped, file, unlisted, fault, death, isClosed }: PacketBooks): Fault[] {
  const faults: Fault[] = [];
  const add = (reason: string, lost: number | null, level: CompletenessLevel = "lossy"): void => {
    faults.push({ level, reason, lost });
  };
  if (death !== undefined) add(`the recorder ended early (${death}); what came then is not known`, null, "sampled");
  else if (!isClosed) add("the recorder's last statistics did not come", null, "sampled");
  if (fault !== undefined) add(`the recorder's stream could not be read: ${fault}`, null, "sampled");
  if (dropped !== null && dropped > 0) add(`the kernel had no room for ${dropped} packets`, dropped);
  if (file.failure !== undefined) add(`not all packets could be written: ${file.failure}`, file.left);
  else if (file.left > 0) add(`${file.left} packets are beyond the limit of the file`, file.left);
  if (unlisted > 0) add(`${unlisted} packets or names are beyond the limits of the lists in flows.json`, null);
  return faults;
}
