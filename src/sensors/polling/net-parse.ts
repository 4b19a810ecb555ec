/** One row of a socket table of /proc/PID/net. */
export interface SocketRow {
  proto: string;
  state: string;
  /** `address:port`, IPv6 in brackets; the path of a Unix socket, `@…` for an abstract name. */
  local: string;
  remote: string;
  /** `0`: the socket belongs to no process any more. */
  inode: string;
}

const TCP_STATES: Readonly<Record<string, string>> = {
  "01": "ESTABLISHED",
  "02": "SYN_SENT",
  "03": "SYN_RECV",
  "04": "FIN_WAIT1",
  "05": "FIN_WAIT2",
  "06": "TIME_WAIT",
  "07": "CLOSE",
  "08": "CLOSE_WAIT",
  "09": "LAST_ACK",
  "0A": "LISTEN",
  "0B": "CLOSING",
  "0C": "NEW_SYN_RECV",
};

const INET_ROW =
  /^\s*\d+: ([0-9A-F]{8}(?:[0-9A-F]{24})?):([0-9A-F]{4}) ([0-9A-F]{8}(?:[0-9A-F]{24})?):([0-9A-F]{4}) ([0-9A-F]{2}) \S+ \S+ \S+\s+\d+\s+\d+ (\d+)/;

/** Rows of `tcp`, `tcp6`, `udp`, `udp6`, `raw` and `raw6`. */
export function parseInetTable(proto: string, content: Buffer): SocketRow[] {
  const rows: SocketRow[] = [];
  for (const line of content.toString("latin1").split("\n")) {
    const match = INET_ROW.exec(line);
    if (match === null) continue;
    const [, localAddress = "", localPort = "", remoteAddress = "", remotePort = "", state = "", inode = "0"] = match;
    rows.push({
      proto,
      state: stateName(proto, state),
      local: endpoint(localAddress, localPort),
      remote: endpoint(remoteAddress, remotePort),
      inode,
    });
  }
  return rows;
}

function stateName(proto: string, code: string): string {
  // A socket without connections is CLOSE to the kernel, though it may well receive.
  if (!proto.startsWith("tcp") && code === "07") return "UNCONNECTED";
  return TCP_STATES[code] ?? code;
}

function endpoint(address: string, port: string): string {
  return `${formatAddress(address)}:${Number.parseInt(port, 16)}`;
}

/** The kernel prints addresses as 32-bit words in the machine's byte order (little-endian here). */
export function formatAddress(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  for (let at = 0; at + 4 <= bytes.length; at += 4) bytes.subarray(at, at + 4).reverse();
  return formatIp(bytes);
}

/** An address from its 4 or 16 bytes in network order; IPv6 in brackets. */
export function formatIp(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join(".");
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff;
  if (isMapped) return `[::ffff:${bytes.subarray(12).join(".")}]`;
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return `[${shortenZeros(groups)}]`;
}

/** The longest run of zeros, of at least two groups, becomes `::`. */
function shortenZeros(groups: readonly string[]): string {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === "0") length++;
    if (length > best.length) best = { start, length };
  }
  if (best.length < 2) return groups.join(":");
  return `${groups.slice(0, best.start).join(":")}::${groups.slice(best.start + best.length).join(":")}`;
}

const UNIX_ROW =
  /^[0-9a-f]{8,16}: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) ([0-9A-F]{4}) ([0-9A-F]{2})\s+(\d+)(?: (.*))?$/;
const ACCEPTS_CONNECTIONS = 0x10000;
const CONNECTED = "03";

/** Named sockets of `unix`. A path may hold a line break; what follows it is no row and is added to the path again. */
export function parseUnixTable(content: Buffer): SocketRow[] {
  const rows: SocketRow[] = [];
  let last: SocketRow | undefined;
  for (const line of content.toString("utf8").split("\n").slice(1)) {
    const match = UNIX_ROW.exec(line);
    if (match === null) {
      if (last !== undefined && line !== "") last.local += `\n${line}`;
      continue;
    }
    const [, flags = "0", , state, inode = "0", name] = match;
    const listens = (Number.parseInt(flags, 16) & ACCEPTS_CONNECTIONS) !== 0;
    last = {
      proto: "unix",
      state: listens ? "LISTEN" : state === CONNECTED ? "ESTABLISHED" : "UNCONNECTED",
      local: name ?? "",
      remote: "",
      inode,
    };
    if (name !== undefined) rows.push(last);
  }
  return rows;
}

/** The kernel's counts of TCP connections of one network namespace, from `snmp`. */
export interface TcpCounters {
  /** Connections opened from inside, also those that failed. */
  activeOpens: number;
  attemptFails: number;
  /** All counts that change when a connection comes or goes; they stay the same while data flows. */
  fingerprint: string;
}

const CONNECTION_COUNTS = ["ActiveOpens", "PassiveOpens", "AttemptFails", "EstabResets", "CurrEstab"] as const;

export function parseTcpCounters(content: Buffer): TcpCounters | undefined {
  const [names, values] = content
    .toString("latin1")
    .split("\n")
    .filter((line) => line.startsWith("Tcp:"))
    .map((line) => line.split(" "));
  if (names === undefined || values === undefined) return undefined;
  const counts = CONNECTION_COUNTS.map((name) => Number(values[names.indexOf(name)] ?? Number.NaN));
  const [activeOpens = Number.NaN, , attemptFails = Number.NaN] = counts;
  if (!Number.isFinite(activeOpens) || !Number.isFinite(attemptFails)) return undefined;
  return { activeOpens, attemptFails, fingerprint: counts.join(" ") };
}

/** Numbers of sockets by kind, from `sockstat` and `sockstat6` one after the other. Memory in use is left out. */
export function parseSocketCounts(text: string): { tcp: string; tcp6: string; others: string } {
  const counts = (kind: string): string =>
    new RegExp(`^${kind}: (?:used|inuse) \\d+(?: orphan \\d+ tw \\d+)?`, "m").exec(text)?.[0] ?? "";
  const others = ["sockets", "UDP", "RAW", "UDP6", "RAW6"].map(counts).join(" ");
  return { tcp: counts("TCP"), tcp6: counts("TCP6"), others };
}
