import type { CaptureEvent, EventKind } from "../../src/schema/event.ts";

/**
 * One observation, written so that what a case expects and what a capture says can be compared as text: the kind and the
 * fields that the case determines, names as bytes (Latin-1). Times, numbers and ports that nobody can know before are left out.
 */
export type Fact = string;

/** Fields of a fact. A text stands for its UTF-8 bytes. */
export type Fields = Record<string, unknown>;

/** Text → its bytes as one character each, so that any name can be compared. */
function bytesOf(text: string | Buffer): string {
  return Buffer.from(text).toString("latin1");
}

function canonical(value: unknown): unknown {
  if (typeof value === "string") return bytesOf(value);
  if (Buffer.isBuffer(value)) return bytesOf(value);
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, canonical(member)]),
  );
}

export function fact(kind: EventKind | "process", fields: Fields): Fact {
  return `${kind} ${JSON.stringify(canonical(fields))}`;
}

/** Which fields of each kind a case determines. Kinds that are not named make no facts of their own. */
const FIELDS: Partial<Record<EventKind, readonly string[]>> = {
  "process.credentials": ["call", "errno"],
  "process.namespace": ["call", "namespaces", "errno"],
  "process.reach": ["call", "errno"],
  "blind-spot": ["interface", "stage", "errno"],
  "file.open": ["path", "access", "created", "emptied", "temporary", "sensitive", "errno"],
  "file.open-failed": ["path", "access", "create", "sensitive", "errno"],
  "file.close-write": ["path", "size", "still_mapped"],
  "file.shared-mapping": ["path", "size"],
  "file.unlink": ["path", "errno"],
  "file.rmdir": ["path", "errno"],
  "file.mkdir": ["path", "mode", "errno"],
  "file.mknod": ["path", "mode", "errno"],
  "file.rename": ["path", "to", "flags", "errno"],
  "file.link": ["path", "to", "errno"],
  "file.symlink": ["path", "link_text", "errno"],
  "file.chmod": ["path", "mode", "errno"],
  "file.chown": ["path", "uid", "gid", "errno"],
  "file.truncate": ["path", "size", "errno"],
  "file.setxattr": ["path", "attribute", "errno"],
  "file.removexattr": ["path", "attribute", "errno"],
  "file.mount": ["path", "fs_type", "errno"],
  "file.umount": ["path", "errno"],
  "file.chroot": ["path", "errno"],
  "file.utime": ["path", "accessed", "modified", "errno"],
  "file.allocate": ["path", "modes", "offset", "length", "errno"],
  "net.socket": ["family", "type", "errno"],
  "net.connect": ["transport", "remote", "outcome", "errno"],
  "net.bind": ["transport", "local", "errno"],
  "net.listen": ["transport", "local", "errno"],
  "net.accept": ["transport", "local", "remote", "errno"],
  "net.close": ["transport", "local", "remote", "bytes_sent", "bytes_received"],
  "net.datagram": ["transport", "direction", "remote", "size_bytes", "messages", "errno"],
  "net.descriptor": ["transport", "direction", "object"],
  "net.dns-query": ["transport", "server", "questions", "errno"],
  "net.dns-answer": ["transport", "server", "questions", "rcode", "answers"],
};

const EPHEMERAL_FROM = 32_768;

/** What an event says of the fields that a case can determine; undefined for kinds that are judged in another way. */
export function factOf(event: CaptureEvent): Fact | undefined {
  const names = FIELDS[event.kind];
  if (names === undefined) return undefined;
  const record = event as unknown as Record<string, unknown>;
  return fact(event.kind, Object.fromEntries(names.map((name) => [name, fieldOf(record, name)])));
}

function fieldOf(event: Record<string, unknown>, name: string): unknown {
  const exact = exactBytes(event, name) ?? event[name];
  if (name === "path") return pathOf(exact);
  if (name === "local" || name === "remote") return addressOf(exact);
  if (name === "mode" && typeof exact === "string") return (Number.parseInt(exact, 8) & 0o7777).toString(8);
  return exact;
}

/** The exact bytes of a field, where the event has them beside the readable form. */
export function exactBytes(event: Record<string, unknown>, name: string): Buffer | undefined {
  const exact = event[`${name}_b64`];
  return typeof exact === "string" ? Buffer.from(exact, "base64") : undefined;
}

/** Numbers in names that the kernel makes up: of files without a name, of descriptors. */
function pathOf(value: unknown): unknown {
  if (typeof value !== "string") return value;
  return value.replace(/\/#\d+$/, "/#").replace(/^\/proc\/(self|\d+)\/fd\/\d+$/, "/proc/self/fd/#");
}

/** An ephemeral port is the kernel's choice. */
function addressOf(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const [, host, port] = /^(.*):(\d+)$/.exec(value) ?? [];
  return Number(port) >= EPHEMERAL_FROM ? `${host}:*` : value;
}
