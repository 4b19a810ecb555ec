import * as fs from "node:fs";

/**
 * Walks a directory tree by open directories instead of paths (`/proc/self/fd/N/name`): paths may be longer than the
 * system allows, names need not be text, and a directory that is swapped for a link while we walk leads nowhere.
 */
export interface TreeVisitor<Dir> {
  /**
   * One entry of `dir`, never followed when it is a link. `at` opens or reads it and is valid only during the call.
   * @returns true to go into it (only directories); a promise when the walk has to wait for the visitor.
   */
  entry(dir: Dir, name: Buffer, stat: fs.BigIntStats, at: Buffer): boolean | Promise<void>;
  /** A directory was opened (its status: `stat`); what is returned stands for it from now on. */
  enter(parent: Dir, name: Buffer, stat: fs.BigIntStats): Dir;
  leave?(dir: Dir): void;
  /** A directory (`name` undefined) or an entry could not be looked at. */
  failed(dir: Dir, name: Buffer | undefined, error: unknown): void;
}

const OPEN_DIRECTORY = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;
/** Directories kept open on the way down; those further up are found again through `..`. */
const MAX_OPEN = 64;
/** Directories whose own size is above this are read entry by entry. */
const STREAM_ABOVE_BYTES = 256n << 10n;
/** An entry's name has at most 255 bytes. */
const SCRATCH_BYTES = 512;
const BREATHE_EVERY_ENTRIES = 128;

interface Frame<Dir> {
  dir: Dir;
  /** Undefined while it is closed to save descriptors. */
  fd: number | undefined;
  dev: bigint;
  ino: bigint;
  /** Directories still to be entered, last first. */
  pending: NameStack;
}

/** Names on top of each other in one buffer: a hostile directory may hold a million of them. */
class NameStack {
  #bytes = Buffer.alloc(256);
  #end = 0;

