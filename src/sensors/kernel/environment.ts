import { createHmac, randomBytes } from "node:crypto";
import { shorten } from "../../schema/display.ts";
import type { BodyOf } from "../../schema/event.ts";

/** Names and hashes of one environment. */
type Hashes = ReadonlyMap<string, string>;

interface Parsed {
  hashes: Hashes;
  callId: string | undefined;
}

/** An environment that stands whole in the file, as the start of what others differ in. */
export interface EnvironmentBase {
  seq: number;
  hashes: Hashes;
}

type EnvironmentFields = Pick<BodyOf<"process.exec">, "env" | "env_base" | "env_set" | "env_unset" | "call_id">;

export interface DescribedEnvironment {
  fields: EnvironmentFields;
  /** Set when the event that gets `fields` can be a base for others. */
  hashes: Hashes | undefined;
}

const CALL_ID = "MAS_CALL_ID";
const MAX_CALL_ID = 200;
const HASH_DIGITS = 16;
/** With more differences than this, the whole is written again. */
const MAX_DIFFERENCES = 8;
const CACHE_ENTRIES = 5000;
const MAX_CACHED_CHARACTERS = 4096;
const CACHE_BLOCKS = 200;

/**
 * Describes environments without their values: they hold keys and tokens. The hash tells whether two values of one
 * capture are equal, and nothing to those who have not got the key, which exists only in this process.
 */
export class Environments {
  readonly #key: Buffer;
  readonly #cache = new Map<string, string>();
  readonly #blocks = new Map<string, Parsed>();
  readonly #differences = new WeakMap<Hashes, { base: Hashes; fields: EnvironmentFields | undefined }>();

  constructor(key: Buffer = randomBytes(32)) {
    this.#key = key;
  }

  /** `block`: entries that end with a NUL each. `cut`: its end is missing. `base`: what it will most likely be like. */
  describe(block: Buffer, cut: boolean, base: EnvironmentBase | undefined): DescribedEnvironment {
    const { hashes, callId } = this.#parsed(block, cut);
    const claim = callId === undefined ? {} : { call_id: shorten(callId, MAX_CALL_ID) };
    const difference = base === undefined ? undefined : this.#difference(hashes, base);
    if (difference !== undefined) return { fields: { ...difference, ...claim }, hashes: undefined };
    return { fields: { env: Object.fromEntries(hashes), ...claim }, hashes };
  }

  /** Programs that one shell starts have the same few environments again and again. */
  #parsed(block: Buffer, cut: boolean): Parsed {
    if (cut || block.length > MAX_CACHED_CHARACTERS) return this.#parse(block.toString("latin1"), cut);
    const text = block.toString("latin1");
    const known = this.#blocks.get(text);
    if (known !== undefined) return known;
    const parsed = this.#parse(text, cut);
    if (this.#blocks.size >= CACHE_BLOCKS) this.#blocks.clear();
    this.#blocks.set(text, parsed);
    return parsed;
  }

  /** `text`: one character for each byte, as values need not be UTF-8. */
  #parse(text: string, cut: boolean): Parsed {
    const entries = text.split("\0");
    // Behind the last NUL stands nothing, or an entry that is not whole and would get a wrong hash.
    if (cut || entries.at(-1) === "") entries.pop();
    const hashes = new Map<string, string>();
    let callId: string | undefined;
    for (const entry of entries) {
      const equals = entry.indexOf("=");
      const name = toUtf8(equals === -1 ? entry : entry.slice(0, equals));
      // Of two with one name, programs see the first.
      if (hashes.has(name)) continue;
      if (name === CALL_ID) callId = toUtf8(entry.slice(equals + 1));
      hashes.set(name, this.#hash(entry, equals));
    }
    return { hashes, callId };
  }

  /** A shell starts the same few programs in the same few environments: what differs is the same again. */
  #difference(hashes: Hashes, base: EnvironmentBase): EnvironmentFields | undefined {
    const last = this.#differences.get(hashes);
    if (last?.base === base.hashes && last.fields !== undefined) return { ...last.fields, env_base: base.seq };
    const fields = differenceOf(hashes, base);
    this.#differences.set(hashes, { base: base.hashes, fields });
    return fields;
  }

  #hash(entry: string, equals: number): string {
    const known = this.#cache.get(entry);
    if (known !== undefined) return known;
    const value = equals === -1 ? "" : entry.slice(equals + 1);
    const hash = createHmac("sha256", this.#key).update(value, "latin1").digest("hex").slice(0, HASH_DIGITS);
    if (entry.length <= MAX_CACHED_CHARACTERS) {
      if (this.#cache.size >= CACHE_ENTRIES) this.#cache.clear();
      this.#cache.set(entry, hash);
    }
    return hash;
  }
}

const NOT_ASCII = /[\x80-\xff]/;

function toUtf8(latin1: string): string {
  if (!NOT_ASCII.test(latin1)) return latin1;
  return Buffer.from(latin1, "latin1").toString("utf8");
}

/** What differs from the base, or undefined when that is so much that the whole is shorter. */
function differenceOf(hashes: Hashes, base: EnvironmentBase): EnvironmentFields | undefined {
  if (hashes === base.hashes) return { env_base: base.seq };
  const set = [...hashes].filter(([name, hash]) => base.hashes.get(name) !== hash);
  if (set.length > MAX_DIFFERENCES) return undefined;
  const unset = [...base.hashes.keys()].filter((name) => !hashes.has(name));
  if (unset.length > MAX_DIFFERENCES) return undefined;
  return {
    env_base: base.seq,
    ...(set.length === 0 ? {} : { env_set: Object.fromEntries(set) }),
    ...(unset.length === 0 ? {} : { env_unset: unset }),
  };
}
