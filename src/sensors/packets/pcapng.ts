/**
 * Reads pcapng as native/packets writes it (draft-ietf-opsawg-pcapng; little-endian, times in nanoseconds). The packets in
 * it are the agent's, the frame around them is ours; a frame that is not as it should be ends the reading.
 */
const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const STATISTICS = 5;
const PACKET = 6;
const BYTE_ORDER = 0x1a2b3c4d;
const MIN_BLOCK_BYTES = 12;
const MAX_BLOCK_BYTES = 128 << 10;
const MAX_INTERFACES = 256;

const OPTION_COMMENT = 1;
const OPTION_NAME = 2;
const OPTION_DROPPED = 7;
const LAST_STATISTICS = "last statistics";

export interface PacketBlock {
  kind: "packet";
  /** Place in the list of interfaces. */
  interface: number;
  timeNs: bigint;
  /** As much of the packet as was recorded. */
  data: Buffer;
  /** Its length on the wire. */
  lengthBytes: number;
}

export interface StatisticsBlock {
  kind: "statistics";
  interface: number;
  /** Packets that the kernel had no room for, since the beginning. */
  dropped: number;
  /** Nothing follows: the recorder ended in order. */
  isLast: boolean;
}

export interface InterfaceBlock {
  kind: "interface";
  name: string;
  linkType: number;
}

export type PcapngContent = PacketBlock | StatisticsBlock | InterfaceBlock | { kind: "section" };

/** A block as it stands in the stream, and what it says. */
export interface PcapngBlock {
  raw: Buffer;
  content: PcapngContent;
}

class PcapngFault extends Error {}

/** Splits a stream into blocks, whatever the pieces it comes in. */
export class PcapngReader {
  #rest: Buffer = Buffer.alloc(0);
  #interfaces = 0;
  #begun = false;
  #fault: string | undefined;

  /** Why nothing more is read; undefined as long as all is well. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Bytes of a block that is not whole yet. */
  get pendingBytes(): number {
    return this.#rest.length;
  }

  /** @returns the blocks that are whole now; they share the memory of `chunk`. */
  push(chunk: Buffer): PcapngBlock[] {
    if (this.#fault !== undefined) return [];
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const blocks: PcapngBlock[] = [];
    let at = 0;
    try {
      while (bytes.length - at >= MIN_BLOCK_BYTES) {
        const length = blockLength(bytes, at);
        if (bytes.length - at < length) break;
        const raw = bytes.subarray(at, at + length);
        if (raw.readUInt32LE(length - 4) !== length) throw new PcapngFault("a block has two lengths");
        blocks.push({ raw, content: this.#read(raw) });
        at += length;
      }
      this.#rest = Buffer.from(bytes.subarray(at));
    } catch (error) {
      if (!(error instanceof PcapngFault)) throw error;
      this.#fault = error.message;
      this.#rest = Buffer.alloc(0);
    }
    return blocks;
  }

  #read(raw: Buffer): PcapngContent {
    const type = raw.readUInt32LE(0);
    const body = raw.subarray(8, raw.length - 4);
    if (type === SECTION) {
      if (this.#begun || body.length < 16 || body.readUInt32LE(0) !== BYTE_ORDER)
        throw new PcapngFault("a section that is not ours");
      this.#begun = true;
      return { kind: "section" };
    }
    if (!this.#begun) throw new PcapngFault("it does not begin with a section");
    if (type === INTERFACE) return this.#readInterface(body);
    if (type === PACKET) return this.#readPacket(body);
    if (type === STATISTICS) return this.#readStatistics(body);
    throw new PcapngFault(`a block of type ${type}`);
  }

  #readInterface(body: Buffer): InterfaceBlock {
    if (body.length < 8 || this.#interfaces === MAX_INTERFACES) throw new PcapngFault("an interface too many");
    this.#interfaces++;
    const name = optionsOf(body.subarray(8)).get(OPTION_NAME);
    return { kind: "interface", name: name?.toString("utf8") ?? "", linkType: body.readUInt16LE(0) };
  }

  #readPacket(body: Buffer): PacketBlock {
    if (body.length < 20) throw new PcapngFault("a packet without a head");
    const place = this.#known(body.readUInt32LE(0));
    const kept = body.readUInt32LE(12);
    if (kept > body.length - 20) throw new PcapngFault("a packet longer than its block");
    const timeNs = (BigInt(body.readUInt32LE(4)) << 32n) | BigInt(body.readUInt32LE(8));
    const lengthBytes = Math.max(kept, body.readUInt32LE(16));
    return { kind: "packet", interface: place, timeNs, data: body.subarray(20, 20 + kept), lengthBytes };
  }

  #readStatistics(body: Buffer): StatisticsBlock {
    if (body.length < 12) throw new PcapngFault("statistics without a head");
    const options = optionsOf(body.subarray(12));
    const dropped = options.get(OPTION_DROPPED);
    return {
      kind: "statistics",
      interface: this.#known(body.readUInt32LE(0)),
      dropped: dropped?.length === 8 ? Math.min(Number(dropped.readBigUInt64LE()), Number.MAX_SAFE_INTEGER) : 0,
      isLast: options.get(OPTION_COMMENT)?.toString("utf8") === LAST_STATISTICS,
    };
  }

  #known(place: number): number {
    if (place >= this.#interfaces) throw new PcapngFault("an interface that was not described");
    return place;
  }
}

function blockLength(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32LE(at + 4);
  if (length < MIN_BLOCK_BYTES || length > MAX_BLOCK_BYTES || length % 4 !== 0)
    throw new PcapngFault(`a block of ${length} bytes`);
  return length;
}

/** The first of each code; what does not fit ends the list. */
function optionsOf(bytes: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const code = bytes.readUInt16LE(at);
    const length = bytes.readUInt16LE(at + 2);
    if (code === 0 || at + 4 + length > bytes.length) break;
    if (!options.has(code)) options.set(code, bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length + (-length & 3);
  }
  return options;
}
