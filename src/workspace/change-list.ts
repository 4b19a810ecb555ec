import type { FileChange } from "../schema/observations.ts";
import { displayPath } from "./byte-path.ts";
import type { ChangeDetails } from "./describe-change.ts";
import type { SensitivePaths } from "./sensitive-paths.ts";

export interface ChangeListLimits {
  /** Changes described one by one. */
  changes: number;
  /** Changes to sensitive paths that are described beyond that number. */
  sensitiveExtra: number;
  /** Bytes of all paths together: deep trees have paths of any length. */
  pathBytes: number;
}

const DEFAULT_LIMITS: ChangeListLimits = { changes: 50_000, sensitiveExtra: 5_000, pathBytes: 32 << 20 };
/** Longer paths are cut in their middle; the system itself takes no more than 4096 bytes at once. */
const MAX_PATH_BYTES = 32 << 10;

/** Collects changes. What goes beyond the limits is counted and no longer described. */
export class ChangeList {
  readonly counts = { created: 0, modified: 0, deleted: 0 };
  readonly changes: FileChange[] = [];
  touchedSensitive = false;
  truncated = false;
  readonly #limits: ChangeListLimits;
  readonly #isSensitive: SensitivePaths;
  #pathBytes = 0;

  constructor(isSensitive: SensitivePaths, limits: Partial<ChangeListLimits> = {}) {
    this.#isSensitive = isSensitive;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Whether a change of this path would be described. */
  hasRoomFor(path: Buffer): boolean {
    const isNearTheEnd = this.changes.length >= this.#limits.changes;
    return this.#hasRoom(isNearTheEnd && this.#isSensitive(displayPath(shortened(path)).path));
  }

  /**
   * Counts a change. `describe` is called, with the path for reading, only when there is room for it.
   * @returns the change, or undefined when it was only counted.
   */
  add(
    type: FileChange["change_type"],
    path: Buffer,
    describe: (path: string) => ChangeDetails,
  ): FileChange | undefined {
    this.counts[type]++;
    const shown = displayPath(shortened(path));
    const sensitive = this.#isSensitive(shown.path);
    this.touchedSensitive ||= sensitive;
    if (!this.#hasRoom(sensitive)) {
      this.truncated = true;
      return undefined;
    }
    this.#pathBytes += Math.min(path.length, MAX_PATH_BYTES);
    const change: FileChange = { ...shown, change_type: type, sensitive_path: sensitive, ...describe(shown.path) };
    this.changes.push(change);
    return change;
  }

  #hasRoom(sensitive: boolean): boolean {
    const { changes, sensitiveExtra, pathBytes } = this.#limits;
    return this.#pathBytes < pathBytes && this.changes.length < changes + (sensitive ? sensitiveExtra : 0);
  }
}

function shortened(path: Buffer): Buffer {
  if (path.length <= MAX_PATH_BYTES) return path;
  const half = MAX_PATH_BYTES / 2;
  return Buffer.concat([path.subarray(0, half), Buffer.from("/…/"), path.subarray(path.length - half)]);
}
