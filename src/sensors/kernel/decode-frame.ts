import type { FileIdentity, PathText, RecordHead, SocketAddress } from "./record.ts";

/** Offsets of native/sensor/record.h. */
const HEADER_BYTES = 176;
const SEGMENT_TABLE_AT = 80;
const SEGMENTS = 8;
const BODY_AT = 112;
const MAGIC = 0x434f;
const VERSION = 2;
const TWO_32 = 0x1_0000_0000;
const NOTHING = Buffer.alloc(0);
const SLASH = 0x2f;
const MAX_ADDRESS_BYTES = 128;

/** A frame that is no record. */
export class RecordFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RecordFault";
  }
}

/** One frame, its header checked: every read lies inside. */
export class Frame {
  readonly bytes: Buffer;
  readonly kind: number;
  readonly class: number;
  readonly #truncated: number;
  readonly #foreign: number;
  readonly #ends: number[] = [];

  /** Throws RecordFault unless lengths, magic and version fit. */
  constructor(bytes: Buffer) {
    if (bytes.length < HEADER_BYTES) throw new RecordFault("shorter than a header");
    if (bytes.readUInt16LE(0) !== MAGIC) throw new RecordFault("not a record");
    if (bytes.readUInt8(2) !== VERSION) throw new RecordFault(`version ${bytes.readUInt8(2)}, not ${VERSION}`);
    this.bytes = bytes;
    this.kind = bytes.readUInt8(3);
    this.class = bytes.readUInt8(4);
    this.#truncated = bytes.readUInt8(6);
    this.#foreign = bytes.readUInt8(7);
    let end = HEADER_BYTES;
    for (let index = 0; index < SEGMENTS; index++) {
      end += bytes.readUInt32LE(SEGMENT_TABLE_AT + 4 * index);
      this.#ends.push(end);
    }
    if (end !== bytes.length) throw new RecordFault("segments and length differ");
  }

  segment(index: number): Buffer {
    const start = index === 0 ? HEADER_BYTES : (this.#ends[index - 1] ?? HEADER_BYTES);
    const end = this.#ends[index] ?? start;
    return start === end ? NOTHING : this.bytes.subarray(start, end);
  }

  isTruncated(index: number): boolean {
    return ((this.#truncated >> index) & 1) === 1;
  }

  isForeign(index: number): boolean {
    return ((this.#foreign >> index) & 1) === 1;
  }

  /** Numbers of the body, by offset in it. */
  u8(at: number): number {
    return this.bytes.readUInt8(BODY_AT + at);
  }

  u16(at: number): number {
    return this.bytes.readUInt16LE(BODY_AT + at);
  }

  u32(at: number): number {
    return this.bytes.readUInt32LE(BODY_AT + at);
  }

  s32(at: number): number {
    return this.bytes.readInt32LE(BODY_AT + at);
  }

  /** Rounded beyond 2^53. */
  u64(at: number): number {
    return readU64(this.bytes, BODY_AT + at);
  }

  s64(at: number): number {
    return readS64(this.bytes, BODY_AT + at);
  }

  /** Sixteen digits, for identities that are no quantity. */
  hex64(at: number): string {
    return hex64(this.bytes, BODY_AT + at);
  }
}

export function hex64(bytes: Buffer, at: number): string {
  const half = (from: number): string => bytes.readUInt32LE(from).toString(16).padStart(8, "0");
  return half(at + 4) + half(at);
}

export function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 4) * TWO_32 + bytes.readUInt32LE(at);
}

export function readS64(bytes: Buffer, at: number): number {
  return bytes.readInt32LE(at + 4) * TWO_32 + bytes.readUInt32LE(at);
}

export function timeOf(frame: Frame): number {
  return readU64(frame.bytes, 16);
}

export function headOf(frame: Frame): RecordHead {
  const { bytes } = frame;
  return {
    seq: readU64(bytes, 8),
    timeNs: timeOf(frame),
    process: { pid: bytes.readUInt32LE(40), startNs: readU64(bytes, 24) },
    tid: bytes.readUInt32LE(44),
    parent: { pid: bytes.readUInt32LE(48), startNs: readU64(bytes, 32) },
    containerPid: bytes.readUInt32LE(52),
    uid: bytes.readUInt32LE(56),
    comm: untilNul(bytes.subarray(64, 80)),
  };
}

/** Effective group. */
export function groupOf(frame: Frame): number {
  return frame.bytes.readUInt32LE(60);
}

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}

/** A path that the kernel resolved. */
export function resolvedPath(frame: Frame, index: number): PathText {
  const name = frame.segment(index);
  const path: PathText = { name, truncated: frame.isTruncated(index) };
  // A memfd lies in no tree; its name has no slash.
  if (frame.isForeign(index) && name[0] === SLASH) path.foreign = true;
  return path;
}

/** A path that the program named: segment `index` is the directory it starts from, the next one the name. */
export function namedPath(frame: Frame, index: number): PathText {
  const base = frame.segment(index);
  const name = frame.segment(index + 1);
  const truncated = frame.isTruncated(index) || frame.isTruncated(index + 1);
  const foreign = frame.isForeign(index) && base[0] === SLASH ? { foreign: true } : {};
  // A call on a descriptor, or with AT_EMPTY_PATH, means the base itself.
  if (name.length === 0 && !frame.isTruncated(index + 1)) return { name: base, truncated, ...foreign };
  if (name[0] !== SLASH) return { ...(base.length === 0 ? {} : { base }), name, truncated, ...foreign };
  // An absolute name starts from the root of the process, which after a chroot is not the container's.
  return { name: base.length <= 1 ? name : Buffer.concat([base, name]), truncated, ...foreign };
}

/** `struct file_body`, at the start of the body; segment 0 is its path. */
export function fileOf(frame: Frame): FileIdentity {
  return {
    path: resolvedPath(frame, 0),
    inode: frame.u64(0),
    size: frame.u64(8),
    device: frame.u32(16),
    mode: frame.u32(20),
    links: frame.u32(24),
  };
}

/** Flags and bits of `struct file_body`. */
export const FILE_FLAGS_AT = 28;
export const FILE_BITS_AT = 32;

export function addressOf(frame: Frame, index: number): SocketAddress {
  const raw = frame.segment(index).subarray(0, MAX_ADDRESS_BYTES);
  return { family: raw.length >= 2 ? raw.readUInt16LE(0) : 0, raw };
}

/** The word that stands for a number; a number without one is a fault. */
export function wordFor<Word extends string>(words: readonly Word[], number: number, what: string): Word {
  // The numbers begin with 1.
  const word = words[number - 1];
  if (word === undefined) throw new RecordFault(`${what} ${number} is unknown`);
  return word;
}
