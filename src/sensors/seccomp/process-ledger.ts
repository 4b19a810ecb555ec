import { processId } from "../kernel/event-context.ts";
import type { ProcessKey } from "../kernel/record.ts";

/** More than the pids limit of any container. */
const MAX_LIVE = 20_000;

/** Which processes live, from calls that tell of one and looks at the container's list of pids. */
export class ProcessLedger {
  /** Id by pid. */
  readonly #live = new Map<number, string>();
  /** Pids that the last look met and no call has told of yet. */
  #strangers = new Set<number>();

  /** A call told of the process. Returns the id of one that had its pid before and must be gone. */
  meet(key: ProcessKey): { isNew: boolean; gone: string | undefined } {
    const id = processId(key);
    const before = this.#live.get(key.pid);
    if (before === id) return { isNew: false, gone: undefined };
    if (this.#live.size < MAX_LIVE) this.#live.set(key.pid, id);
    return { isNew: true, gone: before };
  }

  /**
   * A look: `pids` are all processes of the container now. `strangers` are those that were there at the last look too and
   * that no call has told of: what a call says of a process may still be on its way.
   */
  look(pids: readonly number[]): { gone: string[]; strangers: number[] } {
    const now = new Set(pids);
    const gone: string[] = [];
    for (const [pid, id] of this.#live) {
      if (now.has(pid)) continue;
      this.#live.delete(pid);
      gone.push(id);
    }
    const unknown = pids.filter((pid) => !this.#live.has(pid));
    const strangers = unknown.filter((pid) => this.#strangers.has(pid));
    this.#strangers = new Set(unknown);
    return { gone, strangers };
  }
}
