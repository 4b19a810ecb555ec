import type { EventBody, EventOf } from "../../schema/event.ts";
import type { Network, ObservedConnection } from "../../schema/observations.ts";
import { roleOf } from "../polling/connection-table.ts";
import { Snapshots } from "../polling/snapshots.ts";

type SnapshotEntry = Network["snapshots"][number]["connections"][number];
type Body<K extends EventBody["kind"]> = Omit<EventOf<K>, "seq">;
type SocketBody = Extract<EventBody, { connection: number }>;

const MAX_RECORDS = 20_000;
const STATE_OF_OUTCOME = {
  connected: "ESTABLISHED",
  "in-progress": "SYN_SENT",
  refused: "CLOSE",
  unreachable: "CLOSE",
  timeout: "CLOSE",
  failed: "CLOSE",
} as const;

/**
 * Rebuilds the content of network.json from events: one entry for every connection, listening socket and partner of
 * datagrams. Bounded: `truncated` says when a limit cut the list; the events have the rest.
 */
export class EventConnectionList {
  readonly #records = new Map<string, ObservedConnection>();
  /** Those whose end will be told. */
  readonly #open = new Map<string, ObservedConnection>();
  readonly #snapshots = new Snapshots<SnapshotEntry>();
  readonly #attempts = new Map<number, number>();
  #truncated = false;

  apply(event: EventBody): void {
    switch (event.kind) {
      case "net.connect":
        return this.#connect(event);
      case "net.accept":
        return this.#accept(event);
      case "net.listen":
        return this.#listen(event);
      case "net.close":
        return this.#close(event);
      case "net.datagram":
        return this.#datagram(event, event.remote, event.role);
      case "net.dns-query":
      case "net.dns-answer":
        return this.#datagram(event, event.server, roleOfServer(event));
      default:
    }
  }

  /** Keeps the state as it is now. */
  snapshot(nowMs: number): void {
    const time = new Date(nowMs).toISOString();
    for (const record of this.#open.values()) {
      record.samples++;
      record.last_seen_at = time;
    }
    this.#snapshots.offer(nowMs, () =>
      [...this.#open.values()].map(({ proto, state, local, remote }) => ({ proto, state, local, remote })),
    );
  }

  /** The content of network.json, without its head. */
  result(): Omit<Network, "schema_version" | "generated_at"> {
    return {
      snapshot_count: this.#snapshots.taken,
      snapshots: this.#snapshots.kept.map(({ atMs, items }) => ({
        timestamp: new Date(atMs).toISOString(),
        connections: items,
      })),
      connections: [...this.#records.values()],
      truncated: this.#truncated,
    };
  }

  #connect(event: Body<"net.connect">): void {
    // A socket can be tried again after a failure: every attempt is an entry.
    const attempt = (this.#attempts.get(event.connection) ?? 0) + 1;
    if (this.#attempts.size < MAX_RECORDS) this.#attempts.set(event.connection, attempt);
    const state = STATE_OF_OUTCOME[event.outcome];
    const record = this.#add(`${event.connection} ${attempt}`, event, state, event.remote, event.role);
    if (record === undefined) return;
    record.direction = "out";
    record.outcome = event.outcome;
    if (event.errno !== undefined) record.errno = event.errno;
    if (event.outcome === "connected" && event.transport.startsWith("tcp"))
      this.#open.set(String(event.connection), record);
  }

  #accept(event: Body<"net.accept">): void {
    if (event.errno !== undefined) return;
    const record = this.#add(`${event.connection} in`, event, "ESTABLISHED", event.remote, event.role);
    if (record === undefined) return;
    record.direction = "in";
    if (event.transport.startsWith("tcp")) this.#open.set(String(event.connection), record);
  }

  #listen(event: Body<"net.listen">): void {
    if (event.errno !== undefined) return;
    const proto = event.transport;
    const local = event.local ?? "";
    const role = roleOf({ proto, state: "LISTEN", local, remote: "" }, () => false);
    this.#add(`${event.connection} listen`, event, "LISTEN", "", role);
  }

  #close(event: Body<"net.close">): void {
    const key = String(event.connection);
    // Also one that was accepted or made before the watch: then the end is all that is known of it.
    const record =
      this.#open.get(key) ?? this.#add(`${event.connection} close`, event, "ESTABLISHED", event.remote, event.role);
    this.#open.delete(key);
    if (record === undefined) return;
    if (event.local !== undefined) record.local = event.local;
    record.last_seen_at = event.time;
    record.bytes_sent = event.bytes_sent;
    record.bytes_received = event.bytes_received;
    if (event.duration_ms !== null) record.duration_ms = event.duration_ms;
  }

  #datagram(
    event: Body<"net.datagram"> | Body<"net.dns-query"> | Body<"net.dns-answer">,
    remote: string,
    role: ObservedConnection["role"],
  ): void {
    const record = this.#add(`${event.connection} ${remote}`, event, "UNCONNECTED", remote, role);
    if (record === undefined) return;
    record.last_seen_at = event.time;
    const received =
      event.kind === "net.dns-answer" || (event.kind === "net.datagram" && event.direction === "received");
    if ("errno" in event && event.errno !== undefined) record.errno = event.errno;
    else if (received) record.bytes_received = (record.bytes_received ?? 0) + event.size_bytes;
    else record.bytes_sent = (record.bytes_sent ?? 0) + event.size_bytes;
  }

  #add(
    key: string,
    event: SocketBody,
    state: string,
    remote: string,
    role: ObservedConnection["role"],
  ): ObservedConnection | undefined {
    const known = this.#records.get(key);
    if (known !== undefined) return known;
    if (this.#records.size >= MAX_RECORDS) {
      this.#truncated = true;
      return undefined;
    }
    const record: ObservedConnection = {
      proto: event.transport,
      state,
      local: "local" in event ? (event.local ?? "") : "",
      remote,
      first_seen_at: event.time,
      last_seen_at: event.time,
      samples: 0,
      inode: null,
      pids: [event.process.split("-")[0] ?? ""],
      process: event.process,
      connection: event.connection,
      role,
    };
    this.#records.set(key, record);
    return record;
  }
}

function roleOfServer({ transport, server }: { transport: string; server: string }): ObservedConnection["role"] {
  return roleOf({ proto: transport, state: "ESTABLISHED", local: "", remote: server }, () => false);
}
