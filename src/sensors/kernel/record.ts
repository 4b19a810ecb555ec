/**
 * What the kernel sensor tells, after decoding: the seam between the sensor's wire format (native/sensor/record.h, decoded by decode.ts) and what
 * becomes of it. Texts from the kernel stay bytes here: names in Linux have no encoding.
 */

/** A process, safe against the reuse of its number. */
export interface ProcessKey {
  /** Pid (thread group) on the host. */
  pid: number;
  /** Its start in nanoseconds since boot. Beyond 2^53 (104 days) rounded, always in the same way. */
  startNs: number;
}

/** What every record about a process carries. */
export interface RecordHead {
  /** Number that the kernel side gave the record, from 0; one counter for all records, so that a hole is a loss. */
  seq: number;
  /** Nanoseconds since boot (CLOCK_BOOTTIME). */
  timeNs: number;
  process: ProcessKey;
  tid: number;
  parent: ProcessKey;
  /** Pid in the container's pid namespace; 0: in none of its levels. */
  containerPid: number;
  uid: number;
  /** `comm`, up to 15 bytes. */
  comm: Buffer;
}

/** A path as the kernel resolved it, or as the program named it. */
export interface PathText {
  /** Directory that a relative `name` starts from, resolved by the kernel, as the container sees it. Absent where `name` is resolved. */
  base?: Buffer;
  /** Resolved absolute path, or the very bytes the program passed. */
  name: Buffer;
  /** The kernel side stopped before the root, or the name was longer than what is kept. */
  truncated: boolean;
  /** The path lies in another mount namespace than the process (a descriptor it was handed), and is told as it is there. */
  foreign?: boolean;
}

/** An open file, known from the kernel's own object and not from a name that could have changed since. */
export interface FileIdentity {
  path: PathText;
  inode: number;
  /** Device number as the kernel has it (major << 20 | minor). */
  device: number;
  /** `st_mode` with the type bits. */
  mode: number;
  size: number;
  links: number;
}

export interface ForkRecord extends RecordHead {
  kind: "fork";
  /** The process that called, where it is another than the parent (CLONE_PARENT). */
  maker?: ProcessKey;
}

export interface ExecRecord extends RecordHead {
  kind: "exec";
  /** The file that was executed. A memfd has the path `memfd:NAME`, no links. */
  file: FileIdentity;
  memfd: boolean;
  /** The name passed to the system call; with a script the script's, while `file` is the interpreter. */
  filename: Buffer;
  /** Interpreter named in the script's first line; empty without one. */
  interpreter: Buffer;
  cwd: PathText;
  /** Start of the NUL-separated argument block; `argsBytes` is its whole length. */
  args: Buffer;
  argsBytes: number;
  /** Start of the NUL-separated environment block; `envBytes` is its whole length. */
  env: Buffer;
  envBytes: number;
  gid: number;
  /** Descriptors 0, 1 and 2 as the program finds them; undefined: closed. Absent where the sensor does not look. */
  standard?: (StandardDescriptor | undefined)[];
}

/** What one of the first three descriptors leads to. */
export interface StandardDescriptor {
  inode: number;
  /** That the inode lies on; as in FileIdentity. */
  device: number;
  /** Of a device file: which device. */
  special: number;
  /** `st_mode` with the type bits. */
  mode: number;
  /** `open(2)` flags. */
  flags: number;
  /** As in SocketHead; undefined: it is no socket. */
  socket: string | undefined;
}

export interface ExecFailedRecord extends RecordHead {
  kind: "exec-failed";
  path: PathText;
  /** Positive errno. */
  errno: number;
}

export interface ExitRecord extends RecordHead {
  kind: "exit";
  /** Exit code 0–255; meaningless when `signal` is not 0. */
  code: number;
  signal: number;
  coreDumped: boolean;
}

export interface OpenRecord extends RecordHead {
  kind: "open";
  file: FileIdentity;
  /** `open(2)` flags. */
  flags: number;
  /** This very call made the file. */
  created: boolean;
  writable: boolean;
}

