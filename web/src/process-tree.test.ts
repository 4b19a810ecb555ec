import { describe, expect, it } from "vitest";
import type { ProcessView } from "../../src/schema/view.ts";
import { treeRows } from "./process-tree.ts";

function process(pid: number, ppid: number, second: number): ProcessView {
  return {
    pid: String(pid),
    ppid: String(ppid),
    command: "c",
    args: "c",
    first_seen_at: `2026-01-01T00:00:${String(second).padStart(2, "0")}Z`,
    last_seen_at: "2026-01-01T00:01:00Z",
    samples: 1,
    argv: null,
    start_time: null,
    container_pid: null,
    exe: null,
    cwd: null,
    uid: null,
    session: null,
  };
}

function shape(processes: readonly ProcessView[]): string[] {
  return treeRows(processes).map((row) => `${"-".repeat(row.depth)}${row.process.pid}`);
}

describe("treeRows", () => {
  it("puts children below their parents, in order", () => {
    expect(shape([process(1, 0, 0), process(2, 1, 1), process(3, 1, 2), process(4, 2, 3)])).toEqual([
      "1",
      "-2",
      "--4",
      "-3",
    ]);
  });

  it("makes a process whose parent was not seen a root", () => {
    expect(shape([process(5, 99, 0), process(6, 5, 1)])).toEqual(["5", "-6"]);
  });

  it("takes the later of two processes with one pid as the parent", () => {
    const rows = treeRows([process(1, 0, 0), process(7, 0, 1), process(1, 0, 5), process(8, 1, 6)]);
    expect(rows.map((row) => [row.process.pid, row.depth])).toEqual([
      ["1", 0],
      ["7", 0],
      ["1", 0],
      ["8", 1],
    ]);
  });

  it("ends for circles and for a process that is its own parent", () => {
    expect(shape([process(1, 2, 0), process(2, 1, 1), process(3, 3, 2)]).toSorted()).toEqual(["-2", "1", "3"]);
  });

  it("shows each of many exactly once, without recursion", () => {
    const chain = Array.from({ length: 20_000 }, (_, n) => process(n + 1, n, 0));
    const rows = treeRows(chain);
    expect(rows).toHaveLength(20_000);
    expect(new Set(rows.map((row) => row.id)).size).toBe(20_000);
  });
});
