import { createHash, hash } from "node:crypto";
import * as fs from "node:fs";
import { promisify } from "node:util";

/** Files up to this size are read at once; larger ones in pieces, so that nothing else waits for them. */
export const SMALL_FILE_BYTES = 1 << 20;
const PIECE_BYTES = 1 << 20;

/**
 * Not through a link; and should the file have become a FIFO or a device since it was looked at, opening it neither waits
 * nor makes it our terminal.
 */
const OPEN_FILE = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY;

export interface ContentRead {
  /** SHA-256 of what was read. */
  sha256: Buffer;
  /** The whole content, when it was small. */
  content: Buffer | undefined;
  /** It changed while it was read. */
  unstable: boolean;
}

const readPiece = promisify(fs.read);

/** Opens a regular file for reading; undefined when it is anything else by now. Throws system errors. */
export function openRegular(at: string | Buffer): { fd: number; stat: fs.BigIntStats } | undefined {
  const fd = fs.openSync(at, OPEN_FILE);
  const stat = fs.fstatSync(fd, { bigint: true });
  if (stat.isFile()) return { fd, stat };
  fs.closeSync(fd);
  return undefined;
}

/** Reads and hashes a small file. `scratch` must be larger than SMALL_FILE_BYTES; the content returned is a part of it. */
export function readSmall(at: string | Buffer, scratch: Buffer): ContentRead | undefined {
  const opened = openRegular(at);
  if (opened === undefined) return undefined;
  try {
    let length = 0;
    for (;;) {
      const read = fs.readSync(opened.fd, scratch, length, scratch.length - length, null);
      length += read;
      // At the size it had, there is no need to read on: had it grown, its status would have changed.
      if (read === 0 || length === scratch.length || BigInt(length) === opened.stat.size) break;
    }
    const content = scratch.subarray(0, length);
    const unstable = hasChanged(opened.fd, opened.stat) || BigInt(length) !== opened.stat.size;
    return { sha256: hash("sha256", content, "buffer"), content, unstable };
  } finally {
    fs.closeSync(opened.fd);
  }
}

/**
 * Hashes a file of any size in pieces, up to `maxBytes`; undefined when it is no regular file or larger than that.
 * `fd` is closed.
 */
export async function hashLarge(fd: number, stat: fs.BigIntStats, maxBytes: number): Promise<ContentRead | undefined> {
  try {
    const digest = createHash("sha256");
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    let total = 0;
    for (;;) {
      const { bytesRead } = await readPiece(fd, piece, 0, piece.length, null);
      if (bytesRead === 0) break;
      total += bytesRead;
      if (total > maxBytes) return undefined;
      digest.update(piece.subarray(0, bytesRead));
    }
    return {
      sha256: digest.digest(),
      content: undefined,
      unstable: hasChanged(fd, stat) || BigInt(total) !== stat.size,
    };
  } finally {
    fs.closeSync(fd);
  }
}

function hasChanged(fd: number, before: fs.BigIntStats): boolean {
  const after = fs.fstatSync(fd, { bigint: true });
  return after.size !== before.size || after.mtimeNs !== before.mtimeNs || after.ctimeNs !== before.ctimeNs;
}
