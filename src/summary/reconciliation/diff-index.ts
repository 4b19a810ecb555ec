import type { FileChange } from "../../schema/observations.ts";
import type { FsDiffView } from "../../schema/view.ts";
import { exactPath } from "./exact-path.ts";

/** Where the working copy stands inside the container. */
const WORKSPACE = "/workspace";

/** One change of the file diff, by its absolute path. */
export interface PlacedChange {
  path: string;
  type: FileChange["change_type"];
  change: FileChange;
}

/** The changes of a file diff by their absolute paths, as exact bytes. */
export class DiffIndex {
  /** Sorted by path. */
  readonly changes: PlacedChange[];
  /** Directories that were compared. */
  readonly roots: string[];
  readonly #types = new Map<string, PlacedChange["type"]>();
  readonly #excluded: string[];
  /** Every path that is listed or excluded, sorted. */
  readonly #listed: string[];

  constructor(diff: FsDiffView) {
    const outside = diff.outside_workspace ?? [];
    this.roots = [WORKSPACE, ...outside.map(({ root }) => root)];
    this.changes = [
      ...diff.changes.map((change) => placed(WORKSPACE, change)),
      ...outside.flatMap(({ root, changes }) => changes.map((change) => placed(root, change))),
    ].sort((a, b) => (a.path < b.path ? -1 : 1));
    for (const { path, type } of this.changes) this.#types.set(path, type);
    this.#excluded = (diff.excluded ?? []).map(({ path }) => `${WORKSPACE}/${exactPath(path, undefined)}`);
    this.#listed = [...this.changes.map(({ path }) => path), ...this.#excluded].sort();
  }

  typeOf(path: string): PlacedChange["type"] | undefined {
    return this.#types.get(path);
  }

  isExcluded(path: string): boolean {
    return this.#excluded.includes(path);
  }

  /** Whether something below the directory is listed. */
  hasBelow(path: string): boolean {
    const prefix = `${path}/`;
    let low = 0;
    let high = this.#listed.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#listed[middle] ?? "") < prefix) low = middle + 1;
      else high = middle;
    }
    return this.#listed[low]?.startsWith(prefix) === true;
  }
}

function placed(root: string, change: FileChange): PlacedChange {
  const name = exactPath(change.path, change.path_b64);
  return { path: name === "." ? root : `${root}/${name}`, type: change.change_type, change };
}
