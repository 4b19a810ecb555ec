import type { ProcessView } from "../../src/schema/view.ts";

/** A process with its depth in the tree; parents stand before their children. */
export interface TreeRow {
  id: string;
  process: ProcessView;
  depth: number;
}

const MAX_DEPTH = 40;

/**
 * Orders processes as a tree by parent pid. A pid may have been used twice: the parent is then the one seen last before
 * the child. A parent that was never seen makes its children roots, and a circle of parents (false data) is cut.
 */
export function treeRows(processes: readonly ProcessView[]): TreeRow[] {
  const byPid = new Map<string, number[]>();
  for (const [index, one] of processes.entries()) byPid.set(one.pid, [...(byPid.get(one.pid) ?? []), index]);
  const children = new Map<number, number[]>();
  const roots: number[] = [];
  for (const [index, one] of processes.entries()) {
    const parent = parentOf(one, index, byPid.get(one.ppid) ?? [], processes);
    if (parent === undefined) roots.push(index);
    else children.set(parent, [...(children.get(parent) ?? []), index]);
  }
  const rows: TreeRow[] = [];
  const done = new Set<number>();
  const visit = (first: number): void => {
    const stack = [{ index: first, depth: 0 }];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { index, depth } = next;
      const process = processes[index];
      if (process === undefined || done.has(index)) continue;
      done.add(index);
      rows.push({ id: `${process.pid}#${index}`, process, depth: Math.min(depth, MAX_DEPTH) });
      for (const child of (children.get(index) ?? []).toReversed()) stack.push({ index: child, depth: depth + 1 });
    }
  };
  for (const root of roots) visit(root);
  // Only members of circles are left.
  for (const index of processes.keys()) if (!done.has(index)) visit(index);
  return rows;
}

function parentOf(
  child: ProcessView,
  own: number,
  candidates: readonly number[],
  processes: readonly ProcessView[],
): number | undefined {
  const others = candidates.filter((index) => index !== own);
  const before = others.filter((index) => (processes[index]?.first_seen_at ?? "") <= child.first_seen_at);
  return before.at(-1) ?? others[0];
}
