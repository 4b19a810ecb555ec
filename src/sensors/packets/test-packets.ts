import { once } from "node:events";
import { duplexPair } from "node:stream";
import * as tls from "node:tls";

/** Packets and pcapng blocks for tests, built by the formats' own descriptions and not by the code under test. */
const LOOPBACK = "127.0.0.1";

function paddedTo4(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}

function option(code: number, value: Buffer | string): Buffer {
  const head = Buffer.alloc(4);
  const bytes = Buffer.from(value as string);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(bytes.length, 2);
  return Buffer.concat([head, paddedTo4(bytes)]);
}

export function block(type: number, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  const head = Buffer.alloc(8);
  length.writeUInt32LE(12 + body.length);
  head.writeUInt32LE(type, 0);
  length.copy(head, 4);
  return Buffer.concat([head, body, length]);
}

export function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, 4 * index);
  return bytes;
}

export const sectionBlock = block(0x0a0d0d0a, words(0x1a2b3c4d, 1, 0xffffffff, 0xffffffff));

export function interfaceBlock(name = "lo", linkType = 1): Buffer {
  const end = words(0);
  return block(1, Buffer.concat([words(linkType, 65_535), option(2, name), option(9, Buffer.from([9])), end]));
}

export function packetBlock(data: Buffer, more: { at?: number; length?: number; interface?: number } = {}): Buffer {
  const timeNs = BigInt(more.at ?? Date.parse("2026-01-02T03:04:05Z")) * 1_000_000n;
  const head = words(
    more.interface ?? 0,
    Number(timeNs >> 32n),
    Number(timeNs & 0xffffffffn),
    data.length,
    more.length ?? data.length,
  );
  return block(6, Buffer.concat([head, paddedTo4(data)]));
}

export function statisticsBlock(dropped: number, isLast: boolean): Buffer {
  const count = Buffer.alloc(8);
  count.writeBigUInt64LE(BigInt(dropped));
  const comment = isLast ? [option(1, "last statistics")] : [];
  return block(5, Buffer.concat([words(0, 0, 0), ...comment, option(7, count), words(0)]));
}

function addressBytes(address: string): Buffer {
  if (!address.includes(":")) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((one) => Number.parseInt(one, 16));
  const middle = Array.from({ length: 8 - groups(head).length - groups(tail).length }, () => 0);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...groups(head), ...middle, ...groups(tail)].entries())
    bytes.writeUInt16BE(group, 2 * index);
  return bytes;
}

/** An Ethernet frame with a packet of IP in it. */
export function ipFrame(protocol: number, from: string, to: string, content: Buffer): Buffer {
  const [source, destination] = [addressBytes(from), addressBytes(to)];
  const ethernet = Buffer.alloc(14);
  const head = Buffer.alloc(source.length === 4 ? 12 : 8);
  ethernet.writeUInt16BE(source.length === 4 ? 0x0800 : 0x86dd, 12);
  if (source.length === 4) {
    head[0] = 0x45;
    head.writeUInt16BE(20 + content.length, 2);
    head[8] = 64;
    head[9] = protocol;
  } else {
    head[0] = 0x60;
    head.writeUInt16BE(content.length, 4);
    head[6] = protocol;
  }
  return Buffer.concat([ethernet, head, source, destination, content]);
}

export interface Ends {
  from?: string;
  fromPort: number;
  to?: string;
  toPort: number;
}

export function udpFrame(ends: Ends, payload: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(ends.fromPort, 0);
  head.writeUInt16BE(ends.toPort, 2);
  head.writeUInt16BE(8 + payload.length, 4);
  return ipFrame(17, ends.from ?? LOOPBACK, ends.to ?? LOOPBACK, Buffer.concat([head, payload]));
}

export const SYN = 2;
export const RST = 4;
export const ACK = 16;

export function tcpFrame(ends: Ends, flags: number, seq: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt16BE(ends.fromPort, 0);
  head.writeUInt16BE(ends.toPort, 2);
  head.writeUInt32BE(seq >>> 0, 4);
  head[12] = 0x50;
  head[13] = flags;
  return ipFrame(6, ends.from ?? LOOPBACK, ends.to ?? LOOPBACK, Buffer.concat([head, payload]));
}

/** The same ends, the other way round. */
export function reversed({ from = LOOPBACK, fromPort, to = LOOPBACK, toPort }: Ends): Ends {
  return { from: to, fromPort: toPort, to: from, toPort: fromPort };
}

/** What a real TLS client says first. */
export async function greetingOf(servername: string, alpn: string[] = []): Promise<Buffer> {
  const [near, far] = duplexPair();
  const client = tls.connect({ socket: near, servername, ALPNProtocols: alpn });
  client.on("error", () => {}); // nobody answers it
  const [first] = (await once(far, "data")) as [Buffer];
  client.destroy();
  far.destroy();
  return first;
}
