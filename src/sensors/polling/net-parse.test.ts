import * as net from "node:net";
import { describe, expect, it } from "vitest";
import { ConnectionTable, roleOf } from "./connection-table.ts";
import {
  formatAddress,
  parseInetTable,
  parseSocketCounts,
  parseTcpCounters,
  parseUnixTable,
  type SocketRow,
} from "./net-parse.ts";
import { readProc } from "./proc-file.ts";
import { socketOwners } from "./socket-owners.ts";

describe("socket tables", () => {
  it.each([
    ["0100007F", "127.0.0.1"],
    ["00000000", "0.0.0.0"],
    ["00000000000000000000000001000000", "[::1]"],
    ["00000000000000000000000000000000", "[::]"],
    ["0000000000000000FFFF00000100007F", "[::ffff:127.0.0.1]"],
    ["B80D01200000000067452301EFCDAB89", "[2001:db8::123:4567:89ab:cdef]"],
    ["B80D0120010000000000000001000000", "[2001:db8:0:1::1]"],
  ])("%s is %s", (hex, address) => expect(formatAddress(hex)).toBe(address));

  it("names states, keeps an unknown one, and skips what is no row", () => {
    const line = (state: string) => `  0: 0100007F:0001 0100007F:0002 ${state} 0:0 00:0 0 0 0 77 1`;
    const table = Buffer.from(`heading\n${["0A", "01", "07", "7F"].map(line).join("\n")}\nhalf a li`);
    expect(parseInetTable("tcp", table).map((row) => row.state)).toEqual(["LISTEN", "ESTABLISHED", "CLOSE", "7F"]);
    expect(parseInetTable("udp", table)[2]).toEqual({
      proto: "udp",
      state: "UNCONNECTED",
      local: "127.0.0.1:1",
      remote: "127.0.0.1:2",
      inode: "77",
    });
  });

  it("finds a real listener and its owner", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;
    const rows = parseInetTable("tcp", readProc("/proc/self/net/tcp") ?? Buffer.alloc(0));
    const row = rows.find(({ local }) => local === `127.0.0.1:${port}`);
    expect(row?.state).toBe("LISTEN");
    const owners = socketOwners(() => [process.pid]);
    expect(owners.find(new Set([row?.inode ?? ""])).get(row?.inode ?? "")).toEqual([String(process.pid)]);
    expect(owners.isOurs(row?.inode ?? "")).toBe(true);
    expect(owners.isOurs("1")).toBe(false);
    server.close();
  });

  it("keeps Unix sockets with a name, also one with a line break in it", () => {
    const head = "Num RefCount Protocol Flags Type St Inode Path";
    const line = (flags: string, state: string, rest: string) =>
      `0000000000000000: 00000002 00000000 ${flags} 0001 ${state} ${rest}`;
    const text = [
      head,
      line("00010000", "01", "100 /run/a b"),
      "c: no row",
      line("00000000", "03", "101 @abstract"),
      line("00000000", "03", "102"),
    ].join("\n");
    expect(parseUnixTable(Buffer.from(`${text}\n`))).toEqual([
      { proto: "unix", state: "LISTEN", local: "/run/a b\nc: no row", remote: "", inode: "100" },
      { proto: "unix", state: "ESTABLISHED", local: "@abstract", remote: "", inode: "101" },
    ]);
  });

  it("finds the kernel's counters by their names", () => {
    const text = (segments: number) =>
      Buffer.from(
        "Ip: A B\nIp: 1 2\nTcp: RtoMin ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs\n" +
          `Tcp: 200 7 6 3 2 1 ${segments}\nUdp: X\nUdp: 1\n`,
      );
    expect(parseTcpCounters(text(10))).toEqual({ activeOpens: 7, attemptFails: 3, fingerprint: "7 6 3 2 1" });
    expect(parseTcpCounters(text(20))).toEqual(parseTcpCounters(text(10)));
    expect(parseTcpCounters(Buffer.from("Tcp: only\n"))).toBeUndefined();
  });
});

