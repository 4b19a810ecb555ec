import { monotonicMs } from "../../core/clock.ts";
import { CpuBudget } from "./cpu-budget.ts";
import {
  parseInetTable,
  parseSocketCounts,
  parseTcpCounters,
  parseUnixTable,
  type SocketRow,
  type TcpCounters,
} from "./net-parse.ts";
import { ProcFile, readProcLink } from "./proc-file.ts";

/** Tables that cost next to nothing, and those for which the kernel walks all of its hash table: 1–3 ms each. */
const CHEAP_TABLES = ["udp", "udp6", "raw", "raw6"] as const;
const COSTLY_TABLES = ["tcp", "tcp6"] as const;
type CostlyTable = (typeof COSTLY_TABLES)[number];
/** Cheap counters of which one changes whenever a socket comes or goes. */
const COUNTERS = ["snmp", "sockstat", "sockstat6"] as const;
/** The tables are read at least this often: connections of version 6 that are closed leave the counters as they were. */
const READ_AT_LEAST_EVERY_MS = 5000;
/** Share of one CPU for the tables, and how much may be spent at once when much happens: some dozens of looks. */
const TABLE_SHARE = 0.012;
const TABLE_BURST_MS = 150;

/**
 * Reads the sockets of one network namespace from outside. The files stay open and keep the namespace alive, so that a
 * last look is possible when all its processes are dead: closed TCP connections can still be seen for a minute.
 */
export class NetworkLook {
  readonly #files: ReadonlyMap<string, ProcFile>;
  #seen: Record<CostlyTable | "others", string> = { tcp: "", tcp6: "", others: "" };
  readonly #stale = new Set<CostlyTable>(COSTLY_TABLES);
  readonly #rows = new Map<CostlyTable, SocketRow[]>();
  readonly #budget = new CpuBudget(TABLE_SHARE, TABLE_BURST_MS);
  #lastReadMs = Number.NEGATIVE_INFINITY;

  private constructor(files: ReadonlyMap<string, ProcFile>) {
    this.#files = files;
  }

  /** `pid`: a process in the namespace. Undefined when it can't be looked at, or when it is the host's own. */
  static open(pid: number): NetworkLook | undefined {
    const namespace = readProcLink(`/proc/${pid}/ns/net`);
    if (namespace === null || namespace === readProcLink("/proc/self/ns/net")) return undefined;
    const files = new Map<string, ProcFile>();
    for (const name of [...CHEAP_TABLES, ...COSTLY_TABLES, "unix", ...COUNTERS]) {
      const file = ProcFile.open(`/proc/${pid}/net/${name}`);
      if (file !== undefined) files.set(name, file);
    }
    return files.has("tcp") ? new NetworkLook(files) : undefined;
  }

  /** All sockets, when something has changed and the CPU share allows it; else undefined: all as before. */
  readIfChanged(): SocketRow[] | undefined {
    const counts = parseSocketCounts(this.#text("sockstat") + this.#text("sockstat6"));
    const now = {
      tcp: `${this.tcpCounters()?.fingerprint} ${counts.tcp}`,
      // Version 6 has no counts of its own for connections, only one of open sockets.
      tcp6: counts.tcp6.endsWith(" 0") ? counts.tcp6 : `${this.tcpCounters()?.fingerprint} ${counts.tcp6}`,
      others: counts.others,
    };
    const isDue = monotonicMs() - this.#lastReadMs > READ_AT_LEAST_EVERY_MS;
    for (const table of COSTLY_TABLES) if (isDue || now[table] !== this.#seen[table]) this.#stale.add(table);
    const hasNews = this.#stale.size > 0 && this.#budget.isLeft;
    const othersChanged = now.others !== this.#seen.others;
    this.#seen = now;
    return hasNews || othersChanged ? this.#budget.spend(() => this.#readStale(hasNews)) : undefined;
  }

  /** All sockets now. */
  read(): SocketRow[] {
    for (const table of COSTLY_TABLES) this.#stale.add(table);
    return this.#readStale(true);
  }

  /** The kernel's own counts of TCP connections since the namespace was made. */
  tcpCounters(): TcpCounters | undefined {
    const content = this.#files.get("snmp")?.read();
    return content === undefined ? undefined : parseTcpCounters(content);
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
  }

  #readStale(withCostly: boolean): SocketRow[] {
    if (withCostly) {
      for (const table of this.#stale) this.#rows.set(table, this.#table(table));
      this.#stale.clear();
      this.#lastReadMs = monotonicMs();
    }
    const unix = this.#files.get("unix")?.read();
    const rows = [
      ...[...this.#rows.values()].flat(),
      ...CHEAP_TABLES.flatMap((name) => this.#table(name)),
      ...(unix === undefined ? [] : parseUnixTable(unix)),
    ];
    return rows;
  }

  #table(name: (typeof CHEAP_TABLES)[number] | CostlyTable): SocketRow[] {
    const content = this.#files.get(name)?.read();
    return content === undefined ? [] : parseInetTable(name, content);
  }

  #text(name: string): string {
    return this.#files.get(name)?.read()?.toString("latin1") ?? "";
  }
}
