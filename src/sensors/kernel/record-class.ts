import type { KernelRecord, RecordClass } from "./record.ts";

const CLASS_OF: Readonly<Record<KernelRecord["kind"], RecordClass | undefined>> = {
  fork: "process",
  exec: "process",
  "exec-failed": "process",
  exit: "process",
  // The kernel side counts them among these.
  canary: "process",
  open: "file",
  "open-failed": "file",
  "close-write": "file",
  "shared-mapping": "file",
  path: "file",
  connect: "network",
  bind: "network",
  listen: "network",
  accept: "network",
  socket: "network",
  "tcp-state": "network",
  datagram: "network",
  descriptor: "network",
  credentials: "security",
  namespace: "security",
  reach: "security",
  "blind-spot": "security",
  counters: undefined,
  ready: undefined,
};

/** The class that the kernel side counts a record in; undefined for records that it does not number. */
export function classOf(record: KernelRecord): RecordClass | undefined {
  return CLASS_OF[record.kind];
}