  push(name: Buffer): void {
    if (this.#end + name.length + 1 > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes], Math.max(this.#bytes.length * 2, this.#end + name.length + 1));
    }
    name.copy(this.#bytes, this.#end);
    this.#bytes[this.#end + name.length] = name.length;
    this.#end += name.length + 1;
  }

  pop(): Buffer | undefined {
    if (this.#end === 0) return undefined;
    const length = this.#bytes[this.#end - 1] ?? 0;
    const start = this.#end - 1 - length;
    this.#end = start;
    return Buffer.from(this.#bytes.subarray(start, start + length));
  }
}

/**
 * Visits everything below `root` (not root itself). Yields now and then so that the caller can let others work, and
 * yields the visitor's promises, which the caller must await before it goes on.
 */
export function* walkTree<Dir>(
  root: string,
  rootDir: Dir,
  visitor: TreeVisitor<Dir>,
): Generator<Promise<void> | undefined, void, undefined> {
  const scratch = Buffer.alloc(SCRATCH_BYTES);
  const stack: Frame<Dir>[] = [];
  try {
    const first = openFrame(
      root,
      () => rootDir,
      (error) => visitor.failed(rootDir, undefined, error),
    );
    if (first === undefined) return;
    stack.push(first);
    yield* readEntries(stack, scratch, visitor);
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const name = frame.pending.pop();
      if (name === undefined) {
        ascend(stack, visitor);
        continue;
      }
      if (frame.fd === undefined) continue;
      if (!descend(stack, scratch, name, visitor)) continue;
      yield* readEntries(stack, scratch, visitor);
    }
  } finally {
    for (const frame of stack) if (frame.fd !== undefined) fs.closeSync(frame.fd);
  }
}

/** Undefined when it can't be opened; errors of `enter` are thrown. */
function openFrame<Dir>(
  at: string | Buffer,
  enter: (stat: fs.BigIntStats) => Dir,
  onError: (error: unknown) => void,
): Frame<Dir> | undefined {
  let fd: number;
  try {
    fd = fs.openSync(at, OPEN_DIRECTORY);
  } catch (error) {
    onError(error);
    return undefined;
  }
  try {
    const stat = fs.fstatSync(fd, { bigint: true });
    return { dir: enter(stat), fd, dev: stat.dev, ino: stat.ino, pending: new NameStack() };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function pathTo(scratch: Buffer, fd: number, name: Buffer): Buffer {
  const prefix = scratch.write(`/proc/self/fd/${fd}/`, 0, "latin1");
  return scratch.subarray(0, prefix + name.copy(scratch, prefix));
}

function* readEntries<Dir>(stack: Frame<Dir>[], scratch: Buffer, visitor: TreeVisitor<Dir>) {
  const frame = stack.at(-1);
  if (frame?.fd === undefined) return;
  let sinceYield = 0;
  for (const name of namesIn(frame.fd, (error) => visitor.failed(frame.dir, undefined, error))) {
    const waiting = visitEntry(frame, frame.fd, scratch, name, visitor);
    if (waiting !== undefined || ++sinceYield % BREATHE_EVERY_ENTRIES === 0) yield waiting;
  }
  yield undefined;
}

function visitEntry<Dir>(
  frame: Frame<Dir>,
  fd: number,
  scratch: Buffer,
  name: Buffer,
  visitor: TreeVisitor<Dir>,
): Promise<void> | undefined {
  const at = pathTo(scratch, fd, name);
  const stat = lookAt(at, (error) => visitor.failed(frame.dir, name, error));
  if (stat === undefined) return undefined;
  const answer = visitor.entry(frame.dir, name, stat, at);
  if (answer instanceof Promise) return answer;
  // What is mounted in the tree is not part of it.
  if (answer && stat.dev === frame.dev) frame.pending.push(name);
  return undefined;
}

function lookAt(at: Buffer, onError: (error: unknown) => void): fs.BigIntStats | undefined {
  try {
    return fs.lstatSync(at, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    onError(error);
    return undefined;
  }
}

/** A generator's own try catches only its own errors, so those of the visitor pass. */
function* namesIn(fd: number, onError: (error: unknown) => void): Generator<Buffer> {
  const at = `/proc/self/fd/${fd}`;
  try {
    if (fs.fstatSync(fd, { bigint: true }).size <= STREAM_ABOVE_BYTES) {
      yield* fs.readdirSync(at, { encoding: "buffer" });
      return;
    }
    // That a directory can be read as bytes is missing in Node's declarations.
    using dir = fs.opendirSync(at, { encoding: "buffer" as BufferEncoding, bufferSize: 512 });
    for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) yield entry.name as unknown as Buffer;
  } catch (error) {
    onError(error);
  }
}

function descend<Dir>(stack: Frame<Dir>[], scratch: Buffer, name: Buffer, visitor: TreeVisitor<Dir>): boolean {
  const parent = stack.at(-1);
  if (parent?.fd === undefined) return false;
  const child = openFrame(
    pathTo(scratch, parent.fd, name),
    (stat) => visitor.enter(parent.dir, name, stat),
    (error) => visitor.failed(parent.dir, name, error),
  );
  if (child === undefined) return false;
  stack.push(child);
  const far = stack.at(-MAX_OPEN);
  if (far?.fd !== undefined && stack.length > MAX_OPEN) {
    fs.closeSync(far.fd);
    far.fd = undefined;
  }
  return true;
}

function ascend<Dir>(stack: Frame<Dir>[], visitor: TreeVisitor<Dir>): void {
  const child = stack.pop();
  const parent = stack.at(-1);
  if (child === undefined) return;
  if (parent !== undefined && parent.fd === undefined && child.fd !== undefined) reopen(parent, child.fd, visitor);
  if (child.fd !== undefined) fs.closeSync(child.fd);
  visitor.leave?.(child.dir);
}

/** The parent is the same directory as before, or the rest of it counts as not looked at. */
function reopen<Dir>(parent: Frame<Dir>, childFd: number, visitor: TreeVisitor<Dir>): void {
  try {
    const fd = fs.openSync(`/proc/self/fd/${childFd}/..`, OPEN_DIRECTORY);
    const { dev, ino } = fs.fstatSync(fd, { bigint: true });
    if (dev === parent.dev && ino === parent.ino) {
      parent.fd = fd;
      return;
    }
    fs.closeSync(fd);
    throw new Error("the directory was moved while it was read");
  } catch (error) {
    visitor.failed(parent.dir, undefined, error);
  }
}

/** Runs a walk to its end, letting the event loop turn at least every `sliceMs`. */
export async function runWalk(
  walk: Generator<Promise<void> | undefined, void, undefined>,
  signal?: AbortSignal,
  sliceMs = 10,
): Promise<void> {
  let sliceStart = performance.now();
  for (const waiting of walk) {
    if (waiting !== undefined) await waiting;
    if (performance.now() - sliceStart < sliceMs) continue;
    await new Promise<void>((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    sliceStart = performance.now();
  }
}
