import * as fs from "node:fs";
import * as path from "node:path";
import { storage, writeFully } from "../core/storage.ts";

/** In the order in which they are given back. Observations can be large, the records at the end are small. */
const PARTS = { observations: 1536 << 10, records: 512 << 10 } as const;

/** A part of the reserve: for what is written while a run is collected, and for the records at its very end. */
export type ReservePart = keyof typeof PARTS;

/**
 * Room on the disk that a run holds from its beginning, so that its end can be recorded even if something has filled the
 * disk meanwhile. It is also the proof that there was any room to begin with.
 */
export class DiskReserve {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** `dir`: a private directory on the captures' file system. Throws what the system says when there is no room. */
  static create(dir: string): DiskReserve {
    for (const [part, sizeBytes] of Object.entries(PARTS)) {
      const fd = storage().open(path.join(dir, nameOf(part)), "wx", 0o600);
      try {
        writeFully(fd, Buffer.alloc(sizeBytes));
      } finally {
        storage().close(fd);
      }
    }
    return new DiskReserve(dir);
  }

  /** Gives back what a run that is over still holds in `dir`. */
  static releaseAll(dir: string): void {
    for (const part of Object.keys(PARTS)) fs.rmSync(path.join(dir, nameOf(part)), { force: true });
  }

  /** Gives the room of one part back. Quiet when that was done before. */
  release(part: ReservePart): void {
    fs.rmSync(path.join(this.#dir, nameOf(part)), { force: true });
  }
}

function nameOf(part: string): string {
  return `reserve.${part}`;
}
