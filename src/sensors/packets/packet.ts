/** Reads the heads of one recorded packet: Ethernet or none, IPv4 or IPv6, TCP or UDP. The bytes are the agent's. */
const LINK_ETHERNET = 1;
const LINK_RAW_IP = 101;
const ETHERNET_BYTES = 14;
const VLAN_BYTES = 4;
const TYPE_IPV4 = 0x0800;
const TYPE_IPV6 = 0x86dd;
const VLAN_TYPES: ReadonlySet<number> = new Set([0x8100, 0x88a8]);
const MOST_VLANS = 2;

const TCP = 6;
const UDP = 17;
const UDP_BYTES = 8;
const MIN_TCP_BYTES = 20;
const MIN_IPV4_BYTES = 20;
const IPV6_BYTES = 40;
const FRAGMENT = 44;
/** Hop-by-hop options, routing, destination options: each has its length in its second byte. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 60]);
const MOST_EXTENSIONS = 8;

const PROTOCOL_NAMES: Readonly<Record<number, string>> = { 1: "icmp", 2: "igmp", 58: "icmp6", 132: "sctp" };

export interface TransportPacket {
  kind: "tcp" | "udp";
  version: 4 | 6;
  source: Buffer;
  sourcePort: number;
  destination: Buffer;
  destinationPort: number;
  /** As much of the payload as was recorded. */
  payload: Buffer;
  /** Its length on the wire. */
  payloadBytes: number;
  /** TCP only. */
  seq: number;
  ack: number;
  syn: boolean;
  hasAck: boolean;
  fin: boolean;
  rst: boolean;
}

/** What a packet is: of a flow, of another protocol (by name), or bytes that make no sense. */
export type ReadPacket = TransportPacket | { kind: "other"; protocol: string } | { kind: "unreadable" };

const UNREADABLE = { kind: "unreadable" } as const;

/** `lengthBytes`: of the packet on the wire, of which `data` may be the beginning. */
export function readPacket(data: Buffer, lengthBytes: number, linkType: number): ReadPacket {
  if (linkType === LINK_RAW_IP) return readIp(data, lengthBytes);
  if (linkType !== LINK_ETHERNET) return { kind: "other", protocol: `link ${linkType}` };
  let at = ETHERNET_BYTES;
  if (data.length < at) return UNREADABLE;
  let type = data.readUInt16BE(12);
  for (let tags = 0; VLAN_TYPES.has(type) && tags < MOST_VLANS; tags++, at += VLAN_BYTES) {
    if (data.length < at + VLAN_BYTES) return UNREADABLE;
    type = data.readUInt16BE(at + 2);
  }
  if (type === TYPE_IPV4 || type === TYPE_IPV6) return readIp(data.subarray(at), Math.max(0, lengthBytes - at));
  return { kind: "other", protocol: type === 0x0806 ? "arp" : `ethernet 0x${type.toString(16).padStart(4, "0")}` };
}

interface IpHead {
  version: 4 | 6;
  source: Buffer;
  destination: Buffer;
  protocol: number;
  /** Behind the heads of IP: what was recorded, and its length on the wire. */
  rest: Buffer;
  restBytes: number;
}

function readIp(data: Buffer, lengthBytes: number): ReadPacket {
  const version = (data[0] ?? 0) >> 4;
  const head = version === 4 ? readIpv4(data, lengthBytes) : version === 6 ? readIpv6(data, lengthBytes) : UNREADABLE;
  if ("kind" in head) return head;
  if (head.protocol === TCP) return readTcp(head);
  if (head.protocol === UDP) return readUdp(head);
  return { kind: "other", protocol: PROTOCOL_NAMES[head.protocol] ?? `ip ${head.protocol}` };
}

function readIpv4(data: Buffer, lengthBytes: number): IpHead | ReadPacket {
  const headBytes = ((data[0] ?? 0) & 15) * 4;
  if (headBytes < MIN_IPV4_BYTES || data.length < headBytes) return UNREADABLE;
  // Only the first fragment has ports; what is behind it is counted, not put together.
  if ((data.readUInt16BE(6) & 0x1fff) !== 0) return { kind: "other", protocol: "fragment" };
  // 0 where the card cuts the packet up: then the length of the frame holds.
  const total = data.readUInt16BE(2) || lengthBytes;
  if (total < headBytes) return UNREADABLE;
  return {
    version: 4,
    source: data.subarray(12, 16),
    destination: data.subarray(16, 20),
    protocol: data[9] ?? 0,
    rest: data.subarray(headBytes, total),
    restBytes: total - headBytes,
  };
}

function readIpv6(data: Buffer, lengthBytes: number): IpHead | ReadPacket {
  if (data.length < IPV6_BYTES) return UNREADABLE;
  const total = IPV6_BYTES + data.readUInt16BE(4);
  const end = total === IPV6_BYTES ? Math.max(lengthBytes, IPV6_BYTES) : total;
  let protocol = data[6] ?? 0;
  let at = IPV6_BYTES;
  for (let count = 0; EXTENSIONS.has(protocol) || protocol === FRAGMENT; count++) {
    if (count === MOST_EXTENSIONS || data.length < at + 8) return UNREADABLE;
    if (protocol === FRAGMENT && data.readUInt16BE(at + 2) >> 3 !== 0) return { kind: "other", protocol: "fragment" };
    const bytes = protocol === FRAGMENT ? 8 : 8 + 8 * (data[at + 1] ?? 0);
    protocol = data[at] ?? 0;
    at += bytes;
  }
  if (at > end) return UNREADABLE;
  return {
    version: 6,
    source: data.subarray(8, 24),
    destination: data.subarray(24, 40),
    protocol,
    rest: data.subarray(at, end),
    restBytes: end - at,
  };
}

function readTcp({ version, source, destination, rest, restBytes }: IpHead): ReadPacket {
  if (rest.length < MIN_TCP_BYTES) return UNREADABLE;
  const headBytes = ((rest[12] ?? 0) >> 4) * 4;
  if (headBytes < MIN_TCP_BYTES || headBytes > restBytes) return UNREADABLE;
  const flags = rest[13] ?? 0;
  return {
    kind: "tcp",
    version,
    source,
    sourcePort: rest.readUInt16BE(0),
    destination,
    destinationPort: rest.readUInt16BE(2),
    payload: rest.subarray(headBytes),
    payloadBytes: restBytes - headBytes,
    seq: rest.readUInt32BE(4),
    ack: rest.readUInt32BE(8),
    syn: (flags & 2) !== 0,
    hasAck: (flags & 16) !== 0,
    fin: (flags & 1) !== 0,
    rst: (flags & 4) !== 0,
  };
}

function readUdp({ version, source, destination, rest, restBytes }: IpHead): ReadPacket {
  if (rest.length < UDP_BYTES || restBytes < UDP_BYTES) return UNREADABLE;
  return {
    kind: "udp",
    version,
    source,
    sourcePort: rest.readUInt16BE(0),
    destination,
    destinationPort: rest.readUInt16BE(2),
    payload: rest.subarray(UDP_BYTES),
    payloadBytes: restBytes - UDP_BYTES,
    seq: 0,
    ack: 0,
    syn: false,
    hasAck: false,
    fin: false,
    rst: false,
  };
}
