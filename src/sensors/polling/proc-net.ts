import { readProc } from "./proc-text.ts";

export interface SocketRow {
  proto: string;
  state: string;
  local: string;
  remote: string;
  inode: string;
}

/** include/net/tcp_states.h */
const TCP_STATES = [
  "",
  "ESTABLISHED",
  "SYN_SENT",
  "SYN_RECV",
  "FIN_WAIT1",
  "FIN_WAIT2",
  "TIME_WAIT",
  "CLOSE",
  "CLOSE_WAIT",
  "LAST_ACK",
  "LISTEN",
  "CLOSING",
  "NEW_SYN_RECV",
] as const;

const TABLES = ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"] as const;
const MAX_TABLE_BYTES = 256 << 10;

export interface SocketTables {
  rows: SocketRow[];
  /** A table was longer than what is read of it. */
  cut: boolean;
}

/** All internet sockets of the network namespace that process `pid` is in; undefined when it is gone. */
export function readSockets(pid: number): SocketTables | undefined {
  const tables: SocketTables = { rows: [], cut: false };
  for (const proto of TABLES) {
    const read = readProc(`/proc/${pid}/net/${proto}`, MAX_TABLE_BYTES);
    if (read === undefined) {
      if (proto === "tcp") return undefined;
      continue;
    }
    tables.cut ||= read.cut;
    tables.rows.push(...parseSocketTable(proto, read.text));
  }
  return tables;
}

/** `/proc/net/{tcp,udp,raw}[6]`: one line of headings, then one socket a line. */
export function parseSocketTable(proto: string, text: string): SocketRow[] {
  const rows: SocketRow[] = [];
  for (const line of text.split("\n").slice(1)) {
    const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
    if (local === undefined || remote === undefined || state === undefined || inode === undefined) continue;
    const addresses = [parseAddress(local), parseAddress(remote)] as const;
    if (addresses[0] === undefined || addresses[1] === undefined) continue;
    rows.push({ proto, state: stateName(proto, state), local: addresses[0], remote: addresses[1], inode });
  }
  return rows;
}

function stateName(proto: string, hex: string): string {
  const name = TCP_STATES[Number.parseInt(hex, 16)];
  // A datagram socket without a fixed partner is `CLOSE` to the kernel, which people would read as gone.
  if (name === "CLOSE" && !proto.startsWith("tcp")) return "UNCONNECTED";
  return name || `0x${hex}`;
}

/** `0100007F:1004` → `127.0.0.1:4100`. Each 32-bit word is in the byte order of the host (little-endian). */
export function parseAddress(text: string): string | undefined {
  const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(text);
  if (match === null) return undefined;
  const bytes = Buffer.from(match[1] ?? "", "hex");
  bytes.swap32();
  const port = Number.parseInt(match[2] ?? "", 16);
  return bytes.length === 4 ? `${bytes.join(".")}:${port}` : `[${formatIpv6(bytes)}]:${port}`;
}

/** RFC 5952: the longest run of zero groups becomes `::`; IPv4-mapped addresses end in dotted form. */
function formatIpv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.subarray(12).join(".")}`;
  }
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]`).hostname.slice(1, -1);
}
