import type { NativeEventRecord } from "../../evidence/reader-streams.ts";
import { propertiesOf } from "../describe-event.ts";
import { at, textAt } from "../unknown-value.ts";

const MOST_FILES = 5_000;

/** The agent's own account of what a session changed (`session.diff`): the last one that has anything in it. */
export class AgentDiff {
  #files: string[] | undefined;

  add(event: NativeEventRecord): void {
    if (event.type !== "session.diff") return;
    const diff = at(propertiesOf(event), "diff");
    // Where the agent keeps no snapshots it is always empty and says nothing.
    if (!Array.isArray(diff) || diff.length === 0) return;
    const files = diff.slice(0, MOST_FILES).map((one) => textAt(one, "file") ?? textAt(one, "path") ?? "");
    this.#files = files.map((file) => file.replace(/^\/workspace\//u, "").replace(/^\.\//u, ""));
  }

  /** Paths below the working copy; undefined: the agent gave no account. */
  get files(): readonly string[] | undefined {
    return this.#files;
  }
}
