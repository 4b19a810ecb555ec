import type { PacketFlow } from "../../schema/flows.ts";
import { formatIp } from "../polling/net-parse.ts";
import type { TransportPacket } from "./packet.ts";
import type { StreamStart } from "./stream-start.ts";

/** Most flows that are listed. */
export const MOST_FLOWS = 20_000;

interface SideTally {
  packets: number;
  bytes: number;
}

/** One flow while packets come. */
export interface LiveFlow {
  readonly number: number;
  readonly transport: PacketFlow["transport"];
  readonly from: string;
  readonly to: string;
  /** Address and port of the side that began, as bytes. */
  readonly fromKey: string;
  readonly interface: string;
  readonly firstMs: number;
  lastMs: number;
  readonly forward: SideTally;
  readonly back: SideTally;
  opening: PacketFlow["opening"];
  /** Sequence number of its SYN, where that was seen. */
  synSeq: number | undefined;
  isModel: boolean;
  /** What the side that began says first; null: nothing more is to be learned from it. */
  start: StreamStart | undefined | null;
  /** So much of it must be there before it is worth another look. */
  neededBytes: number;
}

export interface SeenAt {
  ms: number;
  interface: string;
}

/** The flows of a capture, by the addresses and ports of both sides. Bounded. */
export class FlowTable {
  readonly #open = new Map<string, LiveFlow>();
  readonly #all: LiveFlow[] = [];
  /** `address:port` of the model. */
  readonly #model: string | undefined;
  #unlisted = 0;

  constructor(model: string | undefined) {
    this.#model = model;
  }

  get all(): readonly LiveFlow[] {
    return this.#all;
  }

  /** Packets of flows for which there was no room. */
  get unlistedPackets(): number {
    return this.#unlisted;
  }

  /** @returns the packet's flow; undefined: there is no room for it. */
  add(packet: TransportPacket, seen: SeenAt): LiveFlow | undefined {
    const source = keyOf(packet.source, packet.sourcePort);
    const destination = keyOf(packet.destination, packet.destinationPort);
    const ends = source < destination ? `${source}${destination}` : `${destination}${source}`;
    const key = `${packet.kind}${packet.version}${ends}`;
    let flow = this.#open.get(key);
    if (flow === undefined || beginsAnew(flow, packet)) {
      if (this.#all.length >= MOST_FLOWS) {
        this.#unlisted++;
        this.#open.delete(key);
        return undefined;
      }
      flow = this.#begin(packet, seen);
      this.#open.set(key, flow);
    }
    count(flow, packet, seen.ms, source === flow.fromKey);
    return flow;
  }

  #begin(packet: TransportPacket, seen: SeenAt): LiveFlow {
    // An answer that comes first shows that the question was missed.
    const isAnswer = packet.kind === "tcp" && packet.syn && packet.hasAck;
    const [source, destination] = endsOf(packet);
    const [from, to] = isAnswer ? [destination, source] : [source, destination];
    const isSyn = packet.syn && !packet.hasAck;
    const flow: LiveFlow = {
      number: this.#all.length,
      transport: packet.version === 6 ? `${packet.kind}6` : packet.kind,
      from,
      to,
      fromKey: isAnswer ? keyOf(packet.destination, packet.destinationPort) : keyOf(packet.source, packet.sourcePort),
      interface: seen.interface,
      firstMs: seen.ms,
      lastMs: seen.ms,
      forward: { packets: 0, bytes: 0 },
      back: { packets: 0, bytes: 0 },
      opening: packet.kind === "udp" ? undefined : isSyn ? "unanswered" : isAnswer ? "answered" : "not-seen",
      synSeq: isSyn ? packet.seq : undefined,
      isModel: packet.kind === "tcp" && (from === this.#model || to === this.#model),
      start: packet.kind === "udp" ? null : undefined,
      neededBytes: 0,
    };
    this.#all.push(flow);
    return flow;
  }
}

/** A SYN with another number on the same ports is another connection; the same number is the same SYN once more. */
function beginsAnew(flow: LiveFlow, packet: TransportPacket): boolean {
  return packet.kind === "tcp" && packet.syn && !packet.hasAck && packet.seq !== flow.synSeq;
}

function count(flow: LiveFlow, packet: TransportPacket, ms: number, isForward: boolean): void {
  const side = isForward ? flow.forward : flow.back;
  side.packets++;
  side.bytes += packet.payloadBytes;
  flow.lastMs = Math.max(flow.lastMs, ms);
  if (isForward || flow.opening !== "unanswered") return;
  if (packet.rst) flow.opening = "refused";
  else if (packet.syn && packet.hasAck) flow.opening = "answered";
}

function keyOf(address: Buffer, port: number): string {
  return `${address.toString("latin1")}${String.fromCharCode(port)}`;
}

/** `address:port` of sender and receiver. */
export function endsOf(packet: TransportPacket): [string, string] {
  return [
    `${formatIp(packet.source)}:${packet.sourcePort}`,
    `${formatIp(packet.destination)}:${packet.destinationPort}`,
  ];
}

/** As it stands in flows.json. */
export function flowRecord(flow: LiveFlow): PacketFlow {
  return {
    flow: flow.number,
    transport: flow.transport,
    from: flow.from,
    to: flow.to,
    interface: flow.interface,
    first_at: new Date(flow.firstMs).toISOString(),
    last_at: new Date(flow.lastMs).toISOString(),
    forward: flow.forward,
    back: flow.back,
    ...(flow.opening === undefined ? {} : { opening: flow.opening }),
    ...(flow.isModel ? { payload_omitted: true } : {}),
  };
}
