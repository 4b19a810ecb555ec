import type * as fs from "node:fs";

/** Index of the root directory in every manifest. */
export const ROOT = 0;
const NONE = -1;
const FIRST_CAPACITY = 1024;

/**
 * The state of every file of a tree at one moment. Kept in typed arrays (about 80 bytes an entry) so that a million files
 * stay affordable; entries are named by their index, and found again by parent and name.
 */
export class Manifest {
  #count = 0;
  #capacity = FIRST_CAPACITY;
  #names = Buffer.alloc(FIRST_CAPACITY * 16);
  #namesEnd = 0;
  #nameStart = new Uint32Array(FIRST_CAPACITY);
  #nameLength = new Uint8Array(FIRST_CAPACITY);
  #parent = new Int32Array(FIRST_CAPACITY);
  #mode = new Uint32Array(FIRST_CAPACITY);
  #uid = new Uint32Array(FIRST_CAPACITY);
  #gid = new Uint32Array(FIRST_CAPACITY);
  #size = new Float64Array(FIRST_CAPACITY);
  #ino = new BigUint64Array(FIRST_CAPACITY);
  #ctimeNs = new BigInt64Array(FIRST_CAPACITY);
  #birthtimeNs = new BigInt64Array(FIRST_CAPACITY);
  /** Content in the base; NONE: not known. */
  #content = new Int32Array(FIRST_CAPACITY);
  /** 1: a directory that has entries. */
  #filled = new Uint8Array(FIRST_CAPACITY);
  /** Open addressing, index + 1, 0 is free; always at most half full. */
  #table = new Int32Array(FIRST_CAPACITY * 2);
  #newestChangeNs = 0n;

  get size(): number {
    return this.#count;
  }

  /** The latest ctime of all entries, nanoseconds since 1970. */
  get newestChangeNs(): bigint {
    return this.#newestChangeNs;
  }

