import type { FileIdentity } from "./record.ts";

const MAX_FILES = 100_000;

/** Remembers which files were opened for writing, to know of a program that it was made in this run. */
export class WrittenFiles {
  readonly #files = new Set<string>();
  #forgotten = 0;

  /** Files beyond the limit, of which it is not known. */
  get forgotten(): number {
    return this.#forgotten;
  }

  add(file: FileIdentity): void {
    if (this.#files.size >= MAX_FILES) this.#forgotten++;
    else this.#files.add(keyOf(file));
  }

  has(file: FileIdentity): boolean {
    return this.#files.has(keyOf(file));
  }
}

function keyOf({ device, inode }: FileIdentity): string {
  return `${device}:${inode}`;
}
