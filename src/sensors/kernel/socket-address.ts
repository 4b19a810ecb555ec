import { formatIp } from "../polling/net-parse.ts";
import { familyName } from "./names.ts";
import type { SocketAddress } from "./record.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const PATH_AT = 2;

/** Whether addresses of the family are IP addresses with ports. */
export function isInternet(family: number): boolean {
  return family === AF_INET || family === AF_INET6;
}

/** `address:port`, IPv6 in brackets; a path, `@…` for an abstract name; else the bytes in hex. Too short ones too. */
export function formatEndpoint({ family, raw }: SocketAddress): string {
  if (family === AF_INET && raw.length >= 8) return `${formatIp(raw.subarray(4, 8))}:${raw.readUInt16BE(2)}`;
  if (family === AF_INET6 && raw.length >= 24) return `${formatIp(raw.subarray(8, 24))}:${raw.readUInt16BE(2)}`;
  if (family === AF_UNIX) return unixName(raw.subarray(PATH_AT));
  if (family === AF_NETLINK && raw.length >= 12) return `pid ${raw.readUInt32LE(4)} groups ${raw.readUInt32LE(8)}`;
  return raw.length <= PATH_AT ? "" : raw.subarray(PATH_AT).toString("hex");
}

/** The port of an internet address; 0 of others. */
export function portOf({ family, raw }: SocketAddress): number {
  return isInternet(family) && raw.length >= 4 ? raw.readUInt16BE(2) : 0;
}

function unixName(name: Buffer): string {
  if (name.length === 0) return "";
  if (name[0] === 0) return `@${name.subarray(1).toString("utf8").replace(/\0+$/, "")}`;
  const end = name.indexOf(0);
  return (end === -1 ? name : name.subarray(0, end)).toString("utf8");
}

/** `tcp`, `tcp6`, `udp`, …, as in network.json. */
export function transportOf(family: number, type: number): string {
  if (!isInternet(family)) return familyName(family);
  const version = family === AF_INET6 ? "6" : "";
  if (type === SOCK_DGRAM) return `udp${version}`;
  return type === SOCK_RAW ? `raw${version}` : `tcp${version}`;
}
