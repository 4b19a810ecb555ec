import * as fs from "node:fs";
import * as net from "node:net";
import { describe, expect, it } from "vitest";
import { roleOf } from "./connection-table.ts";
import { parseAddress, parseSocketTable, readSockets } from "./proc-net.ts";
import { parseCmdline, parseStat, readDetails, readProgram, readStat } from "./proc-process.ts";
import { formatElapsed, ProcessTable } from "./process-table.ts";
import { findSocketOwners } from "./socket-owners.ts";

describe("/proc/PID/stat", () => {
  it("survives a process name made of brackets, blanks and newlines", () => {
    const rest = "S 17 40 41 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 8675309 0 0";
    const stat = parseStat(`42 (a) b)\n (x) R 1 1) ${rest}`);
    expect(stat).toMatchObject({ comm: "a) b)\n (x) R 1 1", state: "S", ppid: 17, session: 41, startTime: "8675309" });
  });
  it("is undefined for anything else", () => {
    for (const text of ["", "42", "42 (x", "42 (x) S 1"]) expect(parseStat(text)).toBeUndefined();
  });
  it("reads this process", () => {
    expect(readStat(process.pid)).toMatchObject({ ppid: process.ppid });
    expect(readProgram(process.pid)?.argv[0]).toContain("node");
    expect(readDetails(process.pid)).toMatchObject({ cwd: process.cwd(), uid: process.getuid?.() });
  });
});

describe("command lines", () => {
  it("keep empty arguments and newlines", () => {
    expect(parseCmdline("sh\0-c\0a\nb\0\0")).toEqual(["sh", "-c", "a\nb", ""]);
    expect(parseCmdline("")).toEqual([]);
    expect(parseCmdline("overwritten title")).toEqual(["overwritten title"]);
  });
});

describe("socket tables", () => {
  it.each([
    ["0100007F:1004", "127.0.0.1:4100"],
    ["00000000:0000", "0.0.0.0:0"],
    ["00000000000000000000000001000000:1F90", "[::1]:8080"],
    ["0000000000000000FFFF00000100007F:0050", "[::ffff:127.0.0.1]:80"],
    ["B80D01200000000067452301EFCDAB89:0001", "[2001:db8::123:4567:89ab:cdef]:1"],
    ["nonsense", undefined],
  ])("%s is %s", (text, address) => expect(parseAddress(text)).toBe(address));

  it("names states, and keeps an unknown one", () => {
    const line = (state: string) => `  0: 0100007F:0001 0100007F:0002 ${state} 0:0 00:0 0 0 0 77 1`;
    const table = `heading\n${["0A", "01", "07", "7F"].map(line).join("\n")}\nhalf a li`;
    expect(parseSocketTable("tcp", table).map((row) => row.state)).toEqual(["LISTEN", "ESTABLISHED", "CLOSE", "0x7F"]);
    expect(parseSocketTable("udp", table)[2]).toMatchObject({ state: "UNCONNECTED", inode: "77" });
  });

  it("finds a real listener and its owner", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;
    const row = readSockets(process.pid)?.rows.find((candidate) => candidate.local === `127.0.0.1:${port}`);
    expect(row).toMatchObject({ proto: "tcp", state: "LISTEN" });
    const inode = row?.inode ?? "";
    expect(findSocketOwners([process.pid], new Set([inode])).get(inode)).toEqual([String(process.pid)]);
    server.close();
  });

  it("says what the other end is", () => {
    const role = (state: string, local: string, remote: string) => roleOf({ state, local, remote }, "127.0.0.1:4100");
    expect(role("ESTABLISHED", "127.0.0.1:50000", "127.0.0.1:4100")).toBe("model-gateway");
    expect(role("ESTABLISHED", "127.0.0.1:50000", "127.0.0.1:9")).toBe("loopback");
    expect(role("SYN_SENT", "10.0.0.2:50000", "203.0.113.9:443")).toBe("external");
    expect(role("LISTEN", "0.0.0.0:80", "0.0.0.0:0")).toBe("unknown");
  });
});

describe("the process table", () => {
  it("leaves out what the first process runs before the agent, and counts looks", () => {
    const table = new ProcessTable();
    table.look([process.pid], "2026-01-01T00:00:00.000Z");
    table.look([process.pid, 0x7fffffff], "2026-01-01T00:00:01.000Z");
    expect(table.result()).toMatchObject({
      snapshot_count: 2,
      truncated: false,
      processes: [{ samples: 2, pid: String(process.pid) }],
    });
    const held = new ProcessTable();
    held.hold(process.pid);
    held.look([process.pid], "2026-01-01T00:00:00.000Z");
    expect(held.result().processes).toEqual([]);
  });
  it("writes the time since the start as ps does", () => {
    expect([5, 65, 3_725, 90_061].map(formatElapsed)).toEqual(["00:05", "01:05", "01:02:05", "1-01:01:01"]);
  });
  it("needs no descriptor for long", () => {
    const before = fs.readdirSync("/proc/self/fd").length;
    const table = new ProcessTable();
    for (let look = 0; look < 50; look++) table.look([process.pid, 1], "2026-01-01T00:00:00.000Z");
    expect(fs.readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before + 1);
  });
});
