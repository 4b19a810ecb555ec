import { decodeCloseWrite, decodeOpen, decodeOpenFailed, decodePath } from "./decode-file.ts";
import {
  addressOf,
  Frame,
  fileOf,
  groupOf,
  headOf,
  hex64,
  namedPath,
  RecordFault,
  readU64,
  resolvedPath,
  timeOf,
  wordFor,
} from "./decode-frame.ts";
import type * as record from "./record.ts";

/** Numbers of native/sensor/record.h, in its order, from 1. */
const CREDENTIAL_CALLS: readonly record.CredentialCall[] = ["setuid", "setgid", "setgroups", "capset"];
const NAMESPACE_CALLS: readonly record.NamespaceCall[] = ["unshare", "setns", "clone-namespace"];
const REACH_CALLS = ["ptrace", "process_vm_readv", "process_vm_writev", "kill", "pidfd_getfd"] as const;
const INTERFACES = ["io_uring", "compat-call", "bpf", "perf", "userfaultfd", "memfd", "open-by-handle", "aio"] as const;
const SOCKET_CALLS = ["connect", "bind", "listen", "accept"] as const;
const FIRST_SOCKET_CALL = 32;
const STANDARD_BYTES = 32;
const CORE_DUMPED = 0x80;
const COUNTER_WORDS = 12;

export type DecodedRecord = record.KernelRecord | record.WatchingRecord;

const DECODERS: Readonly<Record<number, (frame: Frame) => DecodedRecord>> = {
  1: decodeFork,
  2: decodeExec,
  3: (frame) => ({ kind: "exec-failed", ...headOf(frame), path: namedPath(frame, 0), errno: Math.abs(frame.s64(0)) }),
  4: decodeExit,
  16: decodeOpen,
  17: decodeCloseWrite,
  18: (frame) => ({ kind: "shared-mapping", ...headOf(frame), file: fileOf(frame) }),
  19: decodePath,
  20: decodeOpenFailed,
  32: decodeSocketCall,
  33: decodeSocketCall,
  34: decodeSocketCall,
  35: decodeSocketCall,
  36: decodeSocket,
  37: decodeTcpState,
  38: decodeDatagram,
  39: decodeDescriptor,
  48: decodeCredentials,
  49: decodeNamespace,
  50: decodeReach,
  51: decodeBlindSpot,
  64: (frame) => ({ kind: "canary", ...headOf(frame), at: frame.u32(0) === 0 ? "start" : "end" }),
  65: decodeReady,
  66: decodeWatching,
  67: decodeCounters,
};

/**
 * One frame of the sensor as a record. Bytes in it are views on the frame: what is to be kept longer must be copied.
 * Throws RecordFault for anything that is not a whole record of this version; never reads or allocates beyond the frame.
 */
export function decodeRecord(bytes: Buffer): DecodedRecord {
  const frame = new Frame(bytes);
  const decode = DECODERS[frame.kind];
  if (decode === undefined) throw new RecordFault(`kind ${frame.kind} is unknown`);
  return decode(frame);
}

function decodeExec(frame: Frame): record.ExecRecord {
  const file = fileOf(frame);
  return {
    kind: "exec",
    ...headOf(frame),
    file,
    memfd: file.path.name.subarray(0, 6).equals(MEMFD) && file.links === 0,
    filename: frame.segment(1),
    interpreter: frame.segment(2),
    cwd: resolvedPath(frame, 3),
    args: frame.segment(4),
    argsBytes: frame.u64(40),
    env: frame.segment(5),
    envBytes: frame.u64(48),
    gid: groupOf(frame),
    standard: [0, 1, 2].map((descriptor) => decodeStandard(frame.segment(6), descriptor * STANDARD_BYTES)),
  };
}

function decodeStandard(bytes: Buffer, at: number): record.StandardDescriptor | undefined {
  if (bytes.length < at + STANDARD_BYTES) return undefined;
  const mode = bytes.readUInt32LE(at + 24);
  if (mode === 0) return undefined;
  const socket = hex64(bytes, at + 8);
  return {
    inode: readU64(bytes, at),
    device: bytes.readUInt32LE(at + 16),
    special: bytes.readUInt32LE(at + 20),
    mode,
    flags: bytes.readUInt32LE(at + 28),
    socket: /^0+$/.test(socket) ? undefined : socket,
  };
}

const MEMFD = Buffer.from("memfd:");

function decodeFork(frame: Frame): record.ForkRecord {
  const pid = frame.u32(8);
  return { kind: "fork", ...headOf(frame), ...(pid === 0 ? {} : { maker: { pid, startNs: frame.u64(0) } }) };
}

function decodeExit(frame: Frame): record.ExitRecord {
  const status = frame.u32(0);
  return {
    kind: "exit",
    ...headOf(frame),
    code: (status >> 8) & 0xff,
    signal: status & 0x7f,
    coreDumped: (status & CORE_DUMPED) !== 0,
  };
}

