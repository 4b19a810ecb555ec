import * as os from "node:os";

/** Errors of the kernel that never leave it with a name of their own in C libraries, and those that os.constants lacks. */
const MORE_ERRNOS: Readonly<Record<number, string>> = {
  11: "EAGAIN",
  15: "ENOTBLK",
  26: "ETXTBSY",
  80: "ELIBBAD",
  95: "EOPNOTSUPP",
  117: "EUCLEAN",
  126: "ENOKEY",
  512: "ERESTARTSYS",
  513: "ERESTARTNOINTR",
  514: "ERESTARTNOHAND",
  516: "ERESTART_RESTARTBLOCK",
  524: "ENOTSUPP",
};

const ERRNO_NAMES = new Map<number, string>([
  ...Object.entries(os.constants.errno).map(([name, number]): [number, string] => [number, name]),
  ...Object.entries(MORE_ERRNOS).map(([number, name]): [number, string] => [Number(number), name]),
]);

const SIGNAL_NAMES = new Map(Object.entries(os.constants.signals).map(([name, number]) => [number as number, name]));
// Two names, one number: the older one is what people write.
for (const name of ["SIGABRT", "SIGIO"] as const) SIGNAL_NAMES.set(os.constants.signals[name], name);

/** Name of an error number, without its sign. */
export function errnoName(number: number): string {
  const errno = Math.abs(number);
  return ERRNO_NAMES.get(errno) ?? `errno ${errno}`;
}

/** The `errno` key of an event about a call with this result; nothing for a success. */
export function failure(result: number): { errno?: string } {
  return result < 0 ? { errno: errnoName(result) } : {};
}

/** Name of a signal; real-time signals as `SIGRTMIN+n`. */
export function signalName(number: number): string {
  const first = 34;
  return (
    SIGNAL_NAMES.get(number) ?? (number >= first && number <= 64 ? `SIGRTMIN+${number - first}` : `signal ${number}`)
  );
}

const NAMESPACES: readonly [number, string][] = [
  [0x0002_0000, "mnt"],
  [0x0200_0000, "cgroup"],
  [0x0400_0000, "uts"],
  [0x0800_0000, "ipc"],
  [0x1000_0000, "user"],
  [0x2000_0000, "pid"],
  [0x4000_0000, "net"],
  [0x80, "time"],
];

/** Names of the CLONE_NEW* flags that are set. */
export function namespaceNames(flags: number): string[] {
  return NAMESPACES.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name);
}

const PTRACE_REQUESTS: Readonly<Record<number, string>> = {
  0: "TRACEME",
  1: "PEEKTEXT",
  2: "PEEKDATA",
  3: "PEEKUSER",
  4: "POKETEXT",
  5: "POKEDATA",
  6: "POKEUSER",
  7: "CONT",
  8: "KILL",
  9: "SINGLESTEP",
  12: "GETREGS",
  13: "SETREGS",
  16: "ATTACH",
  17: "DETACH",
  24: "SYSCALL",
  0x4200: "SETOPTIONS",
  0x4204: "GETREGSET",
  0x4205: "SETREGSET",
  0x4206: "SEIZE",
  0x4207: "INTERRUPT",
};

export function ptraceRequest(number: number): string {
  return PTRACE_REQUESTS[number] ?? `request ${number}`;
}

const FAMILIES: Readonly<Record<number, string>> = {
  0: "unspec",
  1: "unix",
  2: "inet",
  10: "inet6",
  16: "netlink",
  17: "packet",
  29: "can",
  31: "bluetooth",
  38: "alg",
  40: "vsock",
  44: "xdp",
};

export function familyName(family: number): string {
  return FAMILIES[family] ?? `family-${family}`;
}

const SOCKET_TYPES: Readonly<Record<number, string>> = {
  1: "stream",
  2: "datagram",
  3: "raw",
  4: "rdm",
  5: "seqpacket",
  10: "packet",
};

export function socketType(type: number): string {
  return SOCKET_TYPES[type] ?? `type-${type}`;
}