/** A call that was to open a file and did not. */
export interface OpenFailedRecord extends RecordHead {
  kind: "open-failed";
  /** As the program named it: no file was opened that could be asked. */
  path: PathText;
  /** `open(2)` flags. */
  flags: number;
  /** Positive errno. */
  errno: number;
}

export interface CloseWriteRecord extends RecordHead {
  kind: "close-write";
  file: FileIdentity;
  /** A shared mapping still holds it: its content can change from here on. */
  stillMapped?: boolean;
}

/** A file mapped shared and writable: it can change from here on without another call. */
export interface SharedMappingRecord extends RecordHead {
  kind: "shared-mapping";
  file: FileIdentity;
}

export type PathOperation =
  | "unlink"
  | "rmdir"
  | "mkdir"
  | "mknod"
  | "rename"
  | "link"
  | "symlink"
  | "chmod"
  | "chown"
  | "truncate"
  | "setxattr"
  | "removexattr"
  | "mount"
  | "umount"
  | "chroot"
  | "utime"
  | "allocate";

/** A call on a name. Failed ones too: an attempt is worth knowing. */
export interface PathRecord extends RecordHead {
  kind: "path";
  operation: PathOperation;
  /** 0 or a negative errno. */
  result: number;
  path: PathText;
  /** Rename, link: the new name. Symlink: `target.name` is the link's text. Mount: the source. */
  target?: PathText;
  /** Rename: `renameat2` flags. Chmod, mkdir, mknod: mode. Truncate: length. Mount, allocate: flags. Chown: uid. */
  argument: number;
  /** Chown: gid. Allocate: offset. Utime: 0 when the call named no times, that is "now". */
  argument2: number;
  /** Allocate: length. */
  argument3?: number;
  /** Set/removexattr: name of the attribute. Mount: type of file system. Utime: the times, in the form of `timesForm`. */
  text: Buffer;
  /** Utime: two pairs of seconds and nanoseconds, two of seconds and microseconds, or two numbers of seconds. */
  timesForm?: "timespec" | "timeval" | "utimbuf";
  /** The newer ways to mount, by their call: "move-mount", "open-tree", "fsopen", "fsmount", "mount-setattr", "pivot-root". */
  call?: string;
}

/** Either end of a socket. */
export interface SocketAddress {
  /** Address family number (AF_*). */
  family: number;
  /** The bytes of the `sockaddr`, at most 128, as passed or as the kernel has it. */
  raw: Buffer;
}

export interface SocketHead extends RecordHead {
  /** Identity of the kernel's socket while it lives: equal for all records of one connection. */
  socket: string;
  /** SOCK_* without flags. */
  type: number;
  protocol: number;
}

export interface SocketCallRecord extends SocketHead {
  kind: "connect" | "bind" | "listen" | "accept";
  /** Connect: peer. Bind: own address. Accept: peer. */
  address: SocketAddress;
  /** Accept: own end, of sockets that are not Unix ones. */
  local?: SocketAddress;
  /** Connect, listen, bind: 0 or negative errno. Accept: new descriptor or negative errno. */
  result: number;
}

/** `socket(2)` itself, only for families other than unix, IPv4, IPv6, netlink, and for raw sockets. */
export interface SocketRecord extends RecordHead {
  kind: "socket";
  family: number;
  type: number;
  protocol: number;
  result: number;
}

/** A TCP connection came up (`established`), could not (`failed`) or went down (`closed`). */
export interface TcpStateRecord extends SocketHead {
  kind: "tcp-state";
  /** Numbers of the kernel (TCP_*): 1 established, 2 SYN sent, 7 closed, 10 listen. */
  from: number;
  to: number;
  local: SocketAddress;
  remote: SocketAddress;
  bytesReceived: number;
  bytesSent: number;
  /** `sk_err` of the socket: why it went down; 0 without error. */
  error: number;
}

export interface DatagramRecord extends SocketHead {
  kind: "datagram";
  direction: "sent" | "received";
  remote: SocketAddress;
  sizeBytes: number;
  /** Messages of one `sendmmsg` that this record stands for: 1, or more where the kernel side did not walk them all. */
  messages: number;
  /** First bytes, only where a port is 53 (DNS); else empty. */
  payload: Buffer;
  result: number;
}