function decodeSocketCall(frame: Frame): record.SocketCallRecord {
  return {
    kind: wordFor(SOCKET_CALLS, frame.kind - FIRST_SOCKET_CALL + 1, "socket call"),
    ...headOf(frame),
    socket: frame.hex64(0),
    type: frame.u16(16),
    protocol: frame.u16(18),
    address: addressOf(frame, 0),
    ...(frame.segment(1).length > 0 ? { local: addressOf(frame, 1) } : {}),
    result: frame.s64(8),
  };
}

function decodeSocket(frame: Frame): record.SocketRecord {
  return {
    kind: "socket",
    ...headOf(frame),
    family: frame.u16(20),
    type: frame.u16(16),
    protocol: frame.u16(18),
    result: frame.s64(8),
  };
}

function decodeTcpState(frame: Frame): record.TcpStateRecord {
  return {
    kind: "tcp-state",
    ...headOf(frame),
    socket: frame.hex64(0),
    type: frame.u16(24),
    protocol: frame.u16(26),
    from: frame.u8(28),
    to: frame.u8(29),
    local: addressOf(frame, 0),
    remote: addressOf(frame, 1),
    bytesReceived: frame.u64(8),
    bytesSent: frame.u64(16),
    error: frame.s32(32),
  };
}

function decodeDatagram(frame: Frame): record.DatagramRecord {
  return {
    kind: "datagram",
    ...headOf(frame),
    socket: frame.hex64(0),
    type: frame.u16(24),
    protocol: frame.u16(26),
    direction: frame.u32(32) === 0 ? "sent" : "received",
    remote: addressOf(frame, 0),
    sizeBytes: frame.u64(16),
    messages: frame.u32(28),
    payload: frame.segment(1),
    result: frame.s64(8),
  };
}

function decodeDescriptor(frame: Frame): record.DescriptorRecord {
  return {
    kind: "descriptor",
    ...headOf(frame),
    socket: frame.hex64(40),
    type: frame.u16(48),
    protocol: frame.u16(50),
    direction: frame.u32(52) === 0 ? "sent" : "received",
    file: fileOf(frame),
  };
}

function decodeCredentials(frame: Frame): record.CredentialRecord {
  return {
    kind: "credentials",
    ...headOf(frame),
    call: wordFor(CREDENTIAL_CALLS, frame.u32(8), "credential call"),
    euid: frame.u32(12),
    egid: frame.u32(16),
    result: frame.s64(0),
  };
}

function decodeNamespace(frame: Frame): record.NamespaceRecord {
  return {
    kind: "namespace",
    ...headOf(frame),
    call: wordFor(NAMESPACE_CALLS, frame.u32(16), "namespace call"),
    flags: frame.u64(8),
    result: frame.s64(0),
  };
}

function decodeReach(frame: Frame): record.ReachRecord {
  return {
    kind: "reach",
    ...headOf(frame),
    call: wordFor(REACH_CALLS, frame.u32(24), "call"),
    request: frame.u64(16),
    targetPid: frame.s64(8),
    result: frame.s64(0),
  };
}

function decodeBlindSpot(frame: Frame): record.BlindSpotRecord {
  return {
    kind: "blind-spot",
    ...headOf(frame),
    interface: wordFor(INTERFACES, frame.u32(16), "interface"),
    number: frame.u64(8),
    stage: frame.u32(20) === 0 ? "attempt" : "submit",
    result: frame.s64(0),
  };
}

function decodeReady(frame: Frame): record.ReadyRecord {
  const names = frame.segment(0).toString("latin1");
  return {
    kind: "ready",
    timeNs: timeOf(frame),
    programs: frame.u32(8),
    refused: names.split("\0").filter((name) => name !== ""),
    ringBytes: frame.u64(0),
  };
}

function decodeWatching(frame: Frame): record.WatchingRecord {
  return {
    kind: "watching",
    timeNs: timeOf(frame),
    pid: frame.u32(0),
    processes: frame.u32(4),
    namespaced: frame.u32(8) === 1,
  };
}

function decodeCounters(frame: Frame): record.CountersRecord {
  const words = frame.segment(0);
  if (words.length !== 8 * COUNTER_WORDS) throw new RecordFault("counters of another size");
  const at = (index: number): number => readU64(words, 8 * index);
  const classes = (from: number): Record<record.RecordClass, number> => ({
    process: at(from),
    file: at(from + 1),
    network: at(from + 2),
    security: at(from + 3),
  });
  return {
    kind: "counters",
    timeNs: timeOf(frame),
    emitted: classes(0),
    lost: classes(4),
    untracked: at(8),
    pathsTruncated: at(9),
    missedRuns: at(10),
    final: at(11) === 1,
  };
}