  /** Adds an entry; the first one is the root, whose parent and name don't matter. `content`: see ContentBase. */
  add(parent: number, name: Buffer, stat: fs.BigIntStats, content?: number): number {
    const index = this.#count++;
    if (index === this.#capacity) this.#grow();
    this.#storeName(index, name);
    this.#parent[index] = parent;
    this.#mode[index] = Number(stat.mode);
    this.#uid[index] = Number(stat.uid);
    this.#gid[index] = Number(stat.gid);
    this.#size[index] = Number(stat.size);
    this.#ino[index] = stat.ino;
    this.#ctimeNs[index] = stat.ctimeNs;
    this.#birthtimeNs[index] = stat.birthtimeNs;
    this.#content[index] = content ?? NONE;
    if (stat.ctimeNs > this.#newestChangeNs) this.#newestChangeNs = stat.ctimeNs;
    if (index !== ROOT) {
      this.#filled[parent] = 1;
      this.#insert(index);
    }
    return index;
  }

  setContent(index: number, content: number): void {
    this.#content[index] = content;
  }

  /** The entry `name` in directory `parent`, or undefined. */
  find(parent: number, name: Buffer): number | undefined {
    const mask = this.#table.length - 1;
    for (let slot = hashOf(parent, name, 0, name.length) & mask; ; slot = (slot + 1) & mask) {
      const index = (this.#table[slot] ?? 0) - 1;
      if (index < 0) return undefined;
      if (this.#parent[index] === parent && this.#nameEquals(index, name)) return index;
    }
  }

  /** Whether the status is the one at the time of `add`: then so is the content, whatever mtime says. */
  isUntouched(index: number, stat: fs.BigIntStats): boolean {
    return (
      this.#ctimeNs[index] === stat.ctimeNs &&
      this.#ino[index] === stat.ino &&
      this.#size[index] === Number(stat.size) &&
      this.#mode[index] === Number(stat.mode)
    );
  }

  /** Whether it is one and the same file, possibly under another name and with another content. */
  isSameFile(index: number, ino: bigint, birthtimeNs: bigint): boolean {
    return this.#ino[index] === ino && this.#birthtimeNs[index] === birthtimeNs;
  }

  mode(index: number): number {
    return this.#mode[index] ?? 0;
  }

  parent(index: number): number {
    return this.#parent[index] ?? ROOT;
  }

  /** `uid:gid`. */
  owner(index: number): string {
    return `${this.#uid[index]}:${this.#gid[index]}`;
  }

  sizeBytes(index: number): number {
    return this.#size[index] ?? 0;
  }

  ino(index: number): bigint {
    return this.#ino[index] ?? 0n;
  }

  content(index: number): number | undefined {
    const content = this.#content[index] ?? NONE;
    return content === NONE ? undefined : content;
  }

  hasEntries(index: number): boolean {
    return this.#filled[index] === 1;
  }

  /** Bytes of the path relative to the root, `/` between parts. */
  path(index: number): Buffer {
    const parts: Buffer[] = [];
    for (let at = index; at > ROOT; at = this.#parent[at] ?? ROOT) parts.push(this.#name(at), SLASH);
    return Buffer.concat(parts.slice(0, -1).reverse());
  }

  #name(index: number): Buffer {
    const start = this.#nameStart[index] ?? 0;
    return this.#names.subarray(start, start + (this.#nameLength[index] ?? 0));
  }

  #storeName(index: number, name: Buffer): void {
    if (this.#namesEnd + name.length > this.#names.length) {
      this.#names = Buffer.concat([this.#names], this.#names.length * 2 + name.length);
    }
    this.#nameStart[index] = this.#namesEnd;
    this.#nameLength[index] = name.length;
    this.#namesEnd += name.copy(this.#names, this.#namesEnd);
  }

  #nameEquals(index: number, name: Buffer): boolean {
    const start = this.#nameStart[index] ?? 0;
    return (
      this.#nameLength[index] === name.length &&
      this.#names.compare(name, 0, name.length, start, start + name.length) === 0
    );
  }

  #insert(index: number): void {
    const mask = this.#table.length - 1;
    const start = this.#nameStart[index] ?? 0;
    const end = start + (this.#nameLength[index] ?? 0);
    let slot = hashOf(this.#parent[index] ?? 0, this.#names, start, end) & mask;
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
    this.#table[slot] = index + 1;
  }

  #grow(): void {
    this.#capacity *= 2;
    const capacity = this.#capacity;
    this.#nameStart = moved(this.#nameStart, new Uint32Array(capacity));
    this.#nameLength = moved(this.#nameLength, new Uint8Array(capacity));
    this.#parent = moved(this.#parent, new Int32Array(capacity));
    this.#mode = moved(this.#mode, new Uint32Array(capacity));
    this.#uid = moved(this.#uid, new Uint32Array(capacity));
    this.#gid = moved(this.#gid, new Uint32Array(capacity));
    this.#size = moved(this.#size, new Float64Array(capacity));
    this.#ino = moved(this.#ino, new BigUint64Array(capacity));
    this.#ctimeNs = moved(this.#ctimeNs, new BigInt64Array(capacity));
    this.#birthtimeNs = moved(this.#birthtimeNs, new BigInt64Array(capacity));
    this.#content = moved(this.#content, new Int32Array(capacity));
    this.#filled = moved(this.#filled, new Uint8Array(capacity));
    this.#table = new Int32Array(capacity * 2);
    for (let index = 1; index < this.#count - 1; index++) this.#insert(index);
  }
}

const SLASH = Buffer.from("/");

/** FNV-1a over the parent's index and the bytes of the name. Names are the project's own, so nobody aims at collisions. */
function hashOf(parent: number, bytes: Buffer, start: number, end: number): number {
  let value = Math.imul(0x811c9dc5 ^ (parent & 0xffff), 0x01000193);
  value = Math.imul(value ^ (parent >>> 16), 0x01000193);
  for (let at = start; at < end; at++) value = Math.imul(value ^ (bytes[at] ?? 0), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}

interface Settable<T> {
  set(source: T): void;
}

function moved<T extends Settable<T>>(source: T, target: T): T {
  target.set(source);
  return target;
}
