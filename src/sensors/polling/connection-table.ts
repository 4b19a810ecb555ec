import type { Network, ObservedConnection } from "../../schema/observations.ts";
import type { SocketRow } from "./proc-net.ts";
import { SnapshotSeries } from "./snapshot-series.ts";

const MAX_CONNECTIONS = 20_000;

type NetworkSnapshot = Network["snapshots"][number];

/** All sockets of a container as they were met, look by look. */
export class ConnectionTable {
  readonly #byKey = new Map<string, ObservedConnection>();
  readonly #snapshots = new SnapshotSeries<NetworkSnapshot>();
  readonly #modelAddress: string;
  #truncated = false;

  /** `modelAddress`: where the gateway listens inside, `127.0.0.1:4100`. */
  constructor(modelAddress: string) {
    this.#modelAddress = modelAddress;
  }

  /** Takes one look; `owners` finds the pids that hold a socket, and is asked only for new ones. */
  look(
    rows: readonly SocketRow[],
    timestamp: string,
    owners: (inodes: ReadonlySet<string>) => Map<string, string[]>,
  ): void {
    const fresh: ObservedConnection[] = [];
    for (const row of rows) {
      const known = this.#byKey.get(keyOf(row));
      if (known !== undefined) {
        known.last_seen_at = timestamp;
        known.state = row.state;
        known.samples += 1;
      } else if (this.#byKey.size < MAX_CONNECTIONS) {
        const connection = this.#record(row, timestamp);
        this.#byKey.set(keyOf(row), connection);
        fresh.push(connection);
      } else {
        this.#truncated = true;
      }
    }
    if (fresh.length > 0) nameOwners(fresh, owners);
    this.#snapshots.offer(() => ({
      timestamp,
      connections: rows.map(({ proto, state, local, remote }) => ({ proto, state, local, remote })),
    }));
  }

  result(): Pick<Network, "snapshot_count" | "snapshots" | "connections" | "truncated"> {
    return {
      snapshot_count: this.#snapshots.count,
      snapshots: this.#snapshots.kept(),
      connections: [...this.#byKey.values()],
      truncated: this.#truncated,
    };
  }

  #record(row: SocketRow, timestamp: string): ObservedConnection {
    return {
      proto: row.proto,
      state: row.state,
      remote: row.remote,
      local: row.local,
      first_seen_at: timestamp,
      last_seen_at: timestamp,
      samples: 1,
      inode: row.inode === "0" ? null : row.inode,
      pids: [],
      role: roleOf(row, this.#modelAddress),
    };
  }
}

/** A socket in TIME_WAIT has lost its inode, so addresses name a connection; the inode tells those that share them. */
function keyOf(row: SocketRow): string {
  const unconnected = row.state === "LISTEN" || row.state === "UNCONNECTED";
  return `${row.proto} ${row.local} ${row.remote}${unconnected ? ` ${row.inode}` : ""}`;
}

function nameOwners(
  fresh: readonly ObservedConnection[],
  owners: (inodes: ReadonlySet<string>) => Map<string, string[]>,
): void {
  const inodes = new Set(fresh.map((connection) => connection.inode).filter((inode) => inode !== null));
  if (inodes.size === 0) return;
  const found = owners(inodes);
  for (const connection of fresh) connection.pids = (connection.inode !== null && found.get(connection.inode)) || [];
}

/** What the other end of a socket is. */
export function roleOf(
  row: Pick<SocketRow, "local" | "remote" | "state">,
  modelAddress: string,
): ObservedConnection["role"] {
  const partner = row.state === "LISTEN" || row.state === "UNCONNECTED" ? row.local : row.remote;
  if (row.remote === modelAddress || row.local === modelAddress) return "model-gateway";
  if (/^(127\.|\[::1\]|\[::ffff:127\.)/.test(partner)) return "loopback";
  if (/^(0\.0\.0\.0|\[::\]):/.test(partner))
    return row.state === "LISTEN" || row.state === "UNCONNECTED" ? "unknown" : "loopback";
  return "external";
}