it("counts of sockets leave out the memory that they use", () => {
  const text = (memory: number) =>
    `sockets: used 39\nTCP: inuse 1 orphan 0 tw 5 alloc 1 mem ${memory}\nUDP: inuse 2 mem ${memory}\nUDPLITE: inuse 0\n` +
    "RAW: inuse 0\nFRAG: inuse 0 memory 0\nTCP6: inuse 3\nUDP6: inuse 0\nRAW6: inuse 0\n";
  expect(parseSocketCounts(text(1))).toEqual({
    tcp: "TCP: inuse 1 orphan 0 tw 5",
    tcp6: "TCP6: inuse 3",
    others: "sockets: used 39 UDP: inuse 2 RAW: inuse 0 UDP6: inuse 0 RAW6: inuse 0",
  });
  expect(parseSocketCounts(text(2))).toEqual(parseSocketCounts(text(1)));
});

describe("connections", () => {
  const row = (state: string, local: string, remote: string, inode = "9", proto = "tcp"): SocketRow => ({
    proto,
    state,
    local,
    remote,
    inode,
  });
  const nobody = { find: () => new Map<string, string[]>(), isOurs: () => false };

  it("have an other end", () => {
    const role = (state: string, local: string, remote: string) =>
      roleOf({ proto: "tcp", state, local, remote }, (endpoint) => endpoint === "127.0.0.1:4100");
    expect(role("ESTABLISHED", "127.0.0.1:50000", "127.0.0.1:4100")).toBe("model-gateway");
    expect(role("ESTABLISHED", "127.0.0.1:50000", "127.0.0.1:9")).toBe("loopback");
    expect(role("SYN_SENT", "10.0.0.2:50000", "203.0.113.9:443")).toBe("external");
    expect(role("LISTEN", "0.0.0.0:80", "0.0.0.0:0")).toBe("unknown");
    expect(role("LISTEN", "127.0.0.1:80", "0.0.0.0:0")).toBe("loopback");
  });

  it("of the supervisor are left out, and those to it are the model's", () => {
    const table = new ConnectionTable();
    const rows = [
      row("ESTABLISHED", "127.0.0.1:50000", "127.0.0.1:4100", "1"),
      row("ESTABLISHED", "127.0.0.1:4100", "127.0.0.1:50000", "2"),
      row("LISTEN", "127.0.0.1:4100", "0.0.0.0:0", "3"),
    ];
    table.look(rows, { ...nobody, isOurs: (inode) => inode === "3" }, 0);
    expect(table.result().connections).toMatchObject([{ local: "127.0.0.1:50000", role: "model-gateway" }]);
    expect(table.tcpConnections).toBe(1);
  });

  it("have two ends, which count as one", () => {
    const table = new ConnectionTable();
    const rows = [
      row("ESTABLISHED", "127.0.0.1:50000", "127.0.0.1:80", "1"),
      row("ESTABLISHED", "[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:50000", "2", "tcp6"),
      row("LISTEN", "[::]:80", "[::]:0", "3", "tcp6"),
      row("UNCONNECTED", "0.0.0.0:53", "0.0.0.0:0", "4", "udp"),
    ];
    table.look(rows, nobody, 0);
    expect(table.tcpConnections).toBe(1);
    expect(table.result().connections).toHaveLength(4);
  });

  it("keep their best state and their inode when they are closed", () => {
    const table = new ConnectionTable();
    const owners = { ...nobody, find: () => new Map([["5", ["77"]]]) };
    table.look([row("ESTABLISHED", "127.0.0.1:1", "127.0.0.1:2", "5")], owners, 0);
    table.look([row("TIME_WAIT", "127.0.0.1:1", "127.0.0.1:2", "0")], owners, 1000);
    expect(table.result().connections).toMatchObject([
      { state: "ESTABLISHED", inode: "5", pids: ["77"], samples: 2, last_seen_at: "1970-01-01T00:00:01.000Z" },
    ]);
  });
});
