import type { CaptureEvent } from "../../schema/event.ts";
import type { FsDiffView } from "../../schema/view.ts";
import { CheckBook, type CrossCheckResult } from "./cross-check.ts";
import { DiffIndex, type PlacedChange } from "./diff-index.ts";
import { readablePath } from "./exact-path.ts";
import { FileEffects } from "./file-effects.ts";
import type { NameNode } from "./name-tree.ts";
import { Unmatched } from "./unmatched.ts";

/** Longer names can't be told whole by the sensor, or by the file diff. */
const LONGEST_PATH = 4000;

/** Why a side of the comparison proves nothing; null: it does. */
export interface FileWitnesses {
  /** The kernel's record of files has a hole. */
  events: string | null;
  /** The file diff is cut or has places that it could not read. */
  diff: string | null;
}

/** Holds the file diff and the events of files against each other. Streaming: events first, then `results`. */
export class FileCheck {
  readonly #effects: FileEffects;

  constructor(mostNames?: number) {
    this.#effects = new FileEffects(mostNames);
  }

  add(event: CaptureEvent): void {
    this.#effects.add(event);
  }

  results(diff: FsDiffView, witnesses: FileWitnesses): CrossCheckResult[] {
    const changes = new CheckBook("changes");
    const events = new CheckBook("file-events");
    if (witnesses.events !== null) return [changes.result(witnesses.events), events.result(witnesses.events)];
    const index = new DiffIndex(diff);
    const unmatched = new Unmatched();
    for (const change of index.changes) this.#judgeChange(change, changes, unmatched);
    if (witnesses.diff === null) this.#judgeNames(index, events, unmatched);
    unmatched.settle(changes, events);
    return [changes.result(this.#limits()), events.result(witnesses.diff ?? this.#limits())];
  }

  #limits(): string | null {
    const { missed } = this.#effects.tree;
    return missed === 0 ? null : `the run touched more names than are followed: ${missed} events found no room`;
  }

  /** Whether events explain a change. */
  #judgeChange({ path, type, change }: PlacedChange, book: CheckBook, unmatched: Unmatched): void {
    const { node, above } = this.#effects.tree.find(path);
    const name = path.slice(path.lastIndexOf("/") + 1);
    const isSocket = change.after_type === "socket" && this.#effects.socketNames.has(readablePath(name));
    if (above.moved || isSocket || (node !== undefined && tellsOf(node, type))) return book.match();
    const rule = this.#ruleFor(path, node, above.uncertain);
    if (rule !== undefined) return book.explain(rule);
    unmatched.add("changes", name, type, { what: readablePath(path), evidence: [`change:${readablePath(path)}`] });
  }

  /** The rule by which events say nothing of a change, or not enough. */
  #ruleFor(path: string, node: NameNode | undefined, isBelowUncertain: boolean): string | undefined {
    if (node?.linked === true) return "hard-link";
    if (isBelowUncertain || node?.uncertain === true) return "uncertain";
    if (path.length > LONGEST_PATH) return "long-path";
    return this.#effects.tree.missed > 0 ? "beyond-limit" : undefined;
  }

  /** Whether the file diff has what events leave behind, for every name below the places that were compared. */
  #judgeNames(index: DiffIndex, book: CheckBook, unmatched: Unmatched): void {
    for (const root of index.roots) {
      const { node, above } = this.#effects.tree.find(root);
      if (node === undefined || above.uncertain) continue;
      const open: { node: NameNode; path: string }[] = [{ node, path: root }];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        if (next.node.uncertain) continue;
        if (next.node !== node) this.#judgeName(next.node, next.path, index, book, unmatched);
        for (const child of next.node.children?.values() ?? []) {
          open.push({ node: child, path: `${next.path}/${child.name}` });
        }
      }
    }
  }

  #judgeName(node: NameNode, path: string, index: DiffIndex, book: CheckBook, unmatched: Unmatched): void {
    if (node.firstSeq < 0) return;
    const demanded = demandOf(node);
    const listed = index.typeOf(path);
    if (demanded === "nothing" || demanded === "unclear") {
      if (listed !== undefined) return book.match();
      return book.explain(demanded === "nothing" ? "gone-again" : "same-again");
    }
    if (listed === demanded || (listed !== undefined && demanded === "modified")) return book.match();
    // Directories that hold something follow from what they hold.
    if (index.hasBelow(path) || (demanded === "created" && hasChildNow(node))) return book.match();
    if (index.isExcluded(path)) return book.explain("agent-machinery");
    const rule = this.#ruleFor(path, node, false);
    if (rule !== undefined) return book.explain(rule);
    unmatched.add("file-events", path.slice(path.lastIndexOf("/") + 1), demanded, {
      what: readablePath(path),
      evidence: [...new Set([node.firstSeq, node.lastSeq])].map((seq) => `event:${seq}`),
    });
  }
}

/** Whether events told of such a change of the name. */
function tellsOf({ moved, made, removed, changed }: NameNode, type: PlacedChange["type"]): boolean {
  if (moved) return true;
  if (type === "modified") return made || removed || changed;
  return type === "created" ? made : removed;
}

/** What the file diff has to say of a name. `unclear`: a change that may have left everything as it was. */
function demandOf({ before, now, sizes, made, removed }: NameNode): PlacedChange["type"] | "nothing" | "unclear" {
  if (before === undefined || now === undefined) return "unclear";
  if (!before) return now ? "created" : "nothing";
  if (!now) return "deleted";
  const grew = sizes !== undefined && sizes.first !== sizes.last && !made && !removed;
  return grew ? "modified" : "unclear";
}

function hasChildNow(node: NameNode): boolean {
  for (const child of node.children?.values() ?? []) if (child.now === true) return true;
  return false;
}
