import { isoNow } from "../../core/clock.ts";
import { SCHEMA_VERSION } from "../../schema/common.ts";
import type { Flows, PacketDns, PacketGreeting } from "../../schema/flows.ts";
import { readDnsMessage } from "../kernel/dns-message.ts";
import { BoundedList } from "./bounded-list.ts";
import { endsOf, FlowTable, flowRecord, type LiveFlow, type SeenAt } from "./flow-table.ts";
import { readPacket, type TransportPacket } from "./packet.ts";
import type { InterfaceBlock, PacketBlock, PcapngContent } from "./pcapng.ts";
import { StreamStart } from "./stream-start.ts";
import { mayBeTls, readGreeting } from "./tls-greeting.ts";

const DNS_PORT = 53;
const MOST_MESSAGES = 10_000;
const MOST_MESSAGE_CHARACTERS = 8 << 20;
const MOST_GREETINGS = 10_000;
const MOST_GREETING_CHARACTERS = 4 << 20;
const MOST_PROTOCOLS = 100;
/** Beginnings of streams that are held at a time, together. */
const MOST_HELD_BYTES = 32 << 20;

/** Makes observations/flows.json out of packets, one after the other, in bounded memory. */
export class PacketAnalyser {
  readonly #table: FlowTable;
  readonly #interfaces: InterfaceBlock[] = [];
  readonly #dns = new BoundedList<PacketDns>(MOST_MESSAGES, MOST_MESSAGE_CHARACTERS);
  readonly #greetings = new BoundedList<PacketGreeting>(MOST_GREETINGS, MOST_GREETING_CHARACTERS);
  readonly #others = new Map<string, number>();
  readonly #counts = { seen: 0, bytes: 0, cut: 0, payload_omitted: 0, unreadable: 0 };
  /** Streams that begin like TLS, and are not read yet. */
  readonly #greeting = new Set<LiveFlow>();
  #heldBytes = 0;
  #unread = 0;
  #unreadableDns = 0;

  /** `model`: `address:port` of the model, whose connections are recorded without payload. */
  constructor(model?: string) {
    this.#table = new FlowTable(model);
  }

  add(content: PcapngContent): void {
    if (content.kind === "interface") this.#interfaces.push(content);
    if (content.kind === "packet") this.#addPacket(content);
  }

  /** What was found so far. `kept` and `dropped` are known to whoever writes the file. */
  result({ kept, dropped }: { kept: number; dropped: number | null }): Flows {
    return {
      schema_version: SCHEMA_VERSION,
      generated_at: isoNow(),
      packets: { ...this.#counts, kept, dropped },
      interfaces: this.#interfaces.map(({ name, linkType }) => ({ name, link_type: linkType })),
      flows: this.#table.all.map(flowRecord),
      unlisted_packets: this.#table.unlistedPackets,
      other_packets: Object.fromEntries(this.#others),
      dns: [...this.#dns.items],
      greetings: [...this.#greetings.items],
      unread_greetings: this.#unread + this.#greeting.size,
      unreadable_dns: this.#unreadableDns,
      unlisted: this.#dns.left + this.#greetings.left,
    };
  }

  #addPacket({ data, lengthBytes, interface: place, timeNs }: PacketBlock): void {
    const from = this.#interfaces[place];
    const counts = this.#counts;
    counts.seen++;
    counts.bytes += lengthBytes;
    const packet = readPacket(data, lengthBytes, from?.linkType ?? 0);
    const isCut = data.length < lengthBytes;
    if (packet.kind === "tcp" || packet.kind === "udp") {
      const seen = { ms: Number(timeNs / 1_000_000n), interface: from?.name ?? "" };
      const flow = this.#table.add(packet, seen);
      if (isCut && flow?.isModel === true) counts.payload_omitted++;
      else if (isCut) counts.cut++;
      if (packet.kind === "udp") this.#readDatagram(packet, flow, seen);
      else if (flow !== undefined) this.#readSegment(packet, flow, seen);
      return;
    }
    if (isCut) counts.cut++;
    if (packet.kind === "other") this.#countOther(packet.protocol);
    else counts.unreadable++;
  }

  #countOther(protocol: string): void {
    const name = this.#others.size < MOST_PROTOCOLS || this.#others.has(protocol) ? protocol : "others";
    this.#others.set(name, (this.#others.get(name) ?? 0) + 1);
  }

  #readDatagram(packet: TransportPacket, flow: LiveFlow | undefined, seen: SeenAt): void {
    if (packet.sourcePort !== DNS_PORT && packet.destinationPort !== DNS_PORT) return;
    const isCut = packet.payload.length < packet.payloadBytes;
    const message = readDnsMessage(packet.payload, isCut);
    if (message === undefined) {
      this.#unreadableDns++;
      return;
    }
    const [from, to] = endsOf(packet);
    const { isAnswer, id, questions, rcode, answers } = message;
    this.#dns.add({
      flow: flow?.number ?? null,
      time: new Date(seen.ms).toISOString(),
      from,
      to,
      is_answer: isAnswer,
      id,
      questions,
      ...(isAnswer ? { rcode, answers } : {}),
      ...(isCut ? { cut: true } : {}),
    });
  }

  /** Puts together what the side that began says first, as long as that may be a greeting. */
  #readSegment(packet: TransportPacket, flow: LiveFlow, seen: SeenAt): void {
    if (flow.start === null || packet.payload.length === 0) return;
    if (flow.isModel) return this.#giveUp(flow);
    const [from] = endsOf(packet);
    if (from !== flow.from) return;
    const seq = packet.syn ? packet.seq + 1 : packet.seq;
    if (flow.start === undefined) {
      if (this.#heldBytes >= MOST_HELD_BYTES) {
        flow.start = null;
        this.#unread++;
        return;
      }
      flow.start = new StreamStart(flow.synSeq === undefined ? seq : flow.synSeq + 1);
    }
    const { start } = flow;
    const before = start.heldBytes;
    start.add(seq, packet.payload);
    this.#heldBytes += start.heldBytes - before;
    this.#readGreeting(flow, start, seen);
  }

  #readGreeting(flow: LiveFlow, start: StreamStart, seen: SeenAt): void {
    const bytes = start.whole;
    if (!mayBeTls(bytes)) return this.#giveUp(flow);
    if (bytes.length === 0) return;
    this.#greeting.add(flow);
    if (bytes.length < flow.neededBytes) return;
    const read = readGreeting(bytes);
    if (read.state === "more") {
      flow.neededBytes = read.neededBytes;
      return;
    }
    if (read.state === "none") this.#unread++;
    else {
      const { serverName, encryptedHello, protocols } = read.greeting;
      this.#greetings.add({
        flow: flow.number,
        time: new Date(seen.ms).toISOString(),
        from: flow.from,
        to: flow.to,
        server_name: serverName,
        ...(encryptedHello ? { encrypted_hello: true } : {}),
        protocols,
        segments: start.segments,
      });
    }
    this.#giveUp(flow);
  }

  #giveUp(flow: LiveFlow): void {
    this.#heldBytes -= flow.start?.heldBytes ?? 0;
    flow.start = null;
    this.#greeting.delete(flow);
  }
}
