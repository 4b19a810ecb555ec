import type { Network, ObservedConnection } from "../../schema/observations.ts";
import type { SocketRow } from "./net-parse.ts";
import { Snapshots } from "./snapshots.ts";

type SnapshotEntry = Network["snapshots"][number]["connections"][number];

interface ConnectionRecord extends Omit<ObservedConnection, "first_seen_at" | "last_seen_at"> {
  firstMs: number;
  lastMs: number;
}

/** Finds out who holds sockets. */
export interface SocketOwners {
  /** Host pids of the container's processes, by inode of the sockets asked for; those not found are missing. */
  find(inodes: ReadonlySet<string>): Map<string, string[]>;
  /** Whether this very program holds the socket. */
  isOurs(inode: string): boolean;
}

const MAX_RECORDS = 20_000;

/** Rebuilds, from looks at the socket tables, which connections a container had. */
export class ConnectionTable {
  readonly #records = new Map<string, ConnectionRecord>();
  readonly #snapshots = new Snapshots<SnapshotEntry>();
  /** Local ends of the sockets that the supervisor has opened in the container's network: the model's address. */
  readonly #ourEndpoints = new Set<string>();
  readonly #checkedListeners = new Set<string>();
  #current: ConnectionRecord[] = [];
  #truncated = false;

  /** `modelAddress`: where the model listens inside the container, `127.0.0.1:4100`. */
  constructor(modelAddress?: string) {
    if (modelAddress !== undefined) this.#ourEndpoints.add(`tcp ${modelAddress}`);
  }

  /** One look: `rows` are all sockets of the container's network namespace just now. */
  look(rows: readonly SocketRow[], owners: SocketOwners, nowMs: number): void {
    for (const row of rows) this.#noteOurs(row, owners);
    const theirs = rows.filter((row) => !this.#ourEndpoints.has(`${row.proto} ${row.local}`));
    const unowned = new Map<string, ConnectionRecord[]>();
    this.#current = theirs.flatMap((row) => {
      const record = this.#see(row, nowMs);
      if (record === undefined) return [];
      if (row.inode !== "0" && record.pids.length === 0 && record.samples === 1) {
        unowned.set(row.inode, [...(unowned.get(row.inode) ?? []), record]);
      }
      return [record];
    });
    if (unowned.size === 0) return;
    for (const [inode, pids] of owners.find(new Set(unowned.keys()))) {
      for (const record of unowned.get(inode) ?? []) record.pids = pids;
    }
  }

  /** Keeps the state of the last look. */
  snapshot(nowMs: number): void {
    this.#snapshots.offer(nowMs, () =>
      this.#current.map(({ proto, state, local, remote }) => ({ proto, state, local, remote })),
    );
  }

  /** TCP connections seen. The two ends of one inside the container are one connection. */
  get tcpConnections(): number {
    const pairs = new Set<string>();
    for (const { proto, state, local, remote } of this.#records.values()) {
      if (proto.startsWith("tcp") && state !== "LISTEN") pairs.add([local, remote].map(unmapped).toSorted().join(" "));
    }
    return pairs.size;
  }

  /** The content of network.json, without its head. */
  result(): Omit<Network, "schema_version" | "generated_at"> {
    return {
      snapshot_count: this.#snapshots.taken,
      snapshots: this.#snapshots.kept.map(({ atMs, items }) => ({ timestamp: iso(atMs), connections: items })),
      connections: [...this.#records.values()].map(({ firstMs, lastMs, ...record }) => ({
        ...record,
        first_seen_at: iso(firstMs),
        last_seen_at: iso(lastMs),
      })),
      truncated: this.#truncated,
    };
  }

  #noteOurs(row: SocketRow, owners: SocketOwners): void {
    if (!waits(row) || row.proto === "unix" || row.inode === "0" || this.#checkedListeners.has(row.inode)) return;
    if (this.#checkedListeners.size < MAX_RECORDS) this.#checkedListeners.add(row.inode);
    if (owners.isOurs(row.inode)) this.#ourEndpoints.add(`${row.proto} ${row.local}`);
  }

  #see(row: SocketRow, nowMs: number): ConnectionRecord | undefined {
    const key = keyOf(row);
    const known = this.#records.get(key);
    if (known !== undefined) {
      known.lastMs = nowMs;
      known.samples++;
      // That it was established is the thing to know; how it was closed is not.
      if (known.state !== "ESTABLISHED") known.state = row.state;
      if (row.inode !== "0") known.inode = row.inode;
      return known;
    }
    if (this.#records.size >= MAX_RECORDS) {
      this.#truncated = true;
      return undefined;
    }
    const record: ConnectionRecord = {
      proto: row.proto,
      state: row.state,
      local: row.local,
      remote: row.remote,
      firstMs: nowMs,
      lastMs: nowMs,
      samples: 1,
      inode: row.inode === "0" ? null : row.inode,
      pids: [],
      role: roleOf(row, (endpoint) => this.#ourEndpoints.has(`${row.proto} ${endpoint}`)),
    };
    this.#records.set(key, record);
    return record;
  }
}

/** A server that listens for both versions sees IPv4 addresses as mapped ones, its client does not. */
function unmapped(endpoint: string): string {
  return endpoint.replace(/^\[::ffff:([\d.]+)\]/, "$1");
}

/** A connection in TIME_WAIT has lost its inode, so addresses name it; sockets without a partner may share an address. */
function keyOf(row: SocketRow): string {
  return `${row.proto} ${row.local} ${row.remote}${waits(row) ? ` ${row.inode}` : ""}`;
}

/** Whether the socket has no other end. */
function waits({ state }: Pick<SocketRow, "state">): boolean {
  return state === "LISTEN" || state === "UNCONNECTED";
}

/** What the other end of a socket is; of one without, what could become its other end. */
export function roleOf(
  row: Pick<SocketRow, "proto" | "state" | "local" | "remote">,
  isModel: (endpoint: string) => boolean,
): ObservedConnection["role"] {
  if (row.proto === "unix") return "unix";
  if (isModel(row.remote)) return "model-gateway";
  const partner = waits(row) ? row.local : row.remote;
  if (/^(127\.|\[::1\]|\[::ffff:127\.)/.test(partner)) return "loopback";
  // To connect to the unspecified address is to connect to oneself.
  if (/^(0\.0\.0\.0|\[::\]):/.test(partner)) return waits(row) ? "unknown" : "loopback";
  return "external";
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
