/** What is known of names below a directory that no event has told of yet. */
export type Untold =
  /** The first event about one tells whether it was there before the run. */
  | "open"
  /** None of them was there before. */
  | "absent"
  /** The directory was moved away and may have come again: nobody knows. */
  | "unknown";

/** One name of the file system, as far as events tell of it. */
export interface NameNode {
  readonly name: string;
  readonly parent: NameNode | undefined;
  children: Map<string, NameNode> | undefined;
  /** It stood here before the run; undefined: not known. */
  before: boolean | undefined;
  /** It stands here now; undefined: not known. */
  now: boolean | undefined;
  untold: Untold;
  made: boolean;
  removed: boolean;
  changed: boolean;
  /** It came or went with all that is below it. */
  moved: boolean;
  /** Events say too little about this name, and all below it, to demand anything. */
  uncertain: boolean;
  /** The file had more than one name. */
  linked: boolean;
  /** Text of the symbolic link that was made here. */
  linkText: string | undefined;
  sizes: { inode: number; first: number; last: number } | undefined;
  firstSeq: number;
  lastSeq: number;
}

/** Links in a name that are followed, as the kernel allows. */
const MOST_LINKS = 40;
/** Deeper names are longer than what the sensor keeps. */
const DEEPEST = 4096;

/** The names that events tell of, as a tree: a directory is renamed with all that is below it. Bounded. */
export class NameTree {
  readonly root = newNode("", undefined);
  readonly #most: number;
  /** Each step of a move of a directory counts: a hostile program can move a large one as often as it likes. */
  #movesLeft: number;
  #size = 1;
  /** Names that found no room, or moves that were not followed. */
  missed = 0;

  constructor(most: number) {
    this.#most = most;
    this.#movesLeft = most * 20;
  }

  /** The node of an absolute path, made where there is none; undefined when there is no room. Links made in the run are followed. */
  at(path: string): NameNode | undefined {
    let links = 0;
    let parts = partsOf(path);
    let node = this.root;
    for (let index = 0; index < parts.length; index++) {
      const child = this.#child(node, parts[index] ?? "");
      if (child === undefined) return undefined;
      const isLast = index === parts.length - 1;
      if (!isLast && child.linkText !== undefined && child.now === true && links++ < MOST_LINKS) {
        const start = child.linkText.startsWith("/") ? "" : pathOf(node);
        parts = partsOf(cleaned(`${start}/${child.linkText}/${parts.slice(index + 1).join("/")}`));
        index = -1;
        node = this.root;
      } else {
        node = child;
      }
    }
    return node;
  }

  /** The node of a path, where there is one, and whether a directory above it was moved or is uncertain. */
  find(path: string): { node: NameNode | undefined; above: { moved: boolean; uncertain: boolean } } {
    const above = { moved: false, uncertain: false };
    let node: NameNode | undefined = this.root;
    for (const part of partsOf(path)) {
      above.moved ||= node.moved;
      above.uncertain ||= node.uncertain;
      node = node.children?.get(part);
      if (node === undefined) break;
    }
    return { node, above };
  }

  /** Moves what stands at `from`, and below it, to `to`. */
  move(from: NameNode, to: NameNode, seq: number): void {
    from.now = true;
    this.#moveAll(from, to, seq);
    from.moved = true;
    to.moved = true;
  }

  #moveAll(from: NameNode, to: NameNode, seq: number): void {
    if (from.now === true) moveOne(from, to, seq);
    to.linked ||= from.linked;
    to.uncertain ||= from.uncertain;
    // What is put in place of a directory finds none, or an empty one.
    if (to.untold === "open") to.untold = "absent";
    if (from.before !== false) from.untold = "unknown";
    for (const child of from.children?.values() ?? []) {
      if (child.now === false || child === to) continue;
      if (--this.#movesLeft < 0) {
        this.missed++;
        return;
      }
      const target = this.#child(to, child.name);
      if (target !== undefined) this.#moveAll(child, target, seq);
    }
  }

  #child(node: NameNode, name: string): NameNode | undefined {
    const known = node.children?.get(name);
    if (known !== undefined) return known;
    if (this.#size >= this.#most) {
      this.missed++;
      return undefined;
    }
    this.#size++;
    const made = newNode(name, node);
    if (node.untold === "absent") made.before = false;
    made.untold = node.untold;
    node.children ??= new Map();
    node.children.set(name, made);
    return made;
  }
}

function moveOne(from: NameNode, to: NameNode, seq: number): void {
  to.now = true;
  to.made = true;
  to.linkText = from.linkText;
  from.now = false;
  from.removed = true;
  for (const node of [from, to]) note(node, seq);
}

/** Absolute path of a node. */
function pathOf(node: NameNode): string {
  const parts: string[] = [];
  for (let at: NameNode | undefined = node; at?.parent !== undefined; at = at.parent) parts.push(at.name);
  return `/${parts.reverse().join("/")}`;
}

/** Notes that an event told of the node. */
export function note(node: NameNode, seq: number): void {
  if (node.firstSeq < 0) node.firstSeq = seq;
  node.lastSeq = seq;
}

function newNode(name: string, parent: NameNode | undefined): NameNode {
  return {
    name,
    parent,
    children: undefined,
    before: undefined,
    now: undefined,
    untold: "open",
    made: false,
    removed: false,
    changed: false,
    moved: false,
    uncertain: false,
    linked: false,
    linkText: undefined,
    sizes: undefined,
    firstSeq: -1,
    lastSeq: -1,
  };
}

function partsOf(path: string): string[] {
  return path.split("/", DEEPEST).filter((part) => part !== "");
}

function cleaned(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
