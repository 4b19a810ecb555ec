import * as fs from "node:fs";
import { errorMessage } from "../../core/errors.ts";
import { closeDurably, storage, writeSome } from "../../core/storage.ts";
import type { PcapngBlock } from "./pcapng.ts";

/** Kept free for the recorder's last word; only packets count against the rest of the limit. */
const RESERVE_BYTES = 64 << 10;

export interface PacketFileStats {
  kept: number;
  /** Packets that the limit or a failing disk kept out. */
  left: number;
  bytes: number;
  /** Why bytes were lost other than by the limit. */
  failure: string | undefined;
}

/**
 * observations/packets.pcapng: whole blocks only, so that every program that reads pcapng can read it. A failing disk does
 * not throw, it stands in the statistics.
 */
export class PacketFile {
  readonly #file: string;
  readonly #fd: number;
  readonly #limitBytes: number;
  #bytes = 0;
  #kept = 0;
  #left = 0;
  #isFull = false;
  #failure: string | undefined;
  #closed = false;

  /** Creates `file`, which must not exist. */
  constructor(file: string, limitBytes: number) {
    this.#file = file;
    this.#fd = storage().open(file, "wx", 0o644);
    this.#limitBytes = limitBytes;
  }

  write(blocks: readonly PcapngBlock[]): void {
    if (this.#closed) return;
    const chosen = blocks.filter((block) => this.#takes(block));
    const data = Buffer.concat(chosen.map(({ raw }) => raw));
    const packets = chosen.filter(({ content }) => content.kind === "packet").length;
    if (data.length === 0) return;
    const written = this.#failure === undefined ? writeSome(this.#fd, data) : undefined;
    if (written !== undefined && written.error === undefined) {
      this.#kept += packets;
      return;
    }
    const before = this.#bytes - data.length;
    this.#bytes = before;
    this.#left += packets;
    if (written?.error === undefined) return;
    this.#failure = errorMessage(written.error);
    try {
      storage().truncate(this.#fd, before);
    } catch (error) {
      this.#failure += `; half a block stands at the end: ${errorMessage(error)}`;
    }
  }

  /** Call once. The bytes are durable then, or `failure` says why not. */
  close(): PacketFileStats {
    this.#closed = true;
    const failure = closeDurably(this.#fd);
    if (failure !== undefined) this.#failure ??= errorMessage(failure);
    return { kept: this.#kept, left: this.#left, bytes: this.#bytes, failure: this.#failure };
  }

  /** Takes the file back: nothing was recorded, and an empty file would read as "no packets". */
  discard(): void {
    this.close();
    fs.rmSync(this.#file, { force: true });
  }

  /** Once a packet found no room, none is taken any more: a file with holes would mislead. */
  #takes({ raw, content }: PcapngBlock): boolean {
    const isPacket = content.kind === "packet";
    const room = this.#limitBytes - (isPacket ? RESERVE_BYTES : 0);
    if ((isPacket && this.#isFull) || this.#bytes + raw.length > room) {
      this.#isFull ||= isPacket;
      if (isPacket) this.#left++;
      return false;
    }
    this.#bytes += raw.length;
    return true;
  }
}
