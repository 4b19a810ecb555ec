import { type CaptureEvent, captureEvent, type EventBody, type EventKind, type EventOf } from "../../schema/event.ts";
import { BootClock } from "./boot-clock.ts";
import { Environments } from "./environment.ts";
import { Normaliser } from "./normaliser.ts";
import type {
  ExecRecord,
  FileIdentity,
  PathRecord,
  RecordHead,
  SocketAddress,
  SocketCallRecord,
  TcpStateRecord,
} from "./record.ts";

/** Records built by hand, for tests: what the decoder would give. */

export const bytes = (text: string): Buffer => Buffer.from(text);
const NOTHING = Buffer.alloc(0);
let seq = 0;

export function head(pid = 100, timeNs = 5_000_000_000): RecordHead {
  return {
    seq: seq++,
    timeNs,
    process: { pid, startNs: pid * 1_000_000 },
    tid: pid,
    parent: { pid: 1, startNs: 1_000_000 },
    containerPid: pid - 90,
    uid: 10001,
    comm: bytes("prog"),
  };
}

export function file(path: string, more: Partial<FileIdentity> = {}): FileIdentity {
  const text = { name: bytes(path), truncated: false };
  return { path: text, inode: 42, device: (8 << 20) | 1, mode: 0o100644, size: 7, links: 1, ...more };
}

/** The block of arguments or variables that the kernel keeps. */
export function block(...parts: (string | Buffer)[]): Buffer {
  return Buffer.concat(parts.flatMap((part) => [typeof part === "string" ? bytes(part) : part, Buffer.of(0)]));
}

export function exec(argv: (string | Buffer)[], more: Partial<ExecRecord> = {}): ExecRecord {
  const args = block(...argv);
  const env = more.env ?? block("PATH=/usr/bin", "HOME=/home/agent");
  return {
    kind: "exec",
    ...head(),
    file: file("/usr/bin/true"),
    memfd: false,
    filename: bytes("/usr/bin/true"),
    interpreter: NOTHING,
    cwd: { name: bytes("/workspace"), truncated: false },
    args,
    argsBytes: args.length,
    env,
    envBytes: env.length,
    gid: 10001,
    standard: [],
    ...more,
  };
}

export function pathCall(operation: PathRecord["operation"], name: string, more: Partial<PathRecord> = {}): PathRecord {
  return {
    kind: "path",
    ...head(),
    operation,
    result: 0,
    path: { base: bytes("/workspace"), name: bytes(name), truncated: false },
    argument: 0,
    argument2: 0,
    argument3: 0,
    text: NOTHING,
    ...more,
  };
}

export function inet(address: string, port: number): SocketAddress {
  const raw = Buffer.alloc(16);
  raw.writeUInt16LE(2, 0);
  raw.writeUInt16BE(port, 2);
  Buffer.from(address.split(".").map(Number)).copy(raw, 4);
  return { family: 2, raw };
}

export function socketCall(
  kind: SocketCallRecord["kind"],
  address: SocketAddress,
  result: number,
  more: Partial<SocketCallRecord> = {},
): SocketCallRecord {
  return { ...head(), socket: "a1", type: 1, protocol: 6, address, result, ...more, kind };
}

export function tcpState(from: number, to: number, more: Partial<TcpStateRecord> = {}): TcpStateRecord {
  return {
    kind: "tcp-state",
    ...head(),
    socket: "a1",
    type: 1,
    protocol: 6,
    from,
    to,
    local: inet("127.0.0.1", 40_000),
    remote: inet("127.0.0.1", 80),
    bytesReceived: 0,
    bytesSent: 0,
    error: 0,
    ...more,
  };
}

export interface TestBench {
  normaliser: Normaliser;
  events: EventBody[];
  /** The events of a kind, each valid by the schema. */
  of<K extends EventKind>(kind: K): EventOf<K>[];
}

/** A normaliser whose events are kept. */
export function testBench(sensitivePatterns: readonly string[] = []): TestBench {
  const events: EventBody[] = [];
  const normaliser = new Normaliser({
    clock: new BootClock(1_000_000),
    emit: (event) => events.push(event) - 1,
    sensitivePatterns,
    modelAddress: "127.0.0.1:4100",
    environments: new Environments(Buffer.alloc(32, 1)),
  });
  const of = <K extends EventKind>(kind: K): EventOf<K>[] =>
    events.flatMap((event, index): EventOf<K>[] => {
      const parsed: CaptureEvent = captureEvent.parse({ seq: index, ...event });
      return parsed.kind === kind ? [parsed as EventOf<K>] : [];
    });
  return { normaliser, events, of };
}
