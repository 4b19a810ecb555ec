import * as fs from "node:fs";
import { promisify } from "node:util";
import { cLibrary } from "../core/c-library.ts";

const PIECE_BYTES = 1 << 20;
/** lseek(2), on Linux. */
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
/** There is no data behind this place. */
const ENXIO = 6;

const readPiece = promisify(fs.read);
const writePiece = promisify(fs.write);

/** True for a file that takes less room than it is long. */
export function isSparse(stat: fs.BigIntStats): boolean {
  return stat.blocks * 512n < stat.size;
}

/**
 * Copies the data of a file to a new file `to` and leaves its holes as holes; both are open, `to` for writing.
 * @throws the system's errors, and an Error where there is no glibc.
 */
export async function copySparse(from: number, to: number, sizeBytes: number): Promise<void> {
  const seek = seeker(from);
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  let start = seek(0, SEEK_DATA);
  while (start !== undefined && start < sizeBytes) {
    const end = Math.min(seek(start, SEEK_HOLE) ?? sizeBytes, sizeBytes);
    if ((await copyRange(from, to, start, end, piece)) < end) break;
    start = seek(end, SEEK_DATA);
  }
  fs.ftruncateSync(to, sizeBytes);
}

/** @returns where it ended: before `end` when the file has become shorter meanwhile. */
async function copyRange(from: number, to: number, start: number, end: number, piece: Buffer): Promise<number> {
  let at = start;
  while (at < end) {
    const { bytesRead } = await readPiece(from, piece, 0, Math.min(piece.length, end - at), at);
    if (bytesRead === 0) break;
    for (let written = 0; written < bytesRead; ) {
      const { bytesWritten } = await writePiece(to, piece, written, bytesRead - written, at + written);
      written += bytesWritten;
    }
    at += bytesRead;
  }
  return at;
}

/** Where data or a hole begins, at or behind a place; undefined when none does. */
function seeker(fd: number): (from: number, whence: number) => number | undefined {
  const { koffi, libc } = cLibrary();
  const lseek = libc.func("int64_t lseek(int fd, int64_t offset, int whence)");
  return (from, whence) => {
    const at = Number(lseek(fd, from, whence));
    if (at >= 0) return at;
    const errno = koffi.errno();
    if (errno === ENXIO) return undefined;
    throw new Error(`lseek: errno ${errno}`);
  };
}