/** A descriptor went through a Unix socket: one record for the sender and one for the receiver. */
export interface DescriptorRecord extends SocketHead {
  kind: "descriptor";
  direction: "sent" | "received";
  file: FileIdentity;
}

export type CredentialCall = "setuid" | "setgid" | "setgroups" | "capset";

export interface CredentialRecord extends RecordHead {
  kind: "credentials";
  call: CredentialCall;
  /** Effective user and group after the call. */
  euid: number;
  egid: number;
  result: number;
}

export type NamespaceCall = "unshare" | "setns" | "clone-namespace";

export interface NamespaceRecord extends RecordHead {
  kind: "namespace";
  call: NamespaceCall;
  /** CLONE_NEW* flags. */
  flags: number;
  result: number;
}

/** One process reaches into another, or signals it from outside its own group. */
export interface ReachRecord extends RecordHead {
  kind: "reach";
  call: "ptrace" | "process_vm_readv" | "process_vm_writev" | "kill" | "pidfd_getfd";
  /** Ptrace request, or signal number. */
  request: number;
  /** Pid as the caller named it (its namespace). */
  targetPid: number;
  result: number;
}

/** Use of an interface that could hide effects from system call records, also when it was refused. */
export interface BlindSpotRecord extends RecordHead {
  kind: "blind-spot";
  interface: "io_uring" | "compat-call" | "bpf" | "perf" | "userfaultfd" | "memfd" | "open-by-handle" | "aio";
  /** System call number; for io_uring submissions the opcode. */
  number: number;
  /** `attempt`: the system call, with its result. `submit`: an io_uring operation. */
  stage: "attempt" | "submit";
  result: number;
}

/** Classes that the kernel side counts for itself. */
export const RECORD_CLASSES = ["process", "file", "network", "security"] as const;
export type RecordClass = (typeof RECORD_CLASSES)[number];

/** Counters of the kernel side, sent once a second and at the end. All count from the load of the sensor. */
export interface CountersRecord {
  kind: "counters";
  timeNs: number;
  /** Records that got a number, a class. */
  emitted: Record<RecordClass, number>;
  /** Of these, how many found no room in the ring. */
  lost: Record<RecordClass, number>;
  /** Processes that could not be followed because the table of followed ones was full. */
  untracked: number;
  pathsTruncated: number;
  /** Times that the kernel did not run a program, because it was at work on that processor already: each may be a record less. */
  missedRuns?: number;
  /** The sensor ends on purpose: nothing follows. */
  final: boolean;
}

/** The sensor sees from here on. `canary`: a process that the sensor itself ran for the purpose was seen. */
export interface ReadyRecord {
  kind: "ready";
  timeNs: number;
  programs: number;
  /** Programs that this kernel refused, by name; what they would have seen is missing. */
  refused: string[];
  ringBytes: number;
}

/** The answer to `watch`, for who asked and not among the records: this process and everything alive in its pid namespace are followed. */
export interface WatchingRecord {
  kind: "watching";
  timeNs: number;
  pid: number;
  /** How many were found; 0: there is no such process. */
  processes: number;
  /** False: it shares the sensor's own pid namespace, and only it and its descendants are followed. */
  namespaced: boolean;
}

/** A process that the loader itself ran, outside of the container, to prove that the way from kernel to pipe works. */
export interface CanaryRecord extends RecordHead {
  kind: "canary";
  at: "start" | "end";
}

export type ProcessRecord = ForkRecord | ExecRecord | ExecFailedRecord | ExitRecord;
export type FileRecord = OpenRecord | OpenFailedRecord | CloseWriteRecord | SharedMappingRecord | PathRecord;
export type NetworkRecord = SocketCallRecord | SocketRecord | TcpStateRecord | DatagramRecord | DescriptorRecord;
export type SecurityRecord = CredentialRecord | NamespaceRecord | ReachRecord | BlindSpotRecord;
/** About the container's processes. */
export type ObservationRecord = ProcessRecord | FileRecord | NetworkRecord | SecurityRecord;
/** About the sensor itself. */
export type SensorRecord = CountersRecord | ReadyRecord | CanaryRecord;
export type KernelRecord = ObservationRecord | SensorRecord;
