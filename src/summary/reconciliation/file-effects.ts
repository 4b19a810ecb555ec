import type { CaptureEvent, EventOf } from "../../schema/event.ts";
import { exactPath } from "./exact-path.ts";
import { type NameNode, NameTree, note } from "./name-tree.ts";

/** Names that are followed; a run that touches more is compared as far as they reach. */
const MOST_NAMES = 150_000;
const MOST_SOCKETS = 1000;

/** Follows what events do to the names of the file system. */
export class FileEffects {
  readonly tree: NameTree;
  /** Last parts of the paths of Unix sockets: the call that makes one has only the text that was passed. */
  readonly socketNames = new Set<string>();

  constructor(mostNames = MOST_NAMES) {
    this.tree = new NameTree(mostNames);
  }

  add(event: CaptureEvent): void {
    if (event.kind === "net.bind") return this.#bind(event);
    if (!event.kind.startsWith("file.") || !isWhole(event)) return;
    switch (event.kind) {
      case "file.open":
        return this.#open(event);
      case "file.close-write":
        return this.#close(event);
      case "file.mkdir":
      case "file.mknod":
        return this.#made(event);
      case "file.symlink":
        return this.#made(event, exactPath(event.link_text, event.link_text_b64));
      case "file.unlink":
      case "file.rmdir":
        return this.#removed(event);
      case "file.link":
        return this.#link(event);
      case "file.rename":
        return this.#rename(event);
      case "file.mount":
      case "file.umount":
        return this.#uncertain(event);
      default:
        if (isChange(event)) this.#changed(event);
    }
  }

  #node(event: { seq: number; path: string; path_b64?: string | undefined }): NameNode | undefined {
    const node = this.tree.at(exactPath(event.path, event.path_b64));
    if (node !== undefined) note(node, event.seq);
    return node;
  }

  #bind({ local, transport, errno }: EventOf<"net.bind">): void {
    if (errno !== undefined || transport !== "unix" || local.startsWith("@")) return;
    if (this.socketNames.size < MOST_SOCKETS) this.socketNames.add(local.slice(local.lastIndexOf("/") + 1));
  }

  #open(event: EventOf<"file.open">): void {
    // A name that is gone again when the call ends, or a file that never had one.
    if (event.temporary === true || event.links === 0) return;
    if (event.created !== true && event.access === "read") return;
    const node = this.#node(event);
    if (node === undefined) return;
    node.before ??= firstWord(node, event.created !== true);
    node.now = true;
    if (event.created === true) {
      node.made = true;
      node.linkText = undefined;
    } else {
      node.changed = true;
      const { inode, size } = event;
      // After O_TRUNC the size from before is gone.
      if (!node.made && event.emptied !== true) node.sizes ??= { inode, first: size, last: size };
      else node.sizes = undefined;
    }
  }

  #close(event: EventOf<"file.close-write">): void {
    if (event.links === 0) return;
    const node = this.#node(event);
    if (node === undefined) return;
    node.changed = true;
    if (node.sizes?.inode === event.inode) node.sizes.last = event.size;
    else node.sizes = undefined;
  }

  #made(event: EventOf<"file.mkdir" | "file.mknod" | "file.symlink">, linkText?: string): void {
    const node = this.#node(event);
    if (node === undefined) return;
    node.before ??= firstWord(node, false);
    node.now = true;
    node.made = true;
    node.linkText = linkText;
    if (event.kind === "file.mkdir" && node.before === false) node.untold = "absent";
  }

  #removed(event: EventOf<"file.unlink" | "file.rmdir">): void {
    const node = this.#node(event);
    if (node === undefined) return;
    node.before ??= firstWord(node, true);
    node.now = false;
    node.removed = true;
    node.linkText = undefined;
  }

  #changed(event: ChangeEvent): void {
    const node = this.#node(event);
    if (node === undefined) return;
    node.changed = true;
    // From here on the size can be anything.
    if (SIZES_END.has(event.kind)) node.sizes = undefined;
  }

  #link(event: EventOf<"file.link">): void {
    const to = this.#target(event);
    if (to === undefined) return;
    to.before ??= firstWord(to, false);
    to.now = true;
    to.made = true;
    to.linked = true;
    // The name of an open file, by its descriptor, is none of its own.
    if (event.path.startsWith("/proc/")) return;
    const from = this.#node(event);
    if (from !== undefined) from.linked = true;
  }

  #rename(event: EventOf<"file.rename">): void {
    const from = this.#node(event);
    const to = this.#target(event);
    if (from === undefined || to === undefined || from === to) return;
    from.before ??= firstWord(from, true);
    if (event.flags?.includes("exchange") === true || (from.linked && to.linked)) {
      // Two names of one file: the kernel does nothing. Exchange: what stands where is not followed.
      for (const node of [from, to]) {
        node.uncertain = true;
        node.moved = true;
        node.made = true;
        node.removed = true;
      }
      return;
    }
    this.tree.move(from, to, event.seq);
    to.sizes = undefined;
    from.sizes = undefined;
  }

  #target(event: EventOf<"file.rename" | "file.link">): NameNode | undefined {
    if (event.to_truncated === true) return undefined;
    return this.#node({ seq: event.seq, path: event.to, path_b64: event.to_b64 });
  }

  #uncertain(event: EventOf<"file.mount" | "file.umount">): void {
    const node = this.#node(event);
    if (node !== undefined) node.uncertain = true;
  }
}

const CHANGES = [
  "file.shared-mapping",
  "file.truncate",
  "file.allocate",
  "file.chmod",
  "file.chown",
  "file.setxattr",
  "file.removexattr",
] as const;
const SIZES_END: ReadonlySet<string> = new Set(["file.shared-mapping", "file.truncate", "file.allocate"]);
type ChangeEvent = EventOf<(typeof CHANGES)[number]>;

function isChange(event: CaptureEvent): event is ChangeEvent {
  return CHANGES.some((kind) => kind === event.kind);
}

/** The call worked, and its path is not cut: such paths are longer than what the file diff can reach. */
function isWhole(event: CaptureEvent): boolean {
  return !("errno" in event && event.errno !== undefined) && !("path_truncated" in event);
}

/** What the first event about a name tells of the time before the run. */
function firstWord(node: NameNode, wasThere: boolean): boolean | undefined {
  const isFirst = !node.made && !node.removed;
  return isFirst && node.untold === "open" ? wasThere : undefined;
}
