import { hash } from "node:crypto";
import * as fs from "node:fs";
import { errnoOf } from "../../core/errors.ts";
import { atPath, openDirectory } from "../../workspace/beneath.ts";
import { hashLarge, openRegular, SMALL_FILE_BYTES } from "../../workspace/read-content.ts";
import type { Version } from "./version-log.ts";

/** A directory of the container and where it stands on the host; without `hostDir` it is gone with the container. */
export interface WatchedDirectory {
  root: string;
  hostDir?: string;
}

/** What of a version is there at the end; `elsewhere`: under another name only. */
export type AtEnd = "same" | "replaced" | "gone" | "elsewhere";

/** Looks at the files that the agent has left; links on the way are not followed. */
export class FinalState {
  readonly #directories: readonly WatchedDirectory[];
  readonly #hashes: ReadonlySet<string>;

  /** `hashes`: of contents that are known to stand somewhere at the end, under whatever name. */
  constructor(directories: readonly WatchedDirectory[], hashes: ReadonlySet<string>) {
    this.#directories = directories;
    this.#hashes = hashes;
  }

  async of({ path, sha256, sizeBytes }: Version): Promise<AtEnd> {
    const opened = this.#open(path);
    if (opened === undefined) return sha256 !== null && this.#hashes.has(sha256) ? "elsewhere" : "gone";
    if (opened === "other") return "replaced";
    const { fd, stat } = opened;
    // Of a content that was not read only its being gone is known.
    if (sha256 === null || stat.size !== BigInt(sizeBytes)) {
      fs.closeSync(fd);
      return sha256 === null ? "same" : "replaced";
    }
    return (await hashOf(fd, stat)) === sha256 ? "same" : "replaced";
  }

  #open(path: Buffer): ReturnType<typeof openRegular> | "other" {
    const place = this.#directories.find(({ root }) =>
      path.subarray(0, root.length + 1).equals(Buffer.from(`${root}/`)),
    );
    if (place?.hostDir === undefined) return undefined;
    const parts = split(path.subarray(place.root.length + 1));
    const name = parts.pop() ?? Buffer.alloc(0);
    try {
      return openBelow(place.hostDir, parts, name) ?? "other";
    } catch (error) {
      // What can't be looked at is there.
      return GONE.has(errnoOf(error) ?? "") ? undefined : "other";
    }
  }
}

/** Closes the file. */
async function hashOf(fd: number, stat: fs.BigIntStats): Promise<string | undefined> {
  if (stat.size > SMALL_FILE_BYTES) return (await hashLarge(fd, stat, Number(stat.size)))?.sha256.toString("hex");
  try {
    return hash("sha256", fs.readFileSync(fd), "hex");
  } finally {
    fs.closeSync(fd);
  }
}

const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);
const SLASH = 0x2f;

function openBelow(hostDir: string, parts: readonly Buffer[], name: Buffer): ReturnType<typeof openRegular> {
  let dir = openDirectory(hostDir);
  try {
    for (const part of parts) {
      const next = openDirectory(atPath(dir, part));
      fs.closeSync(dir);
      dir = next;
    }
    return openRegular(atPath(dir, name));
  } finally {
    fs.closeSync(dir);
  }
}

function split(path: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let start = 0;
  for (let at = path.indexOf(SLASH); at !== -1; at = path.indexOf(SLASH, start)) {
    parts.push(path.subarray(start, at));
    start = at + 1;
  }
  return [...parts, path.subarray(start)];
}
