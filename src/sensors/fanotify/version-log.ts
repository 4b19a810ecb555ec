import type { FileEndRecord, FileRecord } from "./record.ts";

/** One content that one path had. */
export interface Version {
  /** As the container sees it. */
  path: Buffer;
  timeNs: number;
  pid: number;
  sizeBytes: number;
  /** Hex; null: not read to its end. */
  sha256: string | null;
  omitted: "too-large" | "unreadable" | undefined;
  closes: number;
  unlinked: boolean;
  unstable: boolean;
}

/** Most versions that are remembered; a note takes about 300 bytes. */
const MOST_VERSIONS = 200_000;

/** Every content of every path, in the order of time; the same content of the same path once. */
export class VersionLog {
  readonly #versions = new Map<string, Version>();
  readonly #most: number;
  #forgotten = 0;

  constructor(most = MOST_VERSIONS) {
    this.#most = most;
  }

  /** Versions for which there was no room. */
  get forgotten(): number {
    return this.#forgotten;
  }

  add(file: FileRecord, end: FileEndRecord, sha256: string | null): void {
    const key = `${sha256 ?? file.sizeBytes}\0${file.path.toString("latin1")}`;
    const known = this.#versions.get(key);
    if (known !== undefined) {
      known.closes++;
      known.unlinked ||= file.unlinked;
    } else if (this.#versions.size >= this.#most) {
      this.#forgotten++;
    } else {
      this.#versions.set(key, newVersion(file, end, sha256));
    }
  }

  list(): Version[] {
    return [...this.#versions.values()];
  }
}

function newVersion(file: FileRecord, end: FileEndRecord, sha256: string | null): Version {
  const { timeNs, pid, sizeBytes, unlinked } = file;
  const omitted = end.tooLarge ? "too-large" : end.failed ? "unreadable" : undefined;
  const path = Buffer.from(file.path);
  return { path, timeNs, pid, sizeBytes, sha256, omitted, closes: 1, unlinked, unstable: end.changed };
}
