import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import { cLibrary } from "../core/c-library.ts";
import { errorMessage } from "../core/errors.ts";
import type { FileChange } from "../schema/observations.ts";

export type ExtendedAttribute = NonNullable<FileChange["xattrs"]>[number];

/** The kernel gives no more than this for a list of names or for one value (xattr(7)). */
const BUFFER_BYTES = 64 << 10;
const MAX_ATTRIBUTES = 64;
const MAX_VALUE_SHOWN_BYTES = 256;
/**
 * What an agent without capabilities can set. Labels of a security module come and go with the machine's policy and are
 * not the agent's doing.
 */
const SETTABLE = /^(?:user\.|system\.posix_acl_|trusted\.|security\.capability$)/;
const ACCESS_LIST = /^system\.posix_acl_/;
/** Of all names and values together; beyond it one name a file, without value. */
const TOTAL_BYTES = 8 << 20;

type List = (at: Buffer, names: Buffer, size: number) => number;
type Get = (at: Buffer, name: Buffer, value: Buffer, size: number) => number;

/**
 * Reads extended attributes through the C library: Node has no call for them, and no program that has one is on every
 * machine. One call takes 3 µs, so there is no need to read them in another way than files one by one.
 */
export class ExtendedAttributes {
  readonly #list: List | undefined;
  readonly #get: Get | undefined;
  readonly #buffer = Buffer.alloc(BUFFER_BYTES);
  #bytesLeft = TOTAL_BYTES;
  /** Every new file inherits an access list from the directory above the tree, so having one tells nothing. */
  readonly #listsAreInherited: boolean = false;
  /** Why no attributes can be read on this machine. */
  readonly failure: string | undefined;

  /** `above`: the directory that holds the tree. */
  constructor(above: string) {
    try {
      const { libc } = cLibrary();
      this.#list = libc.func("int64 llistxattr(const void *path, void *names, size_t size)");
      this.#get = libc.func("int64 lgetxattr(const void *path, const void *name, void *value, size_t size)");
      this.#listsAreInherited = this.#names(Buffer.from(above)).some((name) =>
        ACCESS_LIST.test(name.toString("latin1")),
      );
    } catch (error) {
      this.failure = errorMessage(error).split("\n")[0];
    }
  }

  /** Attributes of what stands at `at` itself, never of a link's target; at most 64. */
  of(at: Buffer): ExtendedAttribute[] {
    const found: ExtendedAttribute[] = [];
    for (const name of this.#names(at)) {
      if (found.length === (this.#bytesLeft > 0 ? MAX_ATTRIBUTES : 1)) break;
      const value = this.#value(at, name);
      // Removed since it was listed.
      if (value === undefined) continue;
      const shown = this.#bytesLeft > 0 && value.length <= MAX_VALUE_SHOWN_BYTES;
      found.push(describe(name, value, shown));
      this.#bytesLeft -= name.length + (shown ? value.length : 0);
    }
    return found;
  }

  #names(at: Buffer): Buffer[] {
    const length = this.#list?.(terminated(at), this.#buffer, BUFFER_BYTES) ?? 0;
    const names: Buffer[] = [];
    for (let start = 0; start < length; ) {
      const end = this.#buffer.indexOf(0, start);
      const name = Buffer.from(this.#buffer.subarray(start, end));
      if (this.#isAgents(name.toString("latin1"))) names.push(name);
      start = end + 1;
    }
    return names;
  }

  #isAgents(name: string): boolean {
    return SETTABLE.test(name) && !(this.#listsAreInherited && ACCESS_LIST.test(name));
  }

  #value(at: Buffer, name: Buffer): Buffer | undefined {
    const length = this.#get?.(terminated(at), terminated(name), this.#buffer, BUFFER_BYTES) ?? -1;
    return length < 0 ? undefined : this.#buffer.subarray(0, length);
  }
}

function terminated(text: Buffer): Buffer {
  return Buffer.concat([text], text.length + 1);
}

function describe(name: Buffer, value: Buffer, shown: boolean): ExtendedAttribute {
  return {
    name: name.toString("utf8"),
    ...(isUtf8(name) ? {} : { name_b64: name.toString("base64") }),
    size_bytes: value.length,
    sha256: hash("sha256", value),
    ...(shown ? { value_b64: value.toString("base64") } : {}),
  };
}
